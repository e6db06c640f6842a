"""The SELECT behind each typed view: a direct scan, SQLite's own text, or both joined by rowid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import duckdb

from greynb.databases.census import source
from greynb.databases.columns import ColumnPlan, plan, unique_names
from greynb.databases.declared import scanned_as
from greynb.databases.identifiers import fold, literal, quote
from greynb.databases.relations import TableCensus, stop_if_interrupted

JOIN_COSTS = 3  # a join by rowid takes about as long as bringing over this many more columns as text


def provisional_view(alias: str, table: TableCensus) -> str:
    """Select everything as SQLite's plain text: the view of a table that no statement has named yet."""
    names = unique_names(column.name for column in table.columns)
    shown = ", ".join(f"c{number} AS {quote(name)}" for number, name in enumerate(names))
    fetched = ", ".join(f"c{number}" for number in range(len(names)))
    return f"SELECT {shown} FROM {_query(alias, f'{source(table)}SELECT {fetched} FROM s')}"


def refusing_view(table: TableCensus) -> str:
    """Select nothing and say why: the view of a relation that SQLite itself cannot read."""
    message = literal(f"SQLite cannot read {table.name}: {table.problem}")
    return f"SELECT problem FROM (SELECT error({message} || coalesce(i::VARCHAR, '')) AS problem" + (
        " FROM (SELECT NULL::BIGINT AS i UNION ALL SELECT NULL)) WHERE problem IS NOT NULL"
    )


def typed_views(
    con: duckdb.DuckDBPyConnection, alias: str, table: TableCensus, *, key: str | None = None
) -> Iterator[str]:
    """Offer the ways to read a table with its types, the fastest first and the one that always works last.

    Parameters
    ----------
    con
        Where the file is attached; used to see what a direct scan would give.
    alias
        The name under which it is attached.
    table
        The census of the table.
    key
        A name for the rowid as first column, of a table that `has_rowid`; without one it is left out.
    """
    plans = _plans(table)
    direct = _scannable(con, alias, table, plans)
    if len(direct) == len(plans):
        yield f"SELECT {_key('d.rowid', key)}{_shown(plans, direct, 'd')} FROM {_table(alias, table)} AS d"
    elif len(plans) - len(direct) + JOIN_COSTS < len(plans) and (key or has_rowid(con, alias, table)):
        yield _joined(alias, table, plans, direct, key)
    if key is None:
        yield _from_text(alias, plans, source(table), None)
    else:
        rows = f"SELECT rowid, * FROM {quote(table.name)}"
        yield _from_text(alias, plans, f"WITH s(k, {_numbered(plans)}) AS ({rows}) ", key)


def rows_within(alias: str, table: TableCensus, key: str, spans: Iterable[tuple[int, int]]) -> str:
    """Select the rows of a table in ranges of rowids (both ends included), typed and with their key."""
    plans = _plans(table)
    ranges = ", ".join(f"({low}, {high})" for low, high in spans)
    rows = (
        f"SELECT t.rowid, t.* FROM r CROSS JOIN {quote(table.name)} AS t"
        " WHERE t.rowid BETWEEN r.low AND r.high"
    )
    start = f"WITH r(low, high) AS (VALUES {ranges}), s(k, {_numbered(plans)}) AS ({rows}) "
    return _from_text(alias, plans, start, key)


def has_rowid(con: duckdb.DuckDBPyConnection, alias: str, table: TableCensus) -> bool:
    """Whether both engines know the rowid of a table by that name, beside all of its columns."""
    if table.kind != "table" or any(fold(column.name) == "rowid" for column in table.columns):
        return False
    try:
        statement = f"SELECT 1 AS x FROM (SELECT rowid, * FROM {quote(table.name)} LIMIT 0)"
        con.execute(f"SELECT * FROM {_query(alias, statement)}")
    except duckdb.Error as error:
        stop_if_interrupted(error)
        return False
    return True


def _scannable(
    con: duckdb.DuckDBPyConnection, alias: str, table: TableCensus, plans: Sequence[ColumnPlan]
) -> set[int]:
    """Find the columns that a direct scan gives exactly; generated columns, for one, are not in it."""
    if table.kind != "table":
        return set()
    try:
        rows = con.execute(f"DESCRIBE SELECT * FROM {_table(alias, table)}").fetchall()
    except duckdb.Error as error:
        stop_if_interrupted(error)
        return set()
    given = {str(row[0]): str(row[1]) for row in rows}
    return {
        number
        for number, (column, each) in enumerate(zip(table.columns, plans, strict=True))
        if each.direct is not None and given.get(column.name) == scanned_as(column.declared)
    }


def _joined(
    alias: str, table: TableCensus, plans: Sequence[ColumnPlan], direct: set[int], key: str | None
) -> str:
    """Scan what can be scanned, fetch the rest as text, and join by rowid."""
    fetched = "".join(
        f", {each.transport.format(c=f'c{n}')} AS c{n}" for n, each in enumerate(plans) if n not in direct
    )
    statement = (
        f"WITH s(k, {_numbered(plans)}) AS (SELECT rowid, * FROM {quote(table.name)})"
        f" SELECT k{fetched} FROM s ORDER BY k"
    )
    return (
        f"SELECT {_key('d.rowid', key)}{_shown(plans, direct, 'd')} FROM {_table(alias, table)} AS d"
        f" JOIN {_query(alias, statement)} AS w ON d.rowid = CAST(w.k AS BIGINT)"
    )


def _from_text(alias: str, plans: Sequence[ColumnPlan], start: str, key: str | None) -> str:
    """Read all columns as SQLite's own text; `start` names them c0, c1, … and the rowid k in a source s."""
    fetched = ", ".join(f"{each.transport.format(c=f'c{n}')} AS c{n}" for n, each in enumerate(plans))
    query = _query(alias, f"{start}SELECT {'k, ' if key else ''}{fetched} FROM s")
    return f"SELECT {_key('CAST(w.k AS BIGINT)', key)}{_shown(plans, set(), 'w')} FROM {query} AS w"


def _plans(table: TableCensus) -> list[ColumnPlan]:
    names = unique_names(column.name for column in table.columns)
    return [plan(column, name) for column, name in zip(table.columns, names, strict=True)]


def _numbered(plans: Sequence[ColumnPlan]) -> str:
    return ", ".join(f"c{number}" for number in range(len(plans)))


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
