"""The frames of an evaluation, from what the SQL gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from greynb.errors import UsageError
from greynb.evaluation.arguments import Arguments
from greynb.evaluation.cells import ODDS_COLUMNS
from greynb.evaluation.measuring import Row, everything, metrics, scored
from greynb.evaluation.metrics import Scored
from greynb.evaluation.reading import Columns, Read, Scores

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

MOST_GROUPS: Final = 2_000
_RACE_SUMS: Final = ("staked", "paid", "kelly_staked", "kelly_paid", "growth")


def frames(found: Read, arguments: Arguments) -> dict[str, pd.DataFrame | None]:
    """Make all frames, by the name that `greynb.evaluation.Evaluation` has for them.

    Raises
    ------
    UsageError
        There is no race to evaluate, or there are too many groups.
    """
    import pandas as pd

    if found.races.empty:
        raise UsageError(
            "there is no race to evaluate",
            detail=_reasons(found.counts),
            hint="docs/evaluation.md: what counts",
        )
    numbers = found.races["race"].to_numpy()
    methods = scored(found.overall, numbers, arguments.bins)
    measured = everything(methods, found.overall.bins, found.odds, numbers, arguments)
    return {
        "table": pd.DataFrame(measured.table),
        "differences": pd.DataFrame(measured.differences),
        "groups": _groups(found, arguments),
        "bins": pd.DataFrame(measured.bins),
        "odds": pd.DataFrame(measured.odds, columns=ODDS_COLUMNS),
        "races": _races(found, methods),
        "counts": found.counts,
    }


def _reasons(counts: pd.DataFrame) -> str:
    rows = counts[counts["of"] == "races"].itertuples()
    return "\n".join(f"  races {row.what}: {row.number:,}" for row in rows)


def _races(found: Read, methods: Mapping[str, Scored]) -> pd.DataFrame:
    import pandas as pd

    known = found.races.drop(columns="race")
    parts = []
    for name, each in methods.items():
        own = known.assign(method=name, **{sum_: each.sums[sum_] for sum_ in _RACE_SUMS})
        parts.append(own[each.there])
    return pd.concat(parts, ignore_index=True)


def _groups(found: Read, arguments: Arguments) -> pd.DataFrame | None:
    import pandas as pd

    if found.grouped is None:
        return None
    if len(found.groups) > MOST_GROUPS:
        raise UsageError(
            f"by: {arguments.by} has {len(found.groups):,} values",
            hint=f"group by something that has at most {MOST_GROUPS:,}",
        )
    rows = [
        {"group": found.groups[number], **row}
        for number, scores in _split(found.grouped, len(found.groups))
        for row in _group_rows(scores, arguments)
    ]
    return pd.DataFrame(rows)


def _group_rows(scores: Scores, arguments: Arguments) -> list[Row]:
    import numpy as np

    races = np.unique(scores.sums["race"])
    return metrics(scored(scores, races, arguments.bins), arguments).table if len(races) else []


def _split(scores: Scores, groups: int) -> Iterator[tuple[int, Scores]]:
    """The scores of each group."""
    parts = [list(_split_columns(each, groups)) for each in (scores.sums, scores.chances, scores.bins)]
    yield from ((number, Scores(*own)) for number, own in enumerate(zip(*parts, strict=True)))


def _split_columns(columns: Columns, groups: int) -> Iterator[Columns]:
    import numpy as np

    grouped: NDArray[np.int64] = columns["grouped"]
    order = np.argsort(grouped, kind="stable")
    ends = np.searchsorted(grouped[order], np.arange(groups + 1))
    ordered = {name: values[order] for name, values in columns.items() if name != "grouped"}
    for start, end in pairwise(ends):
        yield {name: values[start:end] for name, values in ordered.items()}
