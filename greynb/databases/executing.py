"""Checking and running statements on a connection, and what their outcome says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import duckdb

from greynb.databases.diagnose import explain_error
from greynb.databases.frames import Fetched
from greynb.databases.gate import Passed, check
from greynb.errors import QueryError


def checked(sql: str) -> list[Passed]:
    """Check the statements of a cell; a syntax error gets the hints that the engine's errors get."""
    try:
        return check(sql)
    except QueryError as error:
        syntax = duckdb.ParserException(f"Parser Error: {error.message}")
        explained = explain_error(syntax, sql, role="analytics", tables=dict)
        error.message, error.hint = explained.message, error.hint or explained.hint
        raise


def execute(con: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object]) -> Fetched:
    """Run one statement and fetch all that it gives; raises `duckdb.Error`."""
    with no_open_transaction(con):
        con.execute(sql, parameters or None)
        return Fetched.last(con)


@contextmanager
def no_open_transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Roll back what a failing statement leaves: DuckDB runs CREATE … AS PIVOT in its own transaction."""
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error):
            con.rollback()
        raise


def counted(fetched: Fetched) -> int | None:
    """The rows that went into a table, where DuckDB says so."""
    frame = fetched.frame()
    return int(frame["Count"].iloc[0]) if list(frame.columns) == ["Count"] and len(frame) == 1 else None


def columns_by_table(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """The columns of every table that a statement can name, temporary ones included."""
    found: dict[str, list[str]] = {}
    for table, column in con.execute(
        "SELECT table_name, column_name FROM duckdb_columns()"
        " WHERE database_name IN ('analytics', 'temp') AND NOT internal"
    ).fetchall():
        found.setdefault(table, []).append(column)
    return found
