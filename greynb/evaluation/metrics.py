"""The metrics: what each is a ratio of, and how it is resampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from greynb.evaluation.calibration import Fit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

METHODS: Final = ("model", "favourite", "uniform")


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes
    ----------
    name
        As tables have it.
    title
        For readers.
    style
        ``"share"`` and ``"return"`` are shown as percentages, the latter with a sign.
    top, bottom
        The sums of which it is the ratio; both empty for those that `values` makes otherwise.
    less
        What is taken from the ratio.
    better
        Whether ``"more"`` or ``"less"`` of it is better; empty where neither is.
    """

    name: str
    title: str
    style: Literal["share", "number", "return"]
    top: str = ""
    bottom: str = ""
    less: float = 0.0
    better: Literal["more", "less", ""] = ""


METRICS: Final = (
    Metric("top1", "winners picked", "share", "picked_won", "picked", better="more"),
    Metric("top3", "winners among the first three", "share", "three_won", "won", better="more"),
    Metric("brier", "Brier score", "number", "squared", "starters", better="less"),
    Metric("log_loss", "log loss", "number", "surprise", "starters", better="less"),
    Metric("race_log_loss", "log loss of the winner", "number", "winner_surprise", "won", better="less"),
    Metric("auc", "AUC", "number", better="more"),
    Metric("slope", "calibration slope", "number"),
    Metric("intercept", "calibration intercept", "number"),
    Metric("ece", "expected calibration error", "share", better="less"),
    Metric("roi_flat", "return, flat stakes", "return", "paid", "staked", 1.0, better="more"),
    Metric("roi_kelly", "return, Kelly stakes", "return", "kelly_paid", "kelly_staked", 1.0, better="more"),
    Metric("growth", "growth per race, Kelly", "return", "growth", "races", better="more"),
)
BY_NAME: Final = {metric.name: metric for metric in METRICS}
RATIOS: Final = tuple(metric for metric in METRICS if metric.top)
COMPARED: Final = ("top1", "top3", "brier", "log_loss", "race_log_loss", "roi_flat")
"""Metrics of which the difference to a baseline is given too."""

SUMS: Final = (
    *("starters", "won", "squared", "surprise", "winner_surprise", "picked", "picked_won", "three_won"),
    *("staked", "paid", "kelly_staked", "kelly_paid", "growth", "winners_above", "losers_under"),
)


@dataclass(frozen=True, slots=True)
class Scored:
    """One method's sums per race.

    Attributes
    ----------
    there
        Whether the method has chances in the race, shape (races,).
    sums
        The columns `SUMS`, shape (races,) each; 0 where it has none.
    fit
        Its calibration line.
    gaps
        Wins less expected wins per race and reliability bin, shape (races, bins).
    """

    there: NDArray[np.bool_]
    sums: Mapping[str, Floats]
    fit: Fit
    gaps: Floats

    def columns(self) -> Floats:
        """All that is resampled, side by side: `SUMS`, ``races``, the fit's columns, the gaps."""
        import numpy as np

        plain = [*(self.sums[name] for name in SUMS), self.there.astype(np.float64)]
        return np.vstack([*plain, self.fit.columns.T, self.gaps.T]).T

    def values(self, totals: Floats) -> dict[str, Floats]:
        """The metrics for sums of `columns`, shape (…, columns); NaN where one has no meaning."""
        import numpy as np

        named: dict[str, Any] = dict(zip((*SUMS, "races"), np.moveaxis(totals, -1, 0), strict=False))
        after = len(named)
        found = {}
        with np.errstate(divide="ignore", invalid="ignore"):
            for metric in RATIOS:
                found[metric.name] = ratio(named, metric)
            found["auc"] = self._auc(named)
            found["intercept"], found["slope"] = self.fit.again(totals[..., after : after + 5])
            found["ece"] = np.abs(totals[..., after + 5 :]).sum(axis=-1) / named["starters"]
        return found

    def _auc(self, totals: Mapping[str, Any]) -> Floats:
        """The area under the ROC curve; of resamples its first-order part (Hájek's projection).

        Both of the sums are the whole area when they are taken over all races: the mean share of losers below
        a winner, and of winners above a loser.
        """
        whole = self.sums["winners_above"].sum() / self.sums["won"].sum()
        losers = totals["starters"] - totals["won"]
        area: Floats = totals["winners_above"] / totals["won"] + totals["losers_under"] / losers - whole
        return area

    def races(self, metric: Metric) -> int:
        """In how many races there was something to measure."""
        bottom = self.sums.get(metric.bottom, self.there)
        return int((bottom > 0).sum())


def ratio(totals: Mapping[str, Floats], metric: Metric) -> Floats:
    """A metric that is a ratio of two sums."""
    return totals[metric.top] / totals[metric.bottom] - metric.less
