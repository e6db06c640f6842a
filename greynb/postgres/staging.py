"""The staging side on PostgreSQL: the statements of one cell in one transaction, all or nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any

from greynb.databases.heartbeat import attended
from greynb.databases.outline import Table, idle
from greynb.databases.result import Progress, Result
from greynb.databases.sqltext import Statement, split_statements
from greynb.errors import DatabaseError, GreynbError, QueryInterrupted
from greynb.postgres.committing import end
from greynb.postgres.connecting import answers, connect
from greynb.postgres.silence import cut, stop
from greynb.postgres.statements import Numbered, affected_by, check, numbered

if TYPE_CHECKING:
    import psycopg

    from greynb.routing import Server


class PostgresStaging:
    """Runs cells on one PostgreSQL database, to which it connects at the first cell, and again when need be.

    One cell runs at a time, from any thread; `interrupt` and `progress` may be called from others meanwhile.
    Temporary tables and settings by ``SET`` last while the connection does. Its transactions see what others
    commit meanwhile (READ COMMITTED), unless the server's or the cell's settings say otherwise.

    Parameters
    ----------
    server
        The database.
    timeout
        Seconds that a statement waits for locks of other connections; may be changed between cells.
    """

    def __init__(self, server: Server, *, timeout: float = 10.0) -> None:
        self.timeout = timeout
        self._server = server
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._stopped_since: float | None = None
        self._con: psycopg.Connection[Any] | None = None
        self._notices: list[str] = []
        self._running = False

    def run(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, dry_run: bool = False
    ) -> list[Result]:
        """Run the statements of one cell in one transaction.

        A statement that cannot live in a transaction (``VACUUM``, ``CREATE INDEX CONCURRENTLY``) runs outside
        of one if it is the cell's only statement.

        Parameters
        ----------
        sql
            The statements; parameters as ``$name``.
        parameters
            Values by name; each statement takes those it names.
        dry_run
            Do everything, check deferred constraints, then roll back.

        Raises
        ------
        QueryError
            A statement cannot be part of a cell, or PostgreSQL refused it; nothing was written.
        DatabaseLocked
            Another connection held a lock for the whole of `timeout`, or each waited for the other.
        QueryInterrupted
            `interrupt` was called; nothing was written.
        DatabaseError
            The server cannot be reached, or the connection broke; the message says what came of the cell.
        """
        statements = split_statements(sql, "postgresql")
        outside = check(statements, dry_run=dry_run)
        if not statements:
            return []
        with self._lock:
            self._stop.clear()
            self._stopped_since, self._running = None, True
            try:
                with self._served():
                    con = self._begun(outside)
                    return self._all(con, statements, dict(parameters or {}), outside, dry_run)
            finally:
                self._running = False

    def interrupt(self) -> None:
        """Stop the running cell; harmless when none runs.

        Where the server does not obey, because it is gone or not reached, the connection is cut.
        """
        self._stop.set()
        con, since = self._con, self._stopped_since
        self._stopped_since = since or time.monotonic()
        if con is None or not self._running or con.closed:
            return
        stop(con, time.monotonic() - self._stopped_since)

    def progress(self) -> Progress | None:
        """That something runs: PostgreSQL does not say how far it is; None when nothing runs."""
        return Progress() if self._running else None

    def columns(self) -> dict[str, list[str]]:
        """The columns of every table and view, by name; for help after an error."""
        from greynb.postgres.catalog import columns_by_table

        with self._lock, self._served():
            return columns_by_table(self._connection())

    def outline(self) -> list[Table] | None:
        """The tables that are there; None while a cell runs."""
        from greynb.postgres.catalog import outline

        with idle(self._lock) as free, self._served():
            return outline(self._connection()) if free else None

    def functions(self) -> list[tuple[str, str, str, str]]:
        """Name, kind, signature and description of each function; none while a cell runs."""
        from greynb.postgres.catalog import functions

        with idle(self._lock) as free, self._served():
            return functions(self._connection()) if free else []

    def close(self) -> None:
        """Close the connection; the next cell would open another."""
        with self._lock:
            if self._con is not None:
                self._con.close()
            self._con = None

    def _served(self) -> AbstractContextManager[None]:
        """Do not let a block wait for a server that has fallen silent."""

        def end() -> None:
            if self._con is not None:
                cut(self._con)

        return attended(lambda: answers(self._server), end)

    def _connection(self) -> psycopg.Connection[Any]:
        from greynb.postgres.frames import register

        if self._con is None or self._con.closed:
            con = connect(self._server)
            con.autocommit = True  # transactions are begun by hand, so that VACUUM can do without
            con.add_notice_handler(lambda said: self._notices.append(said.message_primary or ""))
            register(con)
            self._con = con
        return self._con

    def _begun(self, outside: bool) -> psycopg.Connection[Any]:
        """The connection, its transaction begun; a connection that was lost between cells is made again."""
        import psycopg

        for attempt in (1, 2):
            con = self._connection()
            try:
                con.execute("SELECT 1" if outside else "BEGIN")
                wait = "SET lock_timeout" if outside else "SET LOCAL lock_timeout"
                con.execute(f"{wait} = {max(1, round(self.timeout * 1000))}")
                return con
            except psycopg.Error as error:
                self.close()
                if attempt == 2:
                    raise DatabaseError(f"the server does not serve: {error}") from None
        raise AssertionError("the second attempt returns or raises")

    def _all(
        self,
        con: psycopg.Connection[Any],
        statements: Sequence[Statement],
        values: dict[str, object],
        outside: bool,
        dry_run: bool,
    ) -> list[Result]:
        committed = False
        try:
            results = [self._one(con, number, each, values) for number, each in enumerate(statements, 1)]
            self._check_stop()
            if not outside:
                end(con, self._server, dry_run=dry_run)
            committed = True
            return results
        finally:
            if not committed:
                self._give_up(con)

    def _give_up(self, con: psycopg.Connection[Any]) -> None:
        """Undo what a failed cell did; a connection that cannot is closed, which undoes it, too."""
        import psycopg

        try:
            if con.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                con.execute("ROLLBACK")
        except psycopg.Error:
            self.close()

    def _one(
        self, con: psycopg.Connection[Any], number: int, statement: Statement, values: dict[str, object]
    ) -> Result:
        import psycopg

        self._check_stop()
        begun = time.perf_counter()
        self._notices.clear()
        sent = numbered(statement.text, values)
        cursor = psycopg.RawCursor(con)
        try:
            cursor.execute(sent.sql, sent.values or None)
            affected = affected_by(cursor)
            found, types, notices = self._fetched(cursor)
        except psycopg.Error as error:
            raise self._mapped(error, con, statement, number, sent) from error
        finally:
            with suppress(psycopg.Error):
                cursor.close()
        return Result(
            number=number,
            line=statement.line,
            sql=statement.text,
            frame=found,
            types=types,
            affected=affected,
            seconds=time.perf_counter() - begun,
            notices=(*self._notices, *notices),
        )

    def _fetched(self, cursor: psycopg.Cursor[Any]) -> tuple[Any, tuple[str, ...], tuple[str, ...]]:
        from greynb.postgres.frames import frame

        return frame(cursor) if cursor.description else (None, (), ())

    def _mapped(
        self,
        error: psycopg.Error,
        con: psycopg.Connection[Any],
        statement: Statement,
        number: int,
        sent: Numbered,
    ) -> GreynbError:
        from greynb.postgres import faults

        if self._stop.is_set():
            return QueryInterrupted(f"stopped; {faults.NOTHING}")
        if faults.is_gone(error, con):
            return faults.lost(faults.UNKNOWN if check([statement], dry_run=False) else faults.NOTHING)

        def tables() -> dict[str, list[str]]:
            self._give_up(con)
            return self.columns()

        return faults.fault(error, statement, number, sent, tables)

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise QueryInterrupted("stopped; nothing was written")
