"""Statements that only SQLite understands, such as ``MATCH`` on a full-text table: run there, and said so.

Only what DuckDB cannot parse, or a function that it does not have, comes here, and only where nothing is
known that could be written instead. What DuckDB refuses for a reason (an unknown name, a column that is not
grouped) stays an error: SQLite would answer some of that with an arbitrary value. Nor does a text in double
quotes go there, which SQLite takes for a string where no column has the name.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from greynb.databases.frames import from_sqlite
from greynb.databases.identifiers import quote
from greynb.databases.result import Ran, Result
from greynb.databases.sqlite import database_uri
from greynb.databases.sqltext import tokens
from greynb.databases.values import Unbindable, scalar
from greynb.errors import QueryError, QueryInterrupted

if TYPE_CHECKING:
    import pandas as pd

    from greynb.databases.still import Snapshot

ENGINE: Final = "SQLite"
SAID: Final = "DuckDB does not know this ({}): SQLite ran the statement, by its own rules"
_ALLOWED: Final = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)


def is_foreign(error: QueryError) -> bool:
    """Whether an error means that a statement is not in DuckDB's dialect, and nothing is known to help."""
    if type(error) is not QueryError or error.hint:
        return False
    cause = error.__cause__
    if isinstance(cause, duckdb.CatalogException):
        return "Function with name" in str(cause)
    return cause is None or isinstance(cause, duckdb.ParserException)


class SqliteDialect:
    """Runs single statements of a session in SQLite, read-only."""

    def __init__(self) -> None:
        self._con: sqlite3.Connection | None = None

    def ran(
        self, snapshot: Snapshot, sql: str, parameters: Mapping[str, object], error: QueryError
    ) -> Ran | None:
        """What a statement gives that DuckDB refused; None where SQLite does not know it either.

        Raises
        ------
        QueryInterrupted
            `interrupt` was called meanwhile.
        """
        # A file that others may write is not opened by a second SQLite library of this process.
        if snapshot.kind == "link" or any(token.text.startswith('"') for token in tokens(sql, "sqlite")):
            return None
        begun = time.perf_counter()
        try:
            values = {name: scalar(value, "sqlite") for name, value in parameters.items()}
        except Unbindable:
            return None
        found = self._run(snapshot.path, sql, values)
        if found is None:
            return None
        frame, types = found
        said = (SAID.format(error.message),)
        seconds = time.perf_counter() - begun
        return Ran(Result(1, 1, sql, frame, types, None, seconds, said, engine=ENGINE), None)

    def _run(
        self, path: Path, sql: str, values: Mapping[str, object]
    ) -> tuple[pd.DataFrame, tuple[str, ...]] | None:
        uri = database_uri(path, "ro&immutable=1")
        with closing(sqlite3.connect(uri, uri=True, check_same_thread=False)) as con:
            self._con = con
            try:
                _wake(con)
                con.set_authorizer(_authorize)
                return from_sqlite(con.execute(sql, values))
            except sqlite3.OperationalError as error:
                if str(error) == "interrupted":
                    raise QueryInterrupted("analytics: the query was interrupted") from None
                return None
            except (sqlite3.Error, sqlite3.Warning):
                return None
            finally:
                self._con = None

    def interrupt(self) -> None:
        """Stop the running statement; harmless when none runs."""
        con = self._con
        if con is not None:
            with suppress(sqlite3.ProgrammingError):  # closed in this moment
                con.interrupt()


def _wake(con: sqlite3.Connection) -> None:
    """Open the virtual tables: that declares their columns, which would look like a change of the schema."""
    for (name,) in con.execute("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL %'").fetchall():
        con.execute(f"SELECT 1 FROM {quote(name)} LIMIT 0")


def _authorize(action: int, name: str | None, value: str | None, _db: str | None, _via: str | None) -> int:
    # A full-text table asks that one by itself.
    harmless = action == sqlite3.SQLITE_PRAGMA and name == "data_version" and value is None
    return sqlite3.SQLITE_OK if harmless or action in _ALLOWED else sqlite3.SQLITE_DENY
