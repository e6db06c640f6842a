"""The tables and columns of a PostgreSQL database, as its own catalogue lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from greynb.databases.outline import Column, Table

if TYPE_CHECKING:
    import psycopg

_COLUMNS: Final = """
    SELECT c.relname, c.relkind::text, c.relpersistence = 't', a.attname,
        format_type(a.atttypid, a.atttypmod)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_table_is_visible(c.oid)
        AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
        AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relpersistence = 't', c.relname, a.attnum
"""
_FUNCTIONS: Final = """
    SELECT proname::text,
        CASE WHEN prokind = 'a' THEN 'aggregate' WHEN prokind = 'w' THEN 'window'
            WHEN proretset THEN 'table' ELSE 'scalar' END,
        '(' || pg_get_function_arguments(oid) || ') → ' || pg_get_function_result(oid),
        coalesce(obj_description(oid, 'pg_proc'), '')
    FROM pg_proc
    WHERE prokind IN ('f', 'a', 'w') AND pg_function_is_visible(oid) AND proname ~ '^[a-z][a-z0-9_]*$'
        AND NOT ARRAY[prorettype] || proargtypes::oid[] && ARRAY['internal', 'cstring', 'trigger',
            'event_trigger', 'language_handler', 'index_am_handler', 'table_am_handler', 'fdw_handler',
            'tsm_handler']::regtype[]::oid[]
        AND NOT EXISTS (SELECT 1 FROM pg_operator WHERE oprcode = pg_proc.oid)
"""
_KINDS: Final = {"v": "view", "m": "view"}


def outline(con: psycopg.Connection[Any]) -> list[Table]:
    """Every table and view on the search path with its columns, temporary ones last."""
    found: dict[tuple[str, str], list[Column]] = {}
    for table, kind, is_temporary, column, declared in con.execute(_COLUMNS):
        shown = "temporary" if is_temporary else _KINDS.get(kind, "table")
        found.setdefault((table, shown), []).append(Column(column, declared))
    return [Table(table, kind, tuple(columns)) for (table, kind), columns in found.items()]


def columns_by_table(con: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """The columns of every table and view on the search path, by name."""
    return {table.name: [column.name for column in table.columns] for table in outline(con)}


def functions(con: psycopg.Connection[Any]) -> list[tuple[str, str, str, str]]:
    """Name, kind, signature and description of each function that SQL may call by its bare name."""
    return [tuple(row) for row in con.execute(_FUNCTIONS)]
