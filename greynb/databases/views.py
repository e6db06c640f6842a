"""The SELECT behind each typed view: a direct scan, SQLite's own text, or both joined by rowid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import duckdb

from greynb.databases.census import source
from greynb.databases.columns import ColumnPlan, plan, unique_names
from greynb.databases.declared import scanned_as
from greynb.databases.identifiers import fold, literal, quote
from greynb.databases.relations import REFUSALS, Run, TableCensus, run_inside, stop_if_interrupted

JOIN_COSTS = 3  # a join by rowid takes about as long as bringing over this many more columns as text


def provisional_view(alias: str, table: TableCensus) -> str:
    """Select everything as SQLite's plain text: the view of a table that no statement has named yet."""
    names = unique_names(column.name for column in table.columns)
    shown = ", ".join(f"c{number} AS {quote(name)}" for number, name in enumerate(names))
    fetched = ", ".join(f"c{number}" for number in range(len(names)))
    return f"SELECT {shown} FROM {_query(alias, f'{source(table)}SELECT {fetched} FROM __s')}"


def refusing_view(table: TableCensus) -> str:
    """Select nothing and say why: the view of a relation that SQLite itself cannot read."""
    message = literal(f"SQLite cannot read {table.name}: {table.problem}")
    return f"SELECT problem FROM (SELECT error({message} || coalesce(i::VARCHAR, '')) AS problem" + (
        " FROM (SELECT NULL::BIGINT AS i UNION ALL SELECT NULL)) WHERE problem IS NOT NULL"
    )


def typed_views(con: duckdb.DuckDBPyConnection, alias: str, table: TableCensus) -> Iterator[str]:
    """Offer the ways to read a table with its types, the fastest first and the one that always works last.

    Parameters
    ----------
    con
        Where the file is attached; used to see what a direct scan would give.
    alias
        The name under which it is attached.
    table
        The census of the table.
    """
    direct = scannable(con, alias, table)
    missing = len(table.columns) - len(direct)
    run = partial(run_inside, con, alias)
    if missing == 0 or (missing + JOIN_COSTS < len(table.columns) and has_rowid(run, table)):
        yield scanning(alias, table, direct)
    statement, shown = as_text(table)
    yield f"SELECT {shown} FROM {_query(alias, statement)} AS w"


def scanning(alias: str, table: TableCensus, direct: set[int], *, key: str | None = None) -> str:
    """Scan the columns that a scan gives exactly; fetch the rest as text, and join by rowid.

    Parameters
    ----------
    alias
        The name under which the file is attached.
    table
        The census of the table, which `has_rowid` if any column is not scanned.
    direct
        From `scannable`.
    key
        A name for the rowid as first column; without one it is left out.
    """
    plans = _plans(table)
    shown, scan = _key("d.rowid", key) + _shown(plans, direct, "d"), f"{_table(alias, table)} AS d"
    if len(direct) == len(plans):
        return f"SELECT {shown} FROM {scan}"
    fetched = "".join(f", {_transported(n, each)}" for n, each in enumerate(plans) if n not in direct)
    statement = f"{_keyed(table, plans)}SELECT k{fetched} FROM __s ORDER BY k"
    return f"SELECT {shown} FROM {scan} JOIN {_query(alias, statement)} AS w ON d.rowid = CAST(w.k AS BIGINT)"


def as_text(
    table: TableCensus, *, key: str | None = None, spans: Iterable[tuple[int, int]] | None = None
) -> tuple[str, str]:
    """Read all columns as SQLite's own text, which always works.

    Parameters
    ----------
    table
        The census of the table.
    key
        A name for the rowid as first column; without one it is left out.
    spans
        With a key: ranges of rowids, both ends included, to which to keep.

    Returns
    -------
    tuple
        The statement for SQLite, all of whose columns are text, and what to select from its rows, called w.
    """
    plans = _plans(table)
    start = source(table) if key is None else _keyed(table, plans, spans)
    fetched = ", ".join(_transported(n, each) for n, each in enumerate(plans))
    statement = f"{start}SELECT {'CAST(k AS TEXT) AS k, ' if key else ''}{fetched} FROM __s"
    return statement, _key("CAST(w.k AS BIGINT)", key) + _shown(plans, set(), "w")


def has_rowid(run: Run, table: TableCensus) -> bool:
    """Whether both engines know the rowid of a table by that name, beside all of its columns."""
    if table.kind != "table" or _names_rowid(table):
        return False
    try:
        run(f"SELECT 1 AS x FROM (SELECT rowid, * FROM {quote(table.name)} LIMIT 0)")
    except REFUSALS as error:
        stop_if_interrupted(error)
        return False
    return True


def scannable(con: duckdb.DuckDBPyConnection, alias: str, table: TableCensus) -> set[int]:
    """Find the columns that a direct scan gives exactly; generated columns, for one, are not in it."""
    # DuckDB asks for the rowid to count rows and to find them again, and would get a column of that name.
    if table.kind != "table" or _names_rowid(table):
        return set()
    try:
        rows = con.execute(f"DESCRIBE SELECT * FROM {_table(alias, table)}").fetchall()
    except duckdb.Error as error:
        stop_if_interrupted(error)
        return set()
    given = {str(row[0]): str(row[1]) for row in rows}
    return {
        number
        for number, (column, each) in enumerate(zip(table.columns, _plans(table), strict=True))
        if each.direct is not None and given.get(column.name) == scanned_as(column.declared)
    }


def _names_rowid(table: TableCensus) -> bool:
    return any(fold(column.name) == "rowid" for column in table.columns)


def _keyed(
    table: TableCensus, plans: Sequence[ColumnPlan], spans: Iterable[tuple[int, int]] | None = None
) -> str:
    """Write the start of a SQLite statement that names rowid and columns k, c0, c1, … in a source __s."""
    names = ", ".join(["k", *(f"c{number}" for number in range(len(plans)))])
    if spans is None:
        return f"WITH __s({names}) AS (SELECT rowid, * FROM {quote(table.name)}) "
    ranges = ", ".join(f"({low}, {high})" for low, high in spans)
    rows = f"SELECT t.rowid, t.* FROM __r AS r CROSS JOIN {quote(table.name)} AS t"
    return (
        f"WITH __r(low, high) AS (VALUES {ranges}),"
        f" __s({names}) AS ({rows} WHERE t.rowid BETWEEN r.low AND r.high) "
    )


def _transported(number: int, plan: ColumnPlan) -> str:
    return f"{plan.transport.format(c=f'c{number}')} AS c{number}"


def _plans(table: TableCensus) -> list[ColumnPlan]:
    names = unique_names(column.name for column in table.columns)
    return [plan(column, name) for column, name in zip(table.columns, names, strict=True)]


def _key(value: str, name: str | None) -> str:
    return f"{value} AS {quote(name)}, " if name else ""


def _shown(plans: Sequence[ColumnPlan], direct: set[int], scan: str) -> str:
    shown = []
    for number, each in enumerate(plans):
        if number in direct and each.direct is not None:
            value = each.direct.format(x=f"{scan}.{quote(each.name)}".replace("{", "{{").replace("}", "}}"))
        else:
            value = each.read.format(x=f"w.c{number}")
        shown.append(f"{value} AS {quote(each.name)}")
    return ", ".join(shown)


def _table(alias: str, table: TableCensus) -> str:
    return f"{quote(alias)}.main.{quote(table.name)}"


def _query(alias: str, statement: str) -> str:
    return f"sqlite_query({literal(alias)}, {literal(statement)})"
