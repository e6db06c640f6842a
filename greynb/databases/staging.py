"""The staging side: the statements of one cell in one transaction of SQLite, all or nothing."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from greynb.databases.descriptors import identity_of
from greynb.databases.locks import SLICE, is_busy, locked_error, primary_code, wait_for_lock
from greynb.databases.outline import SqliteOutline, Table, idle
from greynb.databases.result import Progress, Result
from greynb.databases.sqlite import columns_by_table, file_error, open_writable
from greynb.databases.sqltext import Statement, split_statements
from greynb.databases.staging_rules import WRITING, check, creates, verb
from greynb.databases.transactions import begin_reading, check_orphans, orphans, settle, writes
from greynb.errors import GreynbError, QueryError, QueryInterrupted, UnreadableDatabase

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

_STEPS: Final = 10_000
"""Steps of SQLite's virtual machine between two looks at the stop event; costs nothing measurable."""

INVALID_TEXT: Final = r"some texts are not valid UTF-8; their odd bytes are shown as \xff"


class StatementFailed(QueryError):
    """A statement that SQLite refused; the cell's transaction was rolled back.

    Attributes
    ----------
    number
        The statement's place in the cell, from 1.
    line
        The line it begins on, from 1.
    sql
        Its text. The error of sqlite3 is the ``__cause__``.
    """

    def __init__(self, error: sqlite3.Error, number: int, statement: Statement) -> None:
        first = statement.text.splitlines()[0]
        super().__init__(
            f"statement {number}: {error}; nothing was written", detail=f"line {statement.line}: {first}"
        )
        self.number = number
        self.line = statement.line
        self.sql = statement.text


