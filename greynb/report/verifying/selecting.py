"""One SELECT on a SQLite file, which can do nothing but read its tables."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from greynb.databases.sqlite import file_error, open_readonly
from greynb.databases.sqltext import split_statements
from greynb.databases.staging_rules import verb
from greynb.errors import QueryError, QueryInterrupted, WriteRefused

if TYPE_CHECKING:
    import pandas as pd

_ALLOWED: Final = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
_REFUSED_FUNCTIONS: Final = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer"}
_LONGEST_TEXT: Final = 100_000_000
_STEPS: Final = 10_000


class Select(Protocol):
    """What runs one SELECT on staging, whatever serves that."""

    def fetch(self, sql: str, parameters: Mapping[str, object], *, limit: int) -> pd.DataFrame:
        """Run it, and stop it at `limit` rows."""

    def interrupt(self) -> None:
        """Stop the running statement."""

    def close(self) -> None:
        """Close the connection."""


class SelectOnly:
    """A read-only connection behind an authorizer.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stop = threading.Event()
        self._con = open_readonly(path)
        self._con.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_TEXT)
        self._con.set_progress_handler(lambda: int(self._stop.is_set()), _STEPS)
        self._con.set_authorizer(_authorize)

    def fetch(self, sql: str, parameters: Mapping[str, object], *, limit: int) -> pd.DataFrame:
        """Run one SELECT.

        Parameters
        ----------
        sql
            The statement.
        parameters
            Values by name.
        limit
            The number of rows from which it is stopped.

        Raises
        ------
        WriteRefused
            It is no SELECT, or would do more than read.
        QueryError
            SQLite refused it, or it gives too many rows.
        QueryInterrupted
            `interrupt` was called.
        """
        from greynb.databases.frames import from_sqlite

        statements = split_statements(sql, "sqlite")
        if len(statements) != 1 or verb(statements[0].text) not in ("SELECT", "VALUES"):
            raise WriteRefused("only a SELECT is run again on staging")

        def fetched(rows: int) -> None:
            if rows >= limit:
                raise QueryError(f"it gives {limit:,} rows or more, many more than were recorded")

        try:
            with closing(self._con.execute(statements[0].text, dict(parameters))) as cursor:
                return from_sqlite(cursor, fetched=fetched)[0]
        except sqlite3.Error as error:
            if self._stop.is_set():
                raise QueryInterrupted("stopped", path=self._path) from None
            if "not authorized" in str(error) or "prohibited" in str(error):
                raise WriteRefused(f"it would do more than read: {error}") from error
            raise file_error(error, self._path, timeout=5.0) from error

    def interrupt(self) -> None:
        """Stop the running statement."""
        self._stop.set()
        self._con.interrupt()

    def close(self) -> None:
        """Close the connection."""
        self._con.close()


def _authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
    if action not in _ALLOWED:
        return sqlite3.SQLITE_DENY
    refused = action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _REFUSED_FUNCTIONS
    return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK
