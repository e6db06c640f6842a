"""From sums per race to numbers with their intervals, as tidy rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from greynb.evaluation.arguments import Arguments
from greynb.evaluation.calibration import fit
from greynb.evaluation.cells import BINS, DRAWN, ODDS, bin_rows, odds_rows, of_method
from greynb.evaluation.grouping import BAND_NAMES
from greynb.evaluation.metrics import BY_NAME, COMPARED, METHODS, METRICS, SUMS, Scored, ratio
from greynb.evaluation.resampling import Estimate, Part, estimates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from greynb.evaluation.reading import Columns, Scores

    Floats = NDArray[np.float64]

Row = dict[str, Any]
BASELINES: Final = METHODS[1:]


@dataclass(frozen=True, slots=True)
class Measured:
    """Tidy rows.

    Attributes
    ----------
    table
        ``metric, method, value, low, high, n``: n is the number of races.
    differences
        ``metric, against, difference, low, high, n``: the model less a baseline, on the races that both have.
    bins
        ``method, bin, above, upto, n, predicted, won, low, high``: n is the number of starters.
    odds
        ``method, odds, value, low, high, n``: the return at flat stakes; n is the number of bets.
    """

    table: list[Row]
    differences: list[Row] = field(default_factory=list)
    bins: list[Row] = field(default_factory=list)
    odds: list[Row] = field(default_factory=list)


def scored(scores: Scores, races: NDArray[Any], bins: int) -> dict[str, Scored]:
    """Arrange what the SQL gave by method and race.

    Parameters
    ----------
    scores
        Of these races alone.
    races
        Their numbers, ascending.
    bins
        The number of reliability bins.
    """
    return {method: _method(scores, method, races, bins) for method in METHODS}


def metrics(methods: Mapping[str, Scored], arguments: Arguments) -> Measured:
    """Take the metrics alone, as for each group."""
    found = estimates([_part(each) for each in methods.values()], arguments.resamples, arguments.seed)
    return Measured(_table(methods, dict(zip(methods, found, strict=True))))


def everything(
    methods: Mapping[str, Scored], bins: Columns, odds: Columns, races: NDArray[Any], arguments: Arguments
) -> Measured:
    """Take the metrics, the differences, the bins and the returns by odds, all on the same resamples."""
    parts = {("metrics", name): _part(each) for name, each in methods.items()}
    for baseline in BASELINES:
        parts["against", baseline] = _difference(methods["model"], methods[baseline])
    for name in DRAWN:
        parts["bins", name] = BINS.part(of_method(bins, name), races, arguments.bins)
        parts["odds", name] = ODDS.part(of_method(odds, name), races, len(BAND_NAMES))
    taken = estimates(list(parts.values()), arguments.resamples, arguments.seed)
    found: dict[str, dict[str, Mapping[Any, Estimate]]] = {}
    for (what, name), each_found in zip(parts, taken, strict=True):
        found.setdefault(what, {})[name] = each_found
    return Measured(
        _table(methods, found["metrics"]),
        _differences(methods, found["against"]),
        bin_rows(bins, found["bins"], arguments.bins),
        odds_rows(odds, found["odds"]),
    )


def _method(scores: Scores, method: str, races: NDArray[Any], bins: int) -> Scored:
    import numpy as np

    sums, chances, binned = (of_method(each, method) for each in (scores.sums, scores.chances, scores.bins))
    place = np.searchsorted(races, sums["race"])
    there = np.zeros(len(races), dtype=bool)
    there[place] = True
    cell = binned["bin"], np.searchsorted(races, binned["race"])
    gaps = _placed(binned["won"] - binned["predicted"], cell, (bins, len(races))).T
    return Scored(
        there,
        {name: _placed(sums[name], place, len(races)) for name in SUMS},
        fit(chances["p"], chances["win"], np.searchsorted(races, chances["race"]), len(races)),
        gaps,
    )


def _placed(values: NDArray[Any], place: Any, shape: Any) -> Floats:
    import numpy as np

    placed = np.zeros(shape)
    placed[place] = values
    return placed


def _part(each: Scored) -> Part:
    return Part(each.columns(), each.values)


def _table(methods: Mapping[str, Scored], found: Mapping[str, Mapping[Any, Estimate]]) -> list[Row]:
    return [
        {"metric": metric.name, "method": name, **_cells(found[name][metric.name], each.races(metric))}
        for metric in METRICS
        for name, each in methods.items()
    ]


def _cells(estimate: Estimate, n: int, value: str = "value") -> Row:
    return {value: estimate.value, "low": estimate.low, "high": estimate.high, "n": n}


_NEEDED: Final = tuple(
    dict.fromkeys(sum_ for name in COMPARED for sum_ in (BY_NAME[name].top, BY_NAME[name].bottom))
)


def _difference(model: Scored, other: Scored) -> Part:
    import numpy as np

    both = model.there & other.there

    def values(totals: Floats) -> dict[Any, Floats]:
        halves = np.moveaxis(totals, -1, 0).reshape(2, len(_NEEDED), *totals.shape[:-1])
        first, second = (dict(zip(_NEEDED, half, strict=True)) for half in halves)
        with np.errstate(divide="ignore", invalid="ignore"):
            return {name: ratio(first, BY_NAME[name]) - ratio(second, BY_NAME[name]) for name in COMPARED}

    columns = np.vstack([each.sums[sum_] * both for each in (model, other) for sum_ in _NEEDED]).T
    return Part(columns, values)


def _differences(methods: Mapping[str, Scored], found: Mapping[str, Mapping[Any, Estimate]]) -> list[Row]:
    both = {name: int((methods["model"].there & methods[name].there).sum()) for name in BASELINES}
    return [
        {"metric": metric, "against": name, **_cells(found[name][metric], both[name], "difference")}
        for metric in COMPARED
        for name in BASELINES
    ]
