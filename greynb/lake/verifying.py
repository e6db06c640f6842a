"""Comparing what users of a lake read with staging as it is now, by content hash and then by rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb

from greynb.databases.generations import generation_at
from greynb.databases.identifiers import literal, quote
from greynb.databases.mirrored import Contents
from greynb.databases.relations import first_line, stop_if_interrupted
from greynb.errors import PublishError
from greynb.lake.applying import COPY
from greynb.lake.contents import read_contents
from greynb.lake.publishing import copy_of
from greynb.lake.rowsums import columns_of, row_sum, rows_of
from greynb.lake.silence import reading
from greynb.lake.snapshots import snapshots, table_at, tables_at
from greynb.lake.storage import is_gone, trouble
from greynb.publish.merging import RowDifference
from greynb.publish.publication import sync
from greynb.publish.steps import Progress, Steps
from greynb.publish.verification import PLANNED, TableComparison, Verification
from greynb.routing import Server

if TYPE_CHECKING:
    from greynb.publish.source import Place

_SHOWN: Final = 5


def verify(source: Place, lake: Server, *, progress: Progress | None = None) -> Verification:
    """Compare staging as it is now with the newest version of a lake.

    Staging is held still as the publisher's own copy, which is brought up to date for this.

    Parameters
    ----------
    source
        The SQLite file, or the server.
    lake
        The lake.
    progress
        Told the step's name and the fraction of it that is done; may raise to stop.

    Raises
    ------
    DatabaseError, PublishError
        One of the two cannot be read.
    """
    copy = copy_of(source)
    copy.parent.mkdir(parents=not isinstance(source, Path), exist_ok=True)
    sync(source, copy, layout="generations", progress=progress)
    generation = generation_at(copy)
    mirror = generation.mirror() if generation else None
    if mirror is None:
        raise PublishError("staging could not be copied to columns, in which it is compared", path=copy)
    steps = Steps(progress)
    with reading(lake) as con:
        con.execute(f"ATTACH {literal(str(mirror))} AS {quote(COPY)} (READ_ONLY)")
        found = snapshots(con, lake)
        planned = _by_plan(con)
        with steps.step("compare") as told:
            tables = _tables(con, lake, found[0].number, planned, told)
    notices = (PLANNED,) if planned else ()
    return Verification(source, lake, found[0].id, tables, (), notices)


def _by_plan(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether a plan made what the lake holds, be it by a rollback."""
    try:
        contents = read_contents(con)
    except ValueError:  # of another version of greynb
        return False
    return contents is not None and contents.base.get("mode") == "etl"


def _tables(
    con: duckdb.DuckDBPyConnection,
    lake: Server,
    number: int,
    planned: bool,
    told: Callable[[float], None],
) -> tuple[TableComparison, ...]:
    contents = Contents.read(con, COPY)
    shown = contents.shown
    here = {shown[name]: each for name, each in contents.tables.items() if not each.unstored}
    there = set(tables_at(con, number))
    names = sorted({*here, *there})
    found = []
    for done, name in enumerate(names):
        told(done / len(names))
        if name not in there:
            found.append(TableComparison(name, "missing"))
        elif name not in here:
            found.append(TableComparison(name, "extra"))
        else:
            found.append(_compared(con, lake, name, here[name].key, number))
    if planned:
        found = [each.by_plan() for each in found]
    return tuple(found)


def _compared(
    con: duckdb.DuckDBPyConnection, server: Server, name: str, key: str | None, number: int
) -> TableComparison:
    copy = f"{COPY}.main.{quote(name)}"
    lake = table_at(name, number)
    columns = columns_of(con, copy)
    staging = row_sum(con, copy, columns)
    try:
        if columns_of(con, lake) != columns:
            return TableComparison(name, "different", "its columns or their types differ", rows_of(staging))
        analytics = row_sum(con, lake, columns)
    except duckdb.Error as error:
        stop_if_interrupted(error)
        failed = trouble(error, server)
        if failed is not None and not is_gone(error):
            raise failed from None  # as it would be for every other table
        said = failed.message if failed else first_line(error)
        return TableComparison(name, "unreadable", said, rows_of(staging))
    counts = rows_of(staging), rows_of(analytics)
    if staging == analytics:
        return TableComparison(name, "equal", "", *counts)
    return TableComparison(name, "different", "", *counts, _differing(con, copy, lake, key, columns))


def _differing(
    con: duckdb.DuckDBPyConnection, copy: str, lake: str, key: str | None, columns: list[tuple[str, str]]
) -> tuple[RowDifference, ...]:
    """The first rows that differ, by key; of a table without one, rows that only one side has."""
    names = [name for name, _ in columns]
    order = quote(key) if key else "ALL"

    def only(one: str, two: str) -> dict[Any, tuple[Any, ...]]:
        rows = con.execute(
            f"FROM (FROM {one} EXCEPT ALL FROM {two}) ORDER BY {order} LIMIT {_SHOWN}"
        ).fetchall()
        place = names.index(key) if key else 0
        return {row[place] if key else number: row for number, row in enumerate(rows)}

    here, there = only(copy, lake), only(lake, copy)
    found: list[RowDifference] = []
    for value in sorted({*here, *there})[:_SHOWN]:
        one, two = here.get(value), there.get(value)
        label = f"rowid = {value}" if key else f"row {one or two}"
        if one and two and key:
            differ = tuple(
                (name, a, b) for name, a, b in zip(names, one, two, strict=True) if a != b and name != key
            )
            found.append(RowDifference(label, "changed", differ))
            continue
        found += [RowDifference(label, "only in staging")] if one else []
        found += [RowDifference(label, "only in analytics")] if two else []
    return tuple(found[:_SHOWN])
