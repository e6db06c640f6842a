"""Writing a season into a new staging file."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from greynb.databases.identifiers import quote
from greynb.databases.sqlite import atomic, open_writable
from greynb.demo.reference import Columns
from greynb.demo.schema import create_statements, index_statements
from greynb.demo.season import Season

if TYPE_CHECKING:
    from greynb.publish.steps import Progress


def write_season(path: Path, season: Season, progress: Progress | None = None) -> int:
    """Create the staging file `path`, which must not exist, with all rows of the season.

    Parameters
    ----------
    path
        The SQLite file to create.
    season
        What to write.
    progress
        Called with the table being written and the share of rows done, 0 to 1.

    Returns
    -------
    int
        The number of rows written.
    """
    if path.exists():
        raise FileExistsError(path)
    con = open_writable(path, create=True)
    try:
        with atomic(con):
            return _fill(con, season, progress)
    finally:
        con.close()


def _fill(con: sqlite3.Connection, season: Season, progress: Progress | None) -> int:
    for statement in create_statements():
        con.execute(statement)
    sizes = {table: len(next(iter(columns.values()))) for table, columns in season.tables.items()}
    total, done = sum(sizes.values()), 0
    for table, columns in season.tables.items():
        if progress:
            progress(table, done / total)
        _insert(con, table, columns)
        done += sizes[table]
    if progress:
        progress("indexes", 1.0)
    for statement in index_statements():
        con.execute(statement)
    return total


def _insert(con: sqlite3.Connection, table: str, columns: Columns) -> None:
    names = ", ".join(quote(name) for name in columns)
    marks = ", ".join("?" * len(columns))
    # as plain Python values: sqlite3 stores NumPy scalars as blobs, and NaN as NULL, which is meant
    values = [c.tolist() if isinstance(c, np.ndarray) else c for c in columns.values()]
    con.executemany(
        f"INSERT INTO {quote(table)} ({names}) VALUES ({marks})",
        zip(*values, strict=True),
    )