class StagingSession:
    """Runs cells on one SQLite file; one that is not there is made by a cell that creates something in it.

    One cell runs at a time, from any thread; `interrupt` and `progress` may be called from others meanwhile.
    Temporary tables and settings by ``PRAGMA`` last until the session ends or the file is replaced. No lock
    stays behind between cells.

    Parameters
    ----------
    path
        The database file.
    timeout
        Seconds that a cell waits for locks of other connections; may be changed between cells.
    """

    def __init__(self, path: Path, *, timeout: float = 10.0) -> None:
        self.timeout = timeout
        self._path = path
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._outline = SqliteOutline(path)
        self._con: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._notices: list[str] = []
        self._rows: int | None = None
        self._running = False

    def run(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, dry_run: bool = False
    ) -> list[Result]:
        """Run the statements of one cell in one transaction.

        Cells that only read take no write lock. A ``VACUUM``, or a ``PRAGMA`` that cannot live in a
        transaction, runs outside of one if it is the cell's only statement.

        Parameters
        ----------
        sql
            The statements; parameters as ``:name``.
        parameters
            Values by name; each statement takes those it names.
        dry_run
            Do everything, then roll back.

        Raises
        ------
        StatementFailed
            SQLite refused a statement; nothing was written.
        QueryError
            A statement cannot be part of a cell; nothing was run.
        DatabaseLocked
            Another connection kept the file locked for the whole of `timeout`.
        QueryInterrupted
            `interrupt` was called; nothing was written.
        MissingDatabase, UnreadableDatabase
            The file cannot be opened.
        """
        statements = split_statements(sql, "sqlite")
        outside = check(statements, dry_run=dry_run)
        if not statements:
            return []
        with self._lock:
            self._stop.clear()
            self._running = True
            try:
                con = self._connection(create=creates(statements) and not dry_run)
                values = dict(parameters or {})
                if outside:
                    results = [self._waiting(lambda: self._one(con, 1, statements[0], values))]
                    self._warn_unenforced(con)
                else:
                    results = self._transaction(con, statements, values, dry_run)
            finally:
                self._running, self._rows = False, None
        return self._noticed(results)

    def interrupt(self) -> None:
        """Stop the running cell, also while it waits for a lock; harmless when none runs."""
        self._stop.set()
        con = self._con
        if con is not None:
            with suppress(sqlite3.ProgrammingError):
                con.interrupt()

    def progress(self) -> Progress | None:
        """How many rows the running statement has given so far; None when nothing runs."""
        return Progress(rows=self._rows) if self._running else None

    def columns(self) -> dict[str, list[str]]:
        """The columns of every table and view, by name; for help after an error."""
        with self._lock:
            return columns_by_table(self._connection())

    def outline(self) -> list[Table] | None:
        """The tables that are there; None while a cell runs. Neither waits nor makes the file."""
        with idle(self._lock) as free:
            con = self._con if self._identity == identity_of(self._path) else None
            return self._outline.read(con) if free else None

    def close(self) -> None:
        """Close the connection; the next cell would open it again."""
        with self._lock:
            if self._con is not None:
                self._con.close()
            self._con = self._identity = None

    def _connection(self, *, create: bool = False) -> sqlite3.Connection:
        """The open connection, made again where the file at the path is no longer the one it was."""
        if self._con is not None and self._identity == identity_of(self._path):
            return self._con
        self.close()
        if create and not self._path.exists():
            self._notices.append(f"{self._path.name} did not exist and was created")
        self._con = self._waiting(lambda: open_writable(self._path, timeout=SLICE, create=create))
        self._con.set_progress_handler(lambda: int(self._stop.is_set()), _STEPS)
        self._identity = identity_of(self._path)
        return self._con

    def _transaction(
        self,
        con: sqlite3.Connection,
        statements: Sequence[Statement],
        values: dict[str, object],
        dry_run: bool,
    ) -> list[Result]:
        try:
            writing = self._begin(con, statements, values)
            broken = orphans(con) if dry_run else None
            results = [
                self._one(con, number, each, values) for number, each in enumerate(statements, start=1)
            ]
            self._check_stop()
            if dry_run:
                check_orphans(broken, orphans(con))
            else:
                self._waiting(lambda: con.execute("COMMIT"))
                settle(con, writing)
            return results
        except sqlite3.Error as error:
            raise self._mapped(error) from error
        finally:
            if con.in_transaction:
                con.execute("ROLLBACK")

    def _begin(
        self, con: sqlite3.Connection, statements: Sequence[Statement], values: dict[str, object]
    ) -> bool:
        """Begin the kind of transaction that the statements need, and say whether they write."""
        self._waiting(lambda: begin_reading(con))
        writing = any(writes(con, statement.text, values) for statement in statements)
        if writing:
            con.execute("ROLLBACK")
            self._waiting(lambda: con.execute("BEGIN IMMEDIATE"))
        return writing

    def _one(
        self, con: sqlite3.Connection, number: int, statement: Statement, values: dict[str, object]
    ) -> Result:
        self._check_stop()
        begun = time.perf_counter()
        self._rows = None
        counts = verb(statement.text) in WRITING
        notices: tuple[str, ...] = ()
        try:
            frame, types = self._fetch(con, statement.text, values)
        except sqlite3.Error as error:
            if counts or "decode to UTF-8" not in str(error):
                raise self._mapped(error, number, statement) from error
            frame, types = self._fetch_tolerant(con, statement.text, values)
            notices = (INVALID_TEXT,)
        return Result(
            number=number,
            line=statement.line,
            sql=statement.text,
            frame=frame,
            types=types,
            affected=con.execute("SELECT changes()").fetchone()[0] if counts else None,
            seconds=time.perf_counter() - begun,
            notices=notices,
        )

    def _fetch(
        self, con: sqlite3.Connection, sql: str, values: dict[str, object]
    ) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
        from greynb.databases.frames import from_sqlite

        # Closed at once: a half-read cursor would keep its lock, and block writers in DELETE mode.
        with closing(con.execute(sql, values)) as cursor:
            return from_sqlite(cursor, fetched=self._fetched) if cursor.description else (None, ())

    def _fetch_tolerant(
        self, con: sqlite3.Connection, sql: str, values: dict[str, object]
    ) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
        """Read once more, as sqlite3 refuses texts that are not UTF-8; slower, so not for all."""
        con.text_factory = lambda text: text.decode(errors="backslashreplace")
        try:
            return self._fetch(con, sql, values)
        except sqlite3.Error as error:
            raise self._mapped(error) from error
        finally:
            con.text_factory = str

    def _fetched(self, rows: int) -> None:
        self._rows = rows
        self._check_stop()

    def _waiting(self, attempt: Callable[[], T]) -> T:
        return wait_for_lock(attempt, path=self._path, timeout=self.timeout, stop=self._stop)

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise QueryInterrupted("stopped; nothing was written", path=self._path)

    def _mapped(
        self, error: sqlite3.Error, number: int = 0, statement: Statement | None = None
    ) -> GreynbError:
        """What an error of sqlite3 means here; without a statement it came from the transaction itself."""
        if primary_code(error) == sqlite3.SQLITE_INTERRUPT:
            return QueryInterrupted("stopped; nothing was written", path=self._path)
        if is_busy(error):
            return locked_error(self._path, self.timeout)
        of_the_file = file_error(error, self._path, self.timeout)
        if isinstance(of_the_file, UnreadableDatabase):
            return of_the_file
        return StatementFailed(error, number, statement) if statement else _at_commit(error)

    def _warn_unenforced(self, con: sqlite3.Connection) -> None:
        if not con.execute("PRAGMA foreign_keys").fetchone()[0]:
            self._notices.append("foreign keys are not enforced until PRAGMA foreign_keys = ON")

    def _noticed(self, results: list[Result]) -> list[Result]:
        """Put what the user should know of the file on the first result."""
        notices, self._notices = tuple(self._notices), []
        return [replace(results[0], notices=(*notices, *results[0].notices)), *results[1:]]


def _at_commit(error: sqlite3.Error) -> QueryError:
    failed = QueryError(f"the transaction could not be committed: {error}; nothing was written")
    if isinstance(error, sqlite3.IntegrityError):
        failed.hint = "PRAGMA foreign_key_check lists rows that break a foreign key, once they are written"
    return failed
