"""The calibration line: a logistic regression of winning on the log-odds of the probability.

``P(win) = 1 / (1 + exp(-(a + b · ln(p / (1 - p)))))``, fitted by maximum likelihood (Cox 1958): a = 0 and
b = 1 where the probabilities are right, b < 1 where they are too extreme. In a dead heat of two, each is half
a win.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greynb.evaluation.scoring import CLIP

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_STEPS: Final = 60
_CLOSE: Final = 1e-12
_STEEPEST: Final = 1e6  # of a slope: beyond, winners and losers are as good as separated, and there is no fit


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted line, and what each race adds to the equations that it solves.

    Attributes
    ----------
    intercept, slope
        The line; NaN where there is none: no winner, no loser, all probabilities equal, or winners and
        losers separated by a probability.
    columns
        Per race, shape (races, 5): the two derivatives of the log-likelihood at the fit, and the three
        different entries of the information matrix (intercept², intercept × slope, slope²).
    """

    intercept: float
    slope: float
    columns: Floats

    def again(self, totals: Floats) -> tuple[Floats, Floats]:
        """The line on resampled races: one Newton step from this one (Moulton, Zeger 1991).

        Parameters
        ----------
        totals
            Sums of `columns` over the races of each resample, shape (…, 5).

        Returns
        -------
        tuple
            Intercepts and slopes.
        """
        down, across = _solved(totals)
        return self.intercept + down, self.slope + across


def fit(p: Floats, win: Floats, race: NDArray[np.int64], races: int) -> Fit:
    """Fit the line by Newton's method.

    Parameters
    ----------
    p, win
        Probability and share of the win of each starter.
    race
        The number of its race, from 0.
    races
        The number of races.
    """
    import numpy as np

    kept = np.clip(p, CLIP, 1 - CLIP)
    logit = np.log(kept) - np.log1p(-kept)
    line = _newton(logit, win)
    if line is None:
        return Fit(np.nan, np.nan, np.zeros((races, 5)))
    each = _terms(logit, win, *line)
    columns = [np.bincount(race, term, races).astype(np.float64) for term in each]
    return Fit(*line, np.vstack(columns).T)


def _newton(logit: Floats, win: Floats) -> tuple[float, float] | None:
    """Newton's method from the line of right probabilities; steps that overshoot are halved."""
    import numpy as np

    if not 0 < win.sum() < len(win) or logit.min() == logit.max():
        return None
    line = np.array([0.0, 1.0])
    totals = _totals(logit, win, line)
    for _ in range(_STEPS):
        step = np.array(_solved(totals))
        if not np.isfinite(step).all() or abs(line[1]) > _STEEPEST:
            return None
        slope_here = abs(step @ totals[:2])
        while True:
            beyond = _totals(logit, win, line + step)
            # Beyond the maximum, and steeper there than here: too far.
            if step @ beyond[:2] >= -slope_here or np.abs(step).max() < _CLOSE:
                break
            step /= 2
        line, totals = line + step, beyond
        if np.abs(step).max() <= _CLOSE * (1 + np.abs(line).max()):
            return float(line[0]), float(line[1])
    return None


def _totals(logit: Floats, win: Floats, line: Floats) -> Floats:
    import numpy as np

    return np.array([term.sum() for term in _terms(logit, win, *line)])


def _terms(logit: Floats, win: Floats, intercept: float, slope: float) -> list[Floats]:
    """What each starter adds to the totals."""
    import numpy as np

    with np.errstate(over="ignore"):
        chance = 1 / (1 + np.exp(-(intercept + slope * logit)))
    miss, spread = win - chance, chance * (1 - chance)
    leaning = spread * logit
    return [miss, miss * logit, spread, leaning, leaning * logit]


def _solved(totals: Floats) -> tuple[Floats, Floats]:
    """The Newton step for totals of shape (…, 5); NaN where the information matrix is singular."""
    import numpy as np

    down, across, first, mixed, second = np.moveaxis(totals, -1, 0)
    determinant = first * second - mixed * mixed
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(determinant > 1e-14 * first * second, 1 / determinant, np.nan)
    return (second * down - mixed * across) * scale, (first * across - mixed * down) * scale
