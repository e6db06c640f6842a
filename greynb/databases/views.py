"""The SELECT behind each typed view: a direct scan, SQLite's own text, or both joined by rowid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    names = unique_names(column.name for column in table.columns)
    plans = [plan(column, name) for column, name in zip(table.columns, names, strict=True)]
    direct = _scannable(con, alias, table, plans)
    if len(direct) == len(plans):
        yield f"SELECT {_shown(plans, direct, 'd')} FROM {_table(alias, table)} AS d"
    elif len(plans) - len(direct) + JOIN_COSTS < len(plans) and _has_rowid(con, alias, table):
        yield _joined(alias, table, plans, direct)
    fetched = ", ".join(f"{each.transport.format(c=f'c{n}')} AS c{n}" for n, each in enumerate(plans))
    statement = f"{source(table)}SELECT {fetched} FROM s"
    yield f"SELECT {_shown(plans, set(), 'w')} FROM {_query(alias, statement)} AS w"


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


def _has_rowid(con: duckdb.DuckDBPyConnection, alias: str, table: TableCensus) -> bool:
    if any(fold(column.name) == "rowid" for column in table.columns):
        return False
    try:
        con.execute(f"SELECT * FROM {_query(alias, f'SELECT rowid FROM {quote(table.name)} LIMIT 0')}")
    except duckdb.Error as error:
        stop_if_interrupted(error)
        return False
    return True


def _joined(alias: str, table: TableCensus, plans: Sequence[ColumnPlan], direct: set[int]) -> str:
    """Scan what can be scanned, fetch the rest as text, and join by rowid."""
    fetched = "".join(
        f", {each.transport.format(c=f'c{n}')} AS c{n}" for n, each in enumerate(plans) if n not in direct
    )
    names = ", ".join(f"c{number}" for number in range(len(plans)))
    statement = (
        f"WITH s(k, {names}) AS (SELECT rowid, * FROM {quote(table.name)})"
        f" SELECT k{fetched} FROM s ORDER BY k"
    )
    return (
        f"SELECT {_shown(plans, direct, 'd')} FROM {_table(alias, table)} AS d"
        f" JOIN {_query(alias, statement)} AS w ON d.rowid = CAST(w.k AS BIGINT)"
    )


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
