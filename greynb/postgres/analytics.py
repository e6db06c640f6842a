"""The analytics side on PostgreSQL: DuckDB over the attached database, read-only, each cell one snapshot.

A cell is one transaction of DuckDB, and so one REPEATABLE READ, READ ONLY transaction of the server, which
the scans of all threads share. Each statement passes the gate first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeGuard

import duckdb

from greynb.databases.enginesession import EngineSession
from greynb.databases.gate import Passed
from greynb.databases.mirroring import Mirroring
from greynb.databases.readonly import AnalyticsConnection
from greynb.databases.recall import Recall
from greynb.databases.relations import stop_if_interrupted
from greynb.databases.result import Ran
from greynb.databases.running import Runner
from greynb.databases.temporary import refuse_drops
from greynb.errors import DatabaseError, QueryError, UsageError
from greynb.postgres.attached import Attached, refused, said
from greynb.postgres.attachedcatalog import PostgresCatalog
from greynb.postgres.silence import cut_engines, engine_served

if TYPE_CHECKING:
    from greynb.databases.reading import Version
    from greynb.databases.reports import TableReport
    from greynb.routing import Server

_REMOTE: Final = 0.3
"""Seconds after which an interrupt is also sent to the server."""
_PATIENCE: Final = 5.0
"""Seconds that the server has to heed it before the connections are ended."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The state of the database that a cell read.

    Attributes
    ----------
    id
        ``live 2025-07-01T10:30:00Z``: when the cell began.
    kind
        ``"postgresql"``.
    source
        The database's name.
    published, identity
        None: it is live, so no result of it is kept.
    """

    id: str
    source: str
    kind: str = "postgresql"
    published: datetime | None = None
    identity: str | None = None


class _Reading:
    """What `Runner` needs to know of what is attached."""

    archived: Final = None

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.catalog = PostgresCatalog(con)
        self.snapshot: Version | None = None

    def take_notices(self) -> list[str]:
        """Nothing is to be said of the database as a whole."""
        return []


class PostgresAnalytics(EngineSession):
    """Runs gated SQL on a PostgreSQL database as it is when the cell begins.

    It connects at the first cell, and again where the connection was lost. One list of statements runs at a
    time; `interrupt` and `progress` may be called from other threads meanwhile.

    Parameters
    ----------
    server
        The database.
    settings
        DuckDB's, such as ``memory_limit``.

    Attributes
    ----------
    mirroring, recall
        As of a session over files; a server has no mirror, and its results are not kept.
    """

    def __init__(self, server: Server, **settings: str | int) -> None:
        super().__init__()
        self._server = server
        self._settings = settings
        self._attached: Attached | None = None
        self._stopped: float | None = None
        self.mirroring = Mirroring(None)
        self.recall = Recall()

    @property
    def snapshot(self) -> Version:
        """The state that the last cell read."""
        return (self._attached and self._reading.snapshot) or self.refresh()

    @property
    def catalog(self) -> PostgresCatalog:
        """The tables that were there then."""
        self.snapshot  # noqa: B018  # connects
        return self._reading.catalog

    def refresh(self) -> Version:
        """Look which tables are there now.

        Raises
        ------
        DatabaseError
            The server cannot be reached.
        """
        with self._lock, engine_served(self._server):
            self._connect()
            assert self._reading.snapshot is not None
            return self._reading.snapshot

    def tables(self) -> list[TableReport]:
        """List the tables that are there now."""
        self.refresh()
        return self.catalog.tables()

    def pin(self, version: str | None = None) -> Version:
        """There are no versions to keep to; raises `UsageError`."""
        raise no_versions()

    def unpin(self) -> Version:
        """Nothing is pinned; the state that cells read now."""
        return self.refresh()

    def _ran(
        self, passed: Sequence[Passed], parameters: Mapping[str, object], variables: Mapping[str, object]
    ) -> list[Ran]:
        with self._lock, engine_served(self._server):
            self._connect()
            refuse_drops(self._con, passed, self._reading.catalog)
            with self._transaction():
                return self._runner.attempt(passed, parameters, variables)

    def reader(self) -> AnalyticsConnection:
        """A gated connection of its own, each of whose statements reads the database as it is then."""
        self.refresh()
        cursor = self._con.cursor()
        cursor.execute("USE analytics")
        return AnalyticsConnection(
            cursor,
            self._prepare,
            place=lambda: (self._server, _live()),
            served=lambda: engine_served(self._server),
        )

    def interrupt(self) -> None:
        """Stop the running statement, also in the server; harmless when none runs."""
        attached = self._attached
        if attached is None:
            return
        attached.con.interrupt()
        self._stopped = self._stopped or time.monotonic()
        waited = time.monotonic() - self._stopped
        if waited > _PATIENCE:
            cut_engines(self._server)
        elif waited > _REMOTE:
            attached.cancel()

    def close(self) -> None:
        """Close the engine."""
        with self._lock:
            if self._attached is not None:
                self._attached.con.close()
            self._attached = None

    @property
    def _engine(self) -> duckdb.DuckDBPyConnection | None:
        return self._attached.con if self._attached else None

    @property
    def _con(self) -> duckdb.DuckDBPyConnection:
        if self._attached is None:
            self._attached = Attached(self._server, self._settings)
            self._reading = _Reading(self._attached.con)
            self._runner = Runner(self._attached.con, self._reading)
            self._runner.share(self.recall)
        return self._attached.con

    def _connect(self) -> None:
        """Look which tables there are; a connection that was lost since the last cell is made anew."""
        self._stopped = None
        try:
            self._look()
        except duckdb.Error as error:
            stop_if_interrupted(error)
        else:
            return
        self.close()
        try:
            self._look()
        except duckdb.Error as error:
            stop_if_interrupted(error)
            reason = said(error)
        else:
            return
        self.close()
        raise DatabaseError(f"the server cannot be read: {reason}", path=self._server.name)

    def _look(self) -> None:
        self._con  # noqa: B018  # connects
        self._reading.catalog.refresh()
        self._reading.snapshot = Moment(_live(), self._server.name)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Hold one state of the database."""
        con = self._con
        con.begin()
        try:
            yield
            con.commit()
        except BaseException as error:
            with suppress(duckdb.Error):  # a statement that fails may have done so already
                con.rollback()
            cause = error.__cause__ if isinstance(error, QueryError) else error
            if _is_lost(cause):
                raise DatabaseError(
                    f"the server gave up while the cell ran: {said(cause)}",
                    path=self._server.name,
                    hint="run the cell again; it connects anew by itself",
                ) from cause
            if isinstance(error, QueryError):
                refused(error)
            raise

    def _prepare(self, passed: Passed) -> None:
        with self._lock, engine_served(self._server):
            refuse_drops(self._con, [passed], self._reading.catalog)
            self._reading.catalog.refresh()
            self._runner.ensure(passed)


def _is_lost(error: BaseException | None) -> TypeGuard[duckdb.Error]:
    """Whether the connection broke; the server says ERROR of a statement only."""
    broke = isinstance(error, duckdb.IOException | duckdb.TransactionException)
    return broke and "ERROR:" not in str(error)


def _live() -> str:
    """What a result says instead of a version: that it was read now, from data that may change."""
    return datetime.now(UTC).strftime("live %Y-%m-%dT%H:%M:%SZ")


def no_versions() -> UsageError:
    """The error for whatever asks for versions."""
    return UsageError(
        "analytics is PostgreSQL, which keeps no versions",
        hint="publish to a SQLite file or a DuckLake with `greynb sync`, and read that",
    )
