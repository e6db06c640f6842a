"""Running one checked statement on a connection, and what its outcome says."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import duckdb

from greynb.databases.frames import Fetched


def execute(con: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object]) -> Fetched:
    """Run one statement and fetch all that it gives; raises `duckdb.Error`."""
    try:
        con.execute(sql, parameters or None)
        return Fetched(con)
    except BaseException:
        # CREATE … AS PIVOT runs in a transaction of its own, which a failure leaves open.
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
