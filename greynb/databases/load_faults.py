"""Naming the row and the column that stopped a load, after it has failed."""

from __future__ import annotations

import math
import re
import reprlib
import sqlite3
from collections.abc import Mapping
from contextlib import closing

from greynb.databases.identifiers import fold
from greynb.databases.load_table import Table
from greynb.errors import LoadError

_SHOWN_VALUES = 12


def row_error(
    con: sqlite3.Connection, table: Table, row: int, values: Mapping[str, object], error: Exception
) -> LoadError:
    """Describe the failure of one row.

    Parameters
    ----------
    con
        The connection, for the columns of the foreign keys.
    table
        The table.
    row
        The row's place in the frame, from 0.
    values
        Its values by column name, as they were bound.
    error
        What sqlite3 raised.
    """
    guilty = _guilty(con, table, values, error)
    shown = [f"  {name} = {_shown(values[name])}" for name in guilty[:_SHOWN_VALUES]]
    if len(guilty) > _SHOWN_VALUES:
        shown.append(f"  … and {len(guilty) - _SHOWN_VALUES} more columns")
    return LoadError(
        f"row {row} of the frame (df.iloc[{row}]) does not fit table {table.name}: {error}",
        detail="\n".join(shown) or None,
        hint=_hint(str(error)),
    )


def value_error(table: Table, row: int, column: str, value: object, reason: Exception) -> LoadError:
    """Describe a value that SQLite has no type for."""
    return LoadError(
        f"row {row} of the frame (df.iloc[{row}]), column {column}: {reason}",
        detail=f"  {column} = {reprlib.repr(value)}",
        hint=f"turn the column into text or numbers before loading it into {table.name}",
    )


def _shown(value: object) -> str:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "NULL" if missing else reprlib.repr(value)


def _guilty(
    con: sqlite3.Connection, table: Table, values: Mapping[str, object], error: Exception
) -> list[str]:
    if not isinstance(error, sqlite3.Error):
        return [name for name, value in values.items() if not _fits_sqlite(value)]
    if "FOREIGN KEY" in str(error):
        wanted = con.execute('SELECT "from" FROM pragma_foreign_key_list(?)', (table.name,)).fetchall()
        columns = {fold(row[0]) for row in wanted}
        return [name for name in values if fold(name) in columns]
    named = [name for name in values if _names(str(error), table, name)]
    return named or list(values)


def _names(message: str, table: Table, column: str) -> bool:
    # "UNIQUE constraint failed: races.date, races.number"
    declared = table.columns[fold(column)].name
    return re.search(re.escape(f"{table.name}.{declared}") + r"(?=, |$)", message) is not None


def _fits_sqlite(value: object) -> bool:
    with closing(sqlite3.connect(":memory:")) as con:
        try:
            con.execute("SELECT ?", (value,))
        except (OverflowError, UnicodeEncodeError):
            return False
    return True


def _hint(message: str) -> str | None:
    if "UNIQUE" in message:
        return 'To write over existing rows: on_conflict="update" with key=…; to leave them: "ignore".'
    if "FOREIGN KEY" in message:
        return "Load the rows that it refers to first."
    if "too large" in message:
        return "SQLite integers have 64 bits: load such a column as text."
    return None
