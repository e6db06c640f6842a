"""Schemas that the SQLite inside DuckDB cannot parse, because they were written for a newer one.

One view with a ``RIGHT JOIN`` (SQLite 3.39) makes the whole file unreadable for an older library. Python's
own sqlite3 is often newer: it drops such an object from a private copy, and all else can be read.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from greynb.databases.identifiers import quote
from greynb.errors import GreynbError, UnreadableDatabase

_CULPRIT: Final = re.compile(r"malformed database schema \((.+?)\)")


def too_new(error: GreynbError) -> str | None:
    """The view, index or trigger at which SQLite gave up; None where that is not the trouble."""
    found = _CULPRIT.search(str(error))
    return found[1] if found else None


def drop(path: Path, name: str) -> None:
    """Drop a view, index or trigger from a private copy.

    Raises
    ------
    UnreadableDatabase
        Python's sqlite3 cannot read the schema either, or the object is a table.
    """
    try:
        with closing(sqlite3.connect(path)) as con:
            kinds = con.execute("SELECT type FROM sqlite_schema WHERE name = ?", [name]).fetchall()
            for (kind,) in kinds or [("object",)]:
                con.execute(f"DROP {kind} {quote(name)}" if kind != "table" else "SELECT RAISE(FAIL)")
            con.commit()
    except sqlite3.Error as error:
        raise UnreadableDatabase(
            f"SQLite cannot read the schema at {name}: {error}",
            hint="this file was made by a newer SQLite; a newer Python reads it, or drop the object",
        ) from error
