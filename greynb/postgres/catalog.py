"""The tables and columns of a PostgreSQL database, as its own catalogue lists them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from greynb.databases.outline import Column, Table

if TYPE_CHECKING:
    import psycopg


def columns_by_table(con: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """The columns of every table and view on the search path, by name."""
    found: dict[str, list[str]] = {}
    for table, column in con.execute(
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_table_is_visible(c.oid)"
        " AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
        " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
    ):
        found.setdefault(table, []).append(column)
    return found


def outline(con: psycopg.Connection[Any]) -> list[Table]:
    """The tables and views on the search path, temporary ones too, with their columns' types."""
    rows = con.execute(
        "SELECT c.relname, CASE WHEN c.relpersistence = 't' THEN 'temporary'"
        " WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END,"
        " a.attname, format_type(a.atttypid, a.atttypmod)"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_table_is_visible(c.oid)"
        " AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
        " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
    ).fetchall()
    return [
        Table(name, kind, tuple(Column(column, declared) for _, _, column, declared in columns))
        for (name, kind), columns in groupby(rows, key=lambda row: (row[0], row[1]))
    ]
