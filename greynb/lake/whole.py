"""Whole tables of a lake as they are inside a transaction: which there are, and writing or dropping them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from greynb.databases.identifiers import fold, quote
from greynb.lake.attaching import ALIAS
from greynb.lake.rowsums import columns_of

if TYPE_CHECKING:
    import duckdb


def in_lake(name: str) -> str:
    """A table of the attached lake as it is now, written for a statement."""
    return f"{ALIAS}.main.{quote(name)}"


def names_in_lake(con: duckdb.DuckDBPyConnection) -> set[str]:
    """The tables that the lake has now, folded."""
    rows = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = ? AND schema_name = 'main'", [ALIAS]
    ).fetchall()
    return {fold(name) for (name,) in rows}


def columns_in_lake(con: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, str]] | None:
    """The columns that a table of the lake has now; None where it is not there."""
    return columns_of(con, in_lake(name)) if fold(name) in names_in_lake(con) else None


def write_whole(
    con: duckdb.DuckDBPyConnection, name: str, columns: Sequence[tuple[str, str]], rows: str
) -> None:
    """Give a table of the lake all rows of another, which is written for a query and has these columns.

    One with these columns stays, with its partitioning and sort order; else it is made anew.
    """
    place = in_lake(name)
    if columns_in_lake(con, name) == list(columns):
        con.execute(f"DELETE FROM {place}")
        con.execute(f"INSERT INTO {place} FROM {rows}")
    else:
        con.execute(f"DROP TABLE IF EXISTS {place}")
        con.execute(f"CREATE TABLE {place} AS FROM {rows}")


def drop_all(con: duckdb.DuckDBPyConnection) -> None:
    """Drop every table of the lake, whose files are not looked at."""
    rows = con.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ?", [ALIAS]
    ).fetchall()
    for schema, name in rows:
        con.execute(f"DROP TABLE {ALIAS}.{quote(schema)}.{quote(name)}")
