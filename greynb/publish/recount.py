"""The census of a changed table from that of the version before: what went is taken off, what came is added.

Counts add up; the smallest and the largest integer, and whether all text is valid, do not always. Where they
might have gone with a row, the whole table is counted again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Final

from greynb.databases.census import ColumnCensus, Run, TableCensus, count, source
from greynb.databases.declared import is_boolean, is_dated, usual_storage
from greynb.databases.identifiers import quote
from greynb.publish.rowsums import RANGES, Spans, ranged, rowid_name

_CLASSES: Final = ("integers", "reals", "texts", "blobs")
_ADDED: Final = ("nulls", *_CLASSES, "dates", "stamps")


def recount(
    old: sqlite3.Connection, new: sqlite3.Connection, before: TableCensus, listed: TableCensus, spans: Spans
) -> TableCensus | None:
    """Count what a table holds now, reading only the rows in ranges of rowids; None where that will not do.

    Parameters
    ----------
    old, new
        The two versions.
    before
        The table's census in the old version.
    listed
        The table as `list_relations` lists it in the new one.
    spans
        Ranges with both ends included that hold every row that differs.
    """
    if before.problem or before.rows is None or len(before.columns) != len(listed.columns):
        return None
    gone, come = (_within(con, listed, spans) for con in (old, new))
    if gone is None or come is None:
        return None
    columns = []
    for number, parts in enumerate(zip(before.columns, gone.columns, come.columns, strict=True)):
        merged = _merged(*parts, partial(_holds, new, listed, number))
        if merged is None:
            return None
        columns.append(merged)
    rows = before.rows - (gone.rows or 0) + (come.rows or 0)
    return replace(listed, rows=rows, columns=tuple(columns))


def _within(con: sqlite3.Connection, table: TableCensus, spans: Spans) -> TableCensus | None:
    """The census of the rows in ranges; None where they cannot be counted."""
    with _shadowed(con, table.name, spans) as run:
        found = count(run, table) if run else None
    return None if found is None or found.problem else found


@contextmanager
def _shadowed(con: sqlite3.Connection, table: str, spans: Spans) -> Iterator[Run | None]:
    """Let the table's name stand for its rows in ranges: a temporary view comes before the table itself."""
    rowid, name = rowid_name(con, table), quote(table)
    if rowid is None or f"temp.{name}".lower() == RANGES:
        yield None
        return
    with ranged(con, spans):
        con.execute(
            f"CREATE TEMP VIEW {name} AS SELECT t.* FROM {RANGES} AS r"
            f" CROSS JOIN main.{name} AS t WHERE t.{rowid} BETWEEN r.low AND r.high"
        )
        try:
            yield lambda sql: con.execute(sql).fetchall()
        finally:
            con.execute(f"DROP VIEW temp.{name}")


def _holds(con: sqlite3.Connection, table: TableCensus, number: int, value: int) -> bool:
    """Whether a column holds an integer, which is soon found if it is a frequent one."""
    c = f"c{number}"
    sql = f"SELECT 1 FROM __s WHERE {c} = ? AND typeof({c}) = 'integer' LIMIT 1"
    return con.execute(source(table) + sql, (value,)).fetchone() is not None


def _merged(
    before: ColumnCensus, gone: ColumnCensus, come: ColumnCensus, holds: Callable[[int], bool]
) -> ColumnCensus | None:
    """The census of a column, as one pass over all rows would give it; None where it needs that pass."""
    if before.encoding == "invalid":
        return None
    counts = {name: getattr(before, name) - getattr(gone, name) + getattr(come, name) for name in _ADDED}
    column = replace(before, **counts, low=None, high=None, encoding=come.encoding)
    filled = sum(counts[name] for name in _CLASSES)
    closer = is_boolean(column.declared) or is_dated(column.declared)
    pure = counts[f"{usual_storage(column.declared)}s"] == filled
    if (pure and not (filled and closer)) or not column.integers:
        return column
    bounds = _bounds(before, gone, come, holds)
    return None if bounds is None else replace(column, low=bounds[0], high=bounds[1])


def _bounds(
    before: ColumnCensus, gone: ColumnCensus, come: ColumnCensus, holds: Callable[[int], bool]
) -> tuple[int, int] | None:
    """The smallest and the largest integer; None where they may have gone or were not looked at."""
    known = [each for each in (before, come) if each.integers]
    if any(each.low is None or each.high is None for each in (*known, *([gone] if gone.integers else []))):
        return None
    low = min(each.low for each in known if each.low is not None)
    high = max(each.high for each in known if each.high is not None)
    if gone.integers and not _still_there(before, gone, come) and not (holds(low) and holds(high)):
        return None
    return low, high


def _still_there(before: ColumnCensus, gone: ColumnCensus, come: ColumnCensus) -> bool:
    """Whether the bounds of the table hold although rows went: none was at a bound, or one as far came."""
    assert before.low is not None and before.high is not None and gone.low is not None
    assert gone.high is not None
    low_stays = gone.low > before.low or (come.low is not None and come.low <= before.low)
    high_stays = gone.high < before.high or (come.high is not None and come.high >= before.high)
    return low_stays and high_stays
