"""Cells on a lake: DuckDB over one snapshot for each cell, read-only by construction.

The lake is attached READ_ONLY; then external access is turned off, but for the folder of its Parquet files,
and the configuration locked. Users see views of the in-memory database ``analytics`` that name the snapshot,
and every statement passes the gate first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final, TypeVar

import duckdb

from greynb.databases.enginesession import EngineSession
from greynb.databases.gate import Passed
from greynb.databases.mirroring import Mirroring
from greynb.databases.readonly import AnalyticsConnection
from greynb.databases.recall import Recall
from greynb.databases.relations import stop_if_interrupted
from greynb.databases.result import Ran
from greynb.databases.temporary import refuse_drops
from greynb.errors import DatabaseError, QueryError, UnreadableDatabase
from greynb.lake.attaching import close, is_lost, unreadable
from greynb.lake.attachment import OpenLake
from greynb.lake.catalog import LakeCatalog
from greynb.lake.silence import catalogue_served, cut, served
from greynb.lake.snapshots import LakeSnapshot, expired, named, newest_number, snapshots
from greynb.lake.storage import trouble

if TYPE_CHECKING:
    from greynb.databases.frames import Fetched
    from greynb.databases.recall import Run
    from greynb.databases.reports import TableReport
    from greynb.routing import Server

T = TypeVar("T")
_PATIENCE: Final = 0.5
"""Seconds that the engine has to heed an interrupt before what it waits for is ended."""
NEWER: Final = "pinned to {}, newest is {}; `%greynb unpin` goes there"


class LakeSession(EngineSession):
    """Runs gated SQL on the newest snapshot of a lake, or on the pinned one.

    It connects at the first cell, and again where the catalogue's connection was lost. One list of statements
    runs at a time; `interrupt` and `progress` may be called from other threads meanwhile.

    Parameters
    ----------
    server
        The lake.
    settings
        DuckDB's, such as ``memory_limit``.

    Attributes
    ----------
    mirroring, recall
        As of a session over files; a lake has no mirror.
    """

    def __init__(self, server: Server, **settings: str | int) -> None:
        super().__init__()
        self._server = server
        self._settings = settings
        self._opened: OpenLake | None = None
        self._pinned: LakeSnapshot | None = None
        self._newer_told = False
        self._stopped: float | None = None
        self.mirroring = Mirroring(None)
        self.recall = Recall()

    @property
    def snapshot(self) -> LakeSnapshot:
        """The snapshot that the last cell read, or the newest one before the first cell."""
        attached = self._opened.attachment.snapshot if self._opened else None
        return attached or self.refresh()

    @property
    def catalog(self) -> LakeCatalog:
        """The tables and column types of that snapshot."""
        self.snapshot  # noqa: B018  # attaches it
        assert self._opened is not None and self._opened.attachment.catalog is not None
        return self._opened.attachment.catalog

    def refresh(self) -> LakeSnapshot:
        """Move on to the newest snapshot, if nothing is pinned, and return the one in use.

        Raises
        ------
        MissingDatabase
            There is no lake, or the pinned snapshot has expired.
        DatabaseError
            The catalogue cannot be reached or read.
        """
        with self._lock, catalogue_served(self._server):
            try:
                return self._refreshed()
            except duckdb.Error as error:
                stop_if_interrupted(error)
            self._forget()  # the connection to the catalogue may have broken since the last cell
            try:
                return self._refreshed()
            except duckdb.Error as error:
                stop_if_interrupted(error)
                failed = unreadable(error, self._server)
            raise failed

    def pin(self, version: str | None = None) -> LakeSnapshot:
        """Keep to one version, by default the newest, until `unpin`.

        Raises
        ------
        MissingDatabase
            There is no such version; the hint lists those that are there.
        """
        with self._lock:
            self._newer_told = False
            if version is None:
                self._pinned = None
                self._pinned = self.refresh()
            else:
                self.refresh()
                self._pinned = named(snapshots(self._open.con, self._server), version, self._server)
            return self.refresh()

    def unpin(self) -> LakeSnapshot:
        """Go on with the newest snapshot, which is returned."""
        with self._lock:
            self._pinned = None
            return self.refresh()

    def is_at(self, version: str | None) -> bool:
        """Whether the snapshot in use is that of a version, by default the newest there is."""
        with self._lock:
            snapshot = self._opened.attachment.snapshot if self._opened else None
            if snapshot is None or version is not None:
                return snapshot is not None and snapshot.id == version
            return snapshot.number == newest_number(self._open.con)

    def _ran(
        self, passed: Sequence[Passed], parameters: Mapping[str, object], variables: Mapping[str, object]
    ) -> list[Ran]:
        with self._lock:
            self._stopped = None
            self.refresh()
            with self._served():
                self._tell_newer()
                refuse_drops(self._open.con, passed, self.catalog)
                return self._unexpired(lambda: self._open.runner.attempt(passed, parameters, variables))

    def describe(
        self, passed: Passed, values: Mapping[str, object]
    ) -> tuple[list[tuple[str, str]], list[str]]:
        """Name and type of each column of a query, which is not run, and what is to be said of its tables.

        Raises
        ------
        QueryError
            The engine refuses the statement.
        """
        with self._lock, self._served():
            self._tell_newer()
            return self._unexpired(lambda: self._open.describe(passed, values))

    def recalled(self, passed: Passed, parameters: Mapping[str, object], run: Run, *, engine: str) -> Fetched:
        """Take the result of a statement on the snapshot in use from the cache, or have an engine run it."""
        with self._lock:
            return self.recall.fetch(passed, parameters, self._open.attachment, run, engine=engine)

    def files(self, ask: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Ask something of the connection that has the lake attached."""
        with self._lock:
            return ask(self._open.con)

    def tables(self) -> list[TableReport]:
        """List the tables of the newest snapshot."""
        self.refresh()
        return self.catalog.tables()

    def reader(self) -> AnalyticsConnection:
        """A gated connection to the snapshot in use; it keeps the session alive, which must not `refresh`."""
        self.catalog  # noqa: B018  # attaches the snapshot
        cursor = self._open.con.cursor()
        cursor.execute("USE analytics")
        return AnalyticsConnection(
            cursor,
            self._prepare,
            place=lambda: (self._server, self.snapshot.id),
            served=self._served,
        )

    def interrupt(self) -> None:
        """Stop the running statement; harmless when none runs."""
        if self._opened is None:
            return
        self._opened.con.interrupt()
        self._stopped = self._stopped or time.monotonic()
        if time.monotonic() - self._stopped > _PATIENCE:
            cut(self._server, self._opened.folder)

    def close(self) -> None:
        """Close the engine."""
        with self._lock:
            self._forget()

    @property
    def _engine(self) -> duckdb.DuckDBPyConnection | None:
        return self._opened.con if self._opened else None

    @property
    def _open(self) -> OpenLake:
        if self._opened is None:
            self._opened = OpenLake(self._server, self._settings)
            self._opened.runner.share(self.recall)
        return self._opened

    def _served(self) -> AbstractContextManager[None]:
        """Do not let a block wait for a server that has fallen silent."""
        return served(self._server, self._open.folder)

    def _refreshed(self) -> LakeSnapshot:
        self._open.check()
        attachment = self._open.attachment
        wanted = self._pinned.number if self._pinned else newest_number(self._open.con)
        if attachment.snapshot is None or attachment.snapshot.number != wanted:
            found = snapshots(self._open.con, self._server)
            chosen = next((each for each in found if each.number == wanted), None)
            if chosen is None:
                raise expired(self._server, self._pinned)
            attachment.take(chosen)
        assert attachment.snapshot is not None
        return attachment.snapshot

    def _tell_newer(self) -> None:
        """Say once that there is a newer version than the pinned one."""
        if self._pinned is None or self._newer_told:
            return
        newest = snapshots(self._open.con, self._server)[0]
        if newest.id != self._pinned.id:
            self._newer_told = True
            self._open.attachment.notices.append(NEWER.format(self._pinned.id, newest.id))

    def _unexpired(self, attempt: Callable[[], T]) -> T:
        """Do something that reads; once more where the snapshot went meanwhile."""
        try:
            return attempt()
        except QueryError as error:
            if is_lost(error.__cause__, self._server):
                self._forget()
                raise DatabaseError(
                    "the connection to the catalogue broke while the cell ran",
                    path=self._server.name,
                    hint="run the cell again when the server is back; it connects anew by itself",
                ) from None
            if self._expired(error):
                return attempt()
            if found := trouble(error.__cause__, self._server):
                if isinstance(found, UnreadableDatabase):
                    self._forget()  # the next cell brings the keys as they are then
                raise found from None
            raise

    def _expired(self, error: QueryError) -> bool:
        """Whether the snapshot has gone since the cell began; then there is a newer one now.

        Raises
        ------
        MissingDatabase
            It is the pinned one.
        """
        snapshot = self._open.attachment.snapshot
        there = {each.number for each in snapshots(self._open.con, self._server)}
        if snapshot is None or snapshot.number in there:
            return False
        if self._pinned is not None:
            raise expired(self._server, self._pinned) from error
        return self.refresh().number != snapshot.number

    def _prepare(self, passed: Passed) -> None:
        with self._lock, self._served(), self._open.runner.explained(passed.sql, passed.line):
            refuse_drops(self._open.con, [passed], self.catalog)
            self._open.runner.ensure(passed)

    def _forget(self) -> None:
        if self._opened is not None:
            close(self._opened.con)
        self._opened = None
