"""Reliability bins and bands of odds: sums per race and cell, and one number with its interval per cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from greynb.evaluation.grouping import BAND_NAMES
from greynb.evaluation.metrics import METHODS
from greynb.evaluation.resampling import Estimate, Part

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from greynb.evaluation.reading import Columns

    Floats = NDArray[np.float64]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cells:
    """What to read of a result of the SQL.

    Attributes
    ----------
    cell
        The column with the number of the cell.
    bottom, top
        The sums whose ratio is taken.
    less
        What is taken from it.
    """

    cell: str
    bottom: str
    top: str
    less: float = 0.0

    def part(self, columns: Columns, races: NDArray[Any], cells: int) -> Part:
        """The ratio by cell's number, for the cells that are not empty."""
        import numpy as np

        place = columns[self.cell], np.searchsorted(races, columns["race"])
        spread = np.zeros((2, cells, len(races)))
        spread[0][place], spread[1][place] = columns[self.bottom], columns[self.top]
        used = np.flatnonzero(spread[0].any(axis=1))

        def values(totals: Floats) -> Mapping[Any, Floats]:
            bottom, top = np.split(np.moveaxis(totals, -1, 0), 2)
            with np.errstate(divide="ignore", invalid="ignore"):
                shares = top / bottom - self.less
            return {int(cell): share for cell, share in zip(used, shares, strict=True)}

        return Part(np.vstack([spread[0][used], spread[1][used]]).T, values)

    def totals(self, columns: Columns, cells: int, name: str) -> Floats:
        """A sum by cell over all races."""
        import numpy as np

        return np.bincount(columns[self.cell], columns[name], cells).astype(np.float64)


DRAWN: Final = METHODS[:2]
"""The methods with bins and bands: equal chances have one probability per size of field, and no pick."""

BINS: Final = Cells("bin", "starters", "won")
ODDS_COLUMNS: Final = ["method", "odds", "value", "low", "high", "n"]
ODDS: Final = Cells("band", "staked", "paid", 1.0)


def of_method(columns: Columns, method: str) -> Columns:
    """The rows of one method."""
    rows = columns["method"] == METHODS.index(method)
    return {name: values[rows] for name, values in columns.items() if name != "method"}


def bin_rows(columns: Columns, found: Mapping[str, Mapping[Any, Estimate]], bins: int) -> list[Row]:
    """``method, bin, above, upto, predicted, won, low, high, n``: n is the number of starters."""
    rows = []
    for method in DRAWN:
        own = of_method(columns, method)
        starters, predicted = (BINS.totals(own, bins, name) for name in ("starters", "predicted"))
        for cell, share in found[method].items():
            edges = {"method": method, "bin": cell, "above": cell / bins, "upto": (cell + 1) / bins}
            ends = {"won": share.value, "low": share.low, "high": share.high, "n": int(starters[cell])}
            rows.append({**edges, "predicted": predicted[cell] / starters[cell], **ends})
    return rows


def odds_rows(columns: Columns, found: Mapping[str, Mapping[Any, Estimate]]) -> list[Row]:
    """``method, odds, value, low, high, n``: the return at flat stakes; n is the number of bets."""
    rows = []
    for method in DRAWN:
        bets = ODDS.totals(of_method(columns, method), len(BAND_NAMES), "staked")
        for band, share in found[method].items():
            ends = {"value": share.value, "low": share.low, "high": share.high, "n": float(bets[band])}
            rows.append({"method": method, "odds": BAND_NAMES[band], **ends})
    return rows
