"""Storing one table in the mirror: the quick way if it proves exact, else the careful one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import duckdb

from greynb.databases.census import count
from greynb.databases.collation import collation_notices
from greynb.databases.columns import choose, unique_names
from greynb.databases.identifiers import quote
from greynb.databases.mirrored import MirrorTable
from greynb.databases.relations import REFUSALS, TableCensus, first_line, stop_if_interrupted
from greynb.databases.views import as_text, has_rowid, scannable, scanning
from greynb.mirror.guess import guess, is_certain, settle
from greynb.mirror.sources import ALIAS, Source, Streamed
from greynb.mirror.volatile import changes_by_itself
from greynb.mirror.workshop import place

LONGEST: Final = 30.0
"""Seconds that a view may take before it is left to SQLite."""
MOST_ROWS: Final = 5_000_000
"""Rows of a view that are stored at most."""
_MAYBE: Final = "Has Unicode: true"
_KEY: Final = "greynb_rowid"


def store(
    source: Source,
    con: duckdb.DuckDBPyConnection,
    table: TableCensus,
    name: str,
    known: TableCensus | None = None,
) -> MirrorTable:
    """Copy a table into the mirror.

    Parameters
    ----------
    source
        The SQLite file.
    con
        A cursor of the workshop.
    table
        As it is listed.
    name
        What it is called in the mirror.
    known
        Its census, where that has been taken already.
    """
    if table.problem:
        return MirrorTable(table, unstored=table.problem)
    run = partial(source.run, con)
    key = key_name(table) if has_rowid(run, table) else None
    census = _stored(source, con, table, name, key, known)
    if census is None:
        return MirrorTable(table, unstored=f"{table.name} cannot be copied")
    if census.problem:
        return MirrorTable(census, unstored=census.problem)
    return MirrorTable(census, key, tuple(collation_notices(run, census, name)))


def store_view(
    source: Streamed, con: duckdb.DuckDBPyConnection, table: TableCensus, name: str
) -> MirrorTable:
    """Copy the rows that SQLite gives for a view or a virtual table, unless they are not for keeping.

    Parameters
    ----------
    source
        The SQLite file, with the time that reading may take.
    con, table, name
        As for `store`.
    """
    if table.problem:
        return MirrorTable(table, unstored=table.problem)
    try:
        with source.opened() as sqlite:
            volatile = changes_by_itself(sqlite, table.name)
        if volatile:
            return MirrorTable(table, unstored="its rows depend on the time or on chance")
        most = f"SELECT count(*) AS n FROM (SELECT 1 FROM {quote(table.name)} LIMIT {MOST_ROWS + 1})"
        if int(str(source.run(con, most)[0][0])) > MOST_ROWS:
            return MirrorTable(table, unstored=f"it has more than {MOST_ROWS:,} rows")
        found = store(source, con, table, name)
    except REFUSALS as error:
        if not source.is_late:
            stop_if_interrupted(error)
        found = MirrorTable(table, unstored=first_line(error))
    if found.unstored and source.is_late:
        return MirrorTable(table, unstored=f"it takes more than {LONGEST:.0f} s")
    return found


def key_name(table: TableCensus) -> str:
    """A name for the column of rowids that no column has."""
    *_, name = unique_names([*(column.name for column in table.columns), _KEY])
    return name


def _stored(
    source: Source,
    con: duckdb.DuckDBPyConnection,
    table: TableCensus,
    name: str,
    key: str | None,
    known: TableCensus | None,
) -> TableCensus | None:
    """Try one way after the other until the mirror holds what its census says."""
    for census, select, guessed in _ways(source, con, table, key, known):
        if census.problem:
            return census
        try:
            con.execute(f"CREATE OR REPLACE TABLE {place(name)} AS {select}")
            rows, *filled = filled_rows(con, census, name)
        except REFUSALS as error:
            stop_if_interrupted(error)
            continue
        except UnicodeDecodeError:  # DuckDB's message quotes a value that is not text
            continue
        if guessed:
            if not _is_unicode(con, census, name):
                continue
            census = settle(census, filled)
        if agrees(census, rows, filled):
            return census
    con.execute(f"DROP TABLE IF EXISTS {place(name)}")
    return None


def _ways(
    source: Source,
    con: duckdb.DuckDBPyConnection,
    table: TableCensus,
    key: str | None,
    known: TableCensus | None,
) -> Iterator[tuple[TableCensus, str, bool]]:
    """Offer a census, the SELECT that goes with it, and whether it is a guess; what costs least first."""
    run = partial(source.run, con)
    first = (known or guess(run, table)) if source.scans and table.kind == "table" else None
    if first is not None and not first.problem:
        direct = scannable(con, ALIAS, first)
        every = range(len(table.columns))
        if (key or len(direct) == len(every)) and all(
            number in direct for number in every if is_certain(table.columns[number].declared)
        ):
            yield first, scanning(ALIAS, first, direct, key=key), known is None
    counted = known if known and not source.scans else count(run, table)
    direct = scannable(con, ALIAS, counted) if source.scans and not counted.problem else set()
    if len(direct) == len(counted.columns):
        yield counted, scanning(ALIAS, counted, direct, key=key), False
    statement, shown = as_text(counted, key=key)
    yield counted, f"SELECT {shown} FROM {source.rows(con, statement)} AS w", False


def _is_unicode(con: duckdb.DuckDBPyConnection, table: TableCensus, name: str) -> bool:
    """Whether all texts of a stored table are valid UTF-8.

    DuckDB looks at each text only until it has seen one that is valid and not ASCII; its statistics say of a
    column whether it has.
    """
    names = unique_names(column.name for column in table.columns)
    texts = [own for own, column in zip(names, table.columns, strict=True) if choose(column) == "VARCHAR"]
    if not texts:
        return True
    asked = ", ".join(f"stats({quote(column)})" for column in texts)
    found = con.execute(f"SELECT {asked} FROM {place(name)} LIMIT 1").fetchall()
    doubtful = [own for row in found for own, said in zip(texts, row, strict=True) if _MAYBE in said]
    if not doubtful:
        return True
    read = ", ".join(f"count(decode(encode({quote(column)})))" for column in doubtful)
    try:
        con.execute(f"SELECT {read} FROM {place(name)}").fetchall()
    except duckdb.ConversionException:
        return False
    return True


def filled_rows(con: duckdb.DuckDBPyConnection, table: TableCensus, name: str) -> Sequence[int]:
    """The number of rows in the mirror, and per column of those that are not NULL."""
    names = unique_names(column.name for column in table.columns)
    counts = ", ".join(f"count({quote(column)})" for column in names)
    (found,) = con.execute(f"SELECT count(*), {counts} FROM {place(name)}").fetchall()
    return [int(number) for number in found]


def agrees(table: TableCensus, rows: int, filled: Sequence[int]) -> bool:
    """Whether a census says of rows and NULLs what `filled_rows` counted."""
    return rows == table.rows and [each.nulls for each in table.columns] == [rows - n for n in filled]
