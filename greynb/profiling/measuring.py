"""Measuring a profile in DuckDB: one pass for the figures, one for the bars, one for the frequent values."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from greynb.databases.identifiers import quote
from greynb.profiling.profile import ColumnProfile, Profile

Run = Callable[[str], Sequence[Sequence[Any]]]
"""Runs one statement in DuckDB and gives its rows, with None for NULL."""

EXACT_ROWS: Final = 100_000
"""Up to here, different values and quartiles are exact; beyond, DuckDB's estimates are a lot faster."""
BINS: Final = 20
COMMON: Final = 3
_TEXT: Final = 200
"""Characters of a value that are read."""

_NUMBERS: Final = frozenset(
    """
    TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT FLOAT DOUBLE
    """.split()
)
_TIMES: Final = ("DATE", "TIMESTAMP")


def measure(run: Run, table: str, source: str) -> Profile:
    """Profile a table.

    Parameters
    ----------
    run
        Runs one statement in DuckDB; what it raises is passed on.
    table
        The name of the table, unquoted.
    source
        What is profiled, for people.
    """
    begun = time.perf_counter()
    name = quote(table)
    columns = [(str(row[0]), str(row[1])) for row in run(f"DESCRIBE SELECT * FROM {name}")]
    rows = int(run(f"SELECT count(*) FROM {name}")[0][0])
    figures = _figures(run, name, columns, exact=rows <= EXACT_ROWS)
    bars = _bars(run, name, columns, figures)
    common = _common(run, name, columns)
    found = tuple(
        ColumnProfile(
            column,
            kind,
            nulls=int(each[0]),
            distinct=None if each[1] is None else int(each[1]),
            exact=rows <= EXACT_ROWS,
            low=_shown(each[2], kind),
            high=_shown(each[3], kind),
            quartiles=tuple(_shown(value, kind) for value in (each[4] if each[4] is not None else ())),
            bars=bars.get(number, ()),
            common=common.get(number, ()),
        )
        for number, ((column, kind), each) in enumerate(zip(columns, figures, strict=True))
    )
    return Profile(source, rows, found, time.perf_counter() - begun)


def _figures(run: Run, table: str, columns: Sequence[tuple[str, str]], *, exact: bool) -> list[list[Any]]:
    """NULLs, different values, smallest, largest, quartiles, and the two ends as numbers; per column."""
    asked = [_asked(quote(name), kind, exact) for name, kind in columns]
    flat = [expression for each in asked for expression in each]
    if not flat:
        return []
    (row,) = run("SELECT " + ", ".join(f"{each} AS v{at}" for at, each in enumerate(flat)) + f" FROM {table}")
    width = len(asked[0])
    return [list(row[at : at + width]) for at in range(0, len(row), width)]


def _asked(name: str, kind: str, exact: bool) -> list[str]:
    nulls = f"count(*) - count({name})"
    if not (_is_measured(kind) or _is_common(kind)):
        return [nulls, *["NULL"] * 6]
    distinct = f"count(DISTINCT {name})" if exact else f"approx_count_distinct({name})"
    ends = [f"left({each}({name})::VARCHAR, {_TEXT})" for each in ("min", "max")]
    if not _is_measured(kind):
        return [nulls, distinct, *ends, *["NULL"] * 3]
    how = "quantile_disc" if exact else "approx_quantile"
    number = _number(name, kind)
    return [
        *(nulls, distinct, *ends, f"{how}({name}, [0.25, 0.5, 0.75])::VARCHAR[]"),
        *(f"{each}({number}) FILTER (isfinite({number}))" for each in ("min", "max")),
    ]


def _bars(
    run: Run, table: str, columns: Sequence[tuple[str, str]], figures: Sequence[Sequence[Any]]
) -> dict[int, tuple[int, ...]]:
    """Count the values in equally wide parts, for each column whose ends differ; by its number."""
    asked: dict[int, str] = {}
    for at, ((name, kind), each) in enumerate(zip(columns, figures, strict=True)):
        if each[5] is None or not math.isfinite(float(each[6]) - float(each[5])):
            continue
        low, high = float(each[5]), float(each[6])
        width = (high - low) / BINS
        if width > 0:
            number = _number(quote(name), kind)
            part = f"least(floor(({number} - {low!r}) / {width!r}), {BINS - 1})::INTEGER"
            asked[at] = f"map_entries(histogram({part}) FILTER (isfinite({number}))) AS v{at}"
    if not asked:
        return {}
    (row,) = run(f"SELECT {', '.join(asked.values())} FROM {table}")
    return {at: _counted(entries) for at, entries in zip(asked, row, strict=True)}


def _counted(entries: Any) -> tuple[int, ...]:
    found = {int(each["key"]): int(each["value"]) for each in entries}
    return tuple(found.get(part, 0) for part in range(BINS))


def _common(
    run: Run, table: str, columns: Sequence[tuple[str, str]]
) -> dict[int, tuple[tuple[str, int], ...]]:
    """Find the most frequent values of texts and booleans; by the column's number."""
    parts = [
        f"(SELECT {at} AS c, left({quote(name)}::VARCHAR, {_TEXT}) AS v, count(*) AS n FROM {table}"
        f" WHERE {quote(name)} IS NOT NULL GROUP BY {quote(name)} ORDER BY n DESC, v LIMIT {COMMON})"
        for at, (name, kind) in enumerate(columns)
        if _is_common(kind)
    ]
    found: dict[int, list[tuple[str, int]]] = {}
    together = f"SELECT c, v, n FROM ({' UNION ALL '.join(parts)}) AS s ORDER BY c, n DESC, v"
    for at, value, count in run(together) if parts else ():
        found.setdefault(int(at), []).append((str(value), int(count)))
    return {at: tuple(values) for at, values in found.items()}


def _is_measured(kind: str) -> bool:
    return kind in _NUMBERS or kind.startswith(("DECIMAL", *_TIMES))


def _is_common(kind: str) -> bool:
    return kind in ("VARCHAR", "BOOLEAN", "UUID") or kind.startswith("ENUM")


def _number(name: str, kind: str) -> str:
    """A value as a finite or infinite DOUBLE; times as seconds since 1970."""
    return f"epoch({name})::DOUBLE" if kind.startswith(_TIMES) else f"{name}::DOUBLE"


def _shown(value: Any, kind: str) -> str:
    """A value as people write it: numbers without the noise of binary fractions, midnights without time."""
    if value is None:
        return ""
    text = str(value)
    if kind in ("FLOAT", "DOUBLE"):
        return f"{float(text):.6g}"
    return text.removesuffix(" 00:00:00")
