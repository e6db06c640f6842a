"""A hash of the rows of a table inside DuckDB, to see that two tables hold the same.

The number of rows, and the sum over them of DuckDB's 64-bit hash of all their values: independent of the
order, and equal rows count. The types are part of it, as DuckDB hashes 1 and 1.0 alike. Only sums that one
version of DuckDB made can be compared, so its version is part of it, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from greynb.databases.identifiers import quote


def columns_of(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    """Name and type of each column of a table, which is given as written in SQL."""
    rows = con.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    return [(str(row[0]), str(row[1])) for row in rows]


def row_sum(con: duckdb.DuckDBPyConnection, table: str, columns: Sequence[tuple[str, str]]) -> str:
    """The hash of a table's rows.

    Parameters
    ----------
    con
        Where the table can be read.
    table
        As written in SQL.
    columns
        From `columns_of`.

    Returns
    -------
    str
        ``<DuckDB's version>:<rows>:<sum>:<columns and their types>``.
    """
    names = ", ".join(quote(name) for name, _ in columns)
    ((rows, total),) = con.execute(
        f"SELECT count(*), coalesce(sum(CAST(hash({names}) AS HUGEINT)), 0) FROM {table}"
    ).fetchall()
    described = ", ".join(f"{name} {kind}" for name, kind in columns)
    return f"{duckdb.__version__}:{rows}:{total}:{described}"


def rows_of(text: str) -> int:
    """The number of rows that a hash was taken of."""
    return int(text.split(":", 2)[1])
