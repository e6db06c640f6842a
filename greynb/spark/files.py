"""Exactly the Parquet files that make up a table in one snapshot of a lake, or why Spark cannot read them.

Spark knows nothing of a lake: neither of files that say which rows of another are deleted, nor of rows in the
catalogue, nor of columns that were renamed. `greynb sync` leaves none of these behind where Spark
is to read (`greynb.lake.compacting`); a table that has them is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import duckdb

from greynb.databases.identifiers import literal, quote
from greynb.errors import DatabaseError
from greynb.lake.attaching import ALIAS, CATALOGUE

PREPARE: Final = "run `greynb sync`, which prepares the lake for Spark"


@dataclass(frozen=True, slots=True)
class TableFiles:
    """One table of a snapshot.

    Attributes
    ----------
    name
        In the lake.
    columns
        DuckDB's type of each stored column, by name.
    paths
        Its Parquet files.
    rows
        What they hold together.
    """

    name: str
    columns: Mapping[str, str]
    paths: tuple[str, ...]
    rows: int


def table_files(con: duckdb.DuckDBPyConnection, name: str, number: int) -> TableFiles:
    """The files of a table.

    Parameters
    ----------
    con
        The lake attached.
    name
        The table, in the schema main.
    number
        The snapshot.

    Raises
    ------
    DatabaseError
        Spark would read other rows than DuckDB does.
    """
    at = f"begin_snapshot <= {number} AND (end_snapshot IS NULL OR end_snapshot > {number})"
    ((table, begun),) = con.execute(
        f"SELECT table_id, begin_snapshot FROM {CATALOGUE}.ducklake_table WHERE {at}"
        f" AND lower(table_name) = lower({literal(name)}) AND schema_id IN (SELECT schema_id FROM"
        f" {CATALOGUE}.ducklake_schema WHERE schema_name = 'main' AND {at})"
    ).fetchall()
    of = f"table_id = {table}"

    def count(what: str, where: str) -> int:
        ((found,),) = con.execute(
            f"SELECT count(*) FROM {CATALOGUE}.{what} WHERE {of} AND {where}"
        ).fetchall()
        return int(found)

    # Of a file that is gone, what says which of its rows were deleted may stay.
    live = f"data_file_id IN (SELECT data_file_id FROM {CATALOGUE}.ducklake_data_file WHERE {of} AND {at})"
    if count("ducklake_delete_file", f"{at} AND {live}"):
        _refuse(name, "has deleted rows that its files still hold")
    if count("ducklake_column", f"begin_snapshot > {begun} AND begin_snapshot <= {number}"):
        _refuse(name, "has columns that were added or changed after it was made")
    unusual = "mapping_id IS NOT NULL OR encryption_key IS NOT NULL OR file_format <> 'parquet'"
    if count("ducklake_data_file", f"{at} AND ({unusual} OR coalesce(partial_max, 0) > {number})"):
        _refuse(name, "has files that only DuckDB can read, or of several versions")
    _check_inlined(con, name, table, number)
    files = con.execute(
        f"SELECT data_file FROM ducklake_list_files({literal(ALIAS)}, {literal(name)},"
        f" snapshot_version => {number})"
    ).fetchall()
    ((rows,),) = con.execute(
        f"SELECT coalesce(sum(record_count), 0) FROM {CATALOGUE}.ducklake_data_file WHERE {of} AND {at}"
    ).fetchall()
    if any("://" in str(path) for (path,) in files):
        raise DatabaseError(
            f"Spark cannot read {name}: the lake's files are on S3,"
            " for which Spark needs libraries and keys of its own",
            hint="set ANALYTICS_ENGINE=duckdb to read the same lake",
        )
    described = con.execute(
        f"DESCRIBE SELECT * FROM {ALIAS}.main.{quote(name)} AT (VERSION => {number})"
    ).fetchall()
    return TableFiles(
        name,
        {str(row[0]): str(row[1]) for row in described},
        tuple(str(path) for (path,) in files),
        int(rows),
    )


def _check_inlined(con: duckdb.DuckDBPyConnection, name: str, table: int, number: int) -> None:
    """Refuse a table some of whose rows, or deletions, stand in the catalogue."""
    at = f"begin_snapshot <= {number} AND (end_snapshot IS NULL OR end_snapshot > {number})"
    inlined = con.execute(
        f"SELECT table_name FROM {CATALOGUE}.ducklake_inlined_data_tables WHERE table_id = {table}"
    ).fetchall()
    for (inside,) in inlined:
        ((found,),) = con.execute(
            f"SELECT count(*) FROM {CATALOGUE}.{quote(str(inside))} WHERE {at}"
        ).fetchall()
        if found:
            _refuse(name, "has rows in the catalogue, and not in a file")
    with suppress(duckdb.CatalogException):  # there is no such table where nothing was deleted so
        ((found,),) = con.execute(
            f"SELECT count(*) FROM {CATALOGUE}.ducklake_inlined_delete_{table} AS d"
            f" JOIN {CATALOGUE}.ducklake_data_file AS f ON f.data_file_id = d.file_id"
            f" WHERE f.table_id = {table} AND d.begin_snapshot <= {number}"
            f" AND (f.end_snapshot IS NULL OR f.end_snapshot > {number})"
        ).fetchall()
        if found:
            _refuse(name, "has deleted rows that its files still hold")


def _refuse(name: str, why: str) -> None:
    raise DatabaseError(f"Spark cannot read {name}: the table {why}", hint=PREPARE)
