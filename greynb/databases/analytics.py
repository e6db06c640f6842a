"""The analytics side: DuckDB over one still version of the analytics file, read-only by construction.

One in-memory DuckDB instance per session. The current snapshot, its columnar mirror or its SQLite file, is
attached read-only under an internal name; what users see is the in-memory database ``analytics``, with one
typed view per table. The instance cannot reach other files but mirrors (external access is off and the
configuration is locked), and every statement passes the gate before it reaches the engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from greynb.databases.attachment import Attachment
from greynb.databases.engine import locked_instance
from greynb.databases.enginesession import EngineSession, Values
from greynb.databases.gate import Passed
from greynb.databases.generations import homes
from greynb.databases.insqlite import SqliteDialect, is_foreign
from greynb.databases.mirroring import Mirroring, Mirrors
from greynb.databases.pinning import newer_than
from greynb.databases.readonly import AnalyticsConnection
from greynb.databases.result import Ran
from greynb.databases.running import Runner
from greynb.databases.temporary import names_temporary, refuse_drops
from greynb.errors import DatabaseError, GreynbError, QueryError, QueryInterrupted

if TYPE_CHECKING:
    import duckdb

    from greynb.databases.reading import AnyCatalog
    from greynb.databases.reports import TableReport
    from greynb.databases.snapshot import Snapshot, SnapshotSource

CHANGED = "the analytics file changed while it was read; the cell was run again on a private copy"


class AnalyticsSession(EngineSession):
    """Runs gated SQL on the newest snapshot of one analytics file.

    Temporary tables and views live as long as the session, across new versions of the file. One statement
    list runs at a time; `interrupt` and `progress` may be called from other threads meanwhile.

    Parameters
    ----------
    source
        Where snapshots of the analytics file come from; closed together with the session.
    mirrors
        Where mirrors of versions come from that have none of their own; closed together with the session.
    settings
        DuckDB's, such as ``memory_limit``.

    Attributes
    ----------
    mirroring
        Which of the two is read.
    """

    def __init__(self, source: SnapshotSource, mirrors: Mirrors | None = None, **settings: str | int) -> None:
        super().__init__()
        self._source = source
        self.mirroring = Mirroring(mirrors)
        self._newer_told = False
        self._con = locked_instance({*homes(source.path), *self.mirroring.folders}, **settings)
        self._attachment = Attachment(self._con, source)
        self._in_sqlite = SqliteDialect()
        self._runner = Runner(self._con, self._attachment)
        self.recall = self._runner.recall  # off until it is given a cache

    @property
    def snapshot(self) -> Snapshot:
        """The version that the last cell read, or the newest one before the first cell."""
        return self._attachment.snapshot or self.refresh()

    @property
    def catalog(self) -> AnyCatalog:
        """The tables and column types of that version."""
        if self._attachment.catalog is None:
            self.refresh()
        assert self._attachment.catalog is not None
        return self._attachment.catalog

    def tables(self) -> list[TableReport]:
        """The tables and views of that version, also those of live rows together with archived ones."""
        with self._lock:
            found = self.catalog.tables()
            archived = self._attachment.archived
            return [*found, *(archived.tables() if archived else ())]

    def refresh(self) -> Snapshot:
        """Move on to the newest version of the file, if there is one, and return the version in use."""
        with self._lock:
            snapshot = self._source.acquire()
            mirror = self.mirroring.of(snapshot, self._attachment.is_broken)
            if snapshot is not self._attachment.snapshot or mirror != self._attachment.mirror:
                with self._runner.explained():
                    self._attachment.take(snapshot, mirror)
            self.mirroring.taken(self._attachment.mirror)
            return self._attachment.snapshot or snapshot

    def pin(self, version: str | None = None) -> Snapshot:
        """Keep to one version, by default the newest, until `unpin`; raises as `SnapshotSource.pin` does."""
        with self._lock:
            self._newer_told = False
            self._source.pin(version)
            return self.refresh()

    def unpin(self) -> Snapshot:
        """Go on with the newest version, which is returned."""
        with self._lock:
            self._source.unpin()
            return self.refresh()

    def _tell_newer(self) -> None:
        """Say once that there is a newer version than the pinned one."""
        pinned = self._source.pinned
        if pinned is None or self._newer_told:
            return
        newer = newer_than(pinned.source, pinned.id)
        if newer is not None:
            self._newer_told = True
            self._attachment.say(newer)

    def _take_copy(self) -> None:
        with self._runner.explained():
            self._attachment.take(self._source.copy())

    def fetch(self, sql: str, parameters: Values = None, *, variables: Values = None) -> list[Ran]:
        """As `EngineSession.fetch`; what only SQLite understands is run by SQLite."""
        try:
            return super().fetch(sql, parameters, variables=variables)
        except QueryError as error:
            if not is_foreign(error):
                raise
            with self._lock:
                if names_temporary(self._con, sql):
                    raise
                ran = self._in_sqlite.ran(self.refresh(), sql, parameters or {}, error)
            if ran is None:
                raise
            return [ran]

    @property
    def _engine(self) -> duckdb.DuckDBPyConnection:
        return self._con

    def _ran(
        self, passed: Sequence[Passed], parameters: Mapping[str, object], variables: Mapping[str, object]
    ) -> list[Ran]:
        """Run checked statements, again on a private copy where the file was written to meanwhile."""
        arguments = parameters, variables
        with self._lock:
            self.refresh()
            self._tell_newer()
            refuse_drops(self._con, passed, self.catalog)
            if any(each.kind in ("create", "drop") for each in passed):
                return self._once(passed, *arguments)
            try:
                results = self._runner.attempt(passed, *arguments)
            except QueryInterrupted:
                raise
            except GreynbError as error:
                if self._attachment.blames_mirror(error):
                    self.refresh()
                    return self._runner.attempt(passed, *arguments)
                # A file that is being written can also fail to be read.
                if self._is_whole():
                    raise
            else:
                if self._is_whole():
                    return results
            self._take_copy()
            first, *others = self._runner.attempt(passed, *arguments)
            return [first.noted(CHANGED), *others]

    def reader(self) -> AnalyticsConnection:
        """A gated connection of its own to this engine; it keeps the session alive, which must not `refresh`.

        A file that was not published by greynb can be written in place; a result that was read meanwhile is
        refused.
        """
        self.catalog  # noqa: B018  # attaches the version
        cursor = self._con.cursor()
        cursor.execute("USE analytics")
        if self._attachment.archived is not None:
            self._attachment.archived.register_on(cursor)
        return AnalyticsConnection(
            cursor,
            self._prepare,
            verify=self._verify,
            recover=self._recover,
            place=lambda: (self.snapshot.source, self.snapshot.id),
        )

    def interrupt(self) -> None:
        """Stop the running statement, or the copy made for it; harmless when none runs."""
        self._source.interrupt()
        self.mirroring.interrupt()
        self._in_sqlite.interrupt()
        self._con.interrupt()

    def close(self) -> None:
        """Close the engine and remove the private files of its snapshots."""
        with self._lock:
            self.mirroring.close()
            self._con.close()
            self._source.close()

    def _prepare(self, passed: Passed) -> None:
        with self._lock, self._runner.explained(passed.sql, passed.line):
            refuse_drops(self._con, [passed], self.catalog)
            self._runner.ensure(passed)

    def _recover(self, error: Exception, passed: Passed) -> bool:
        with self._lock:
            return self.catalog.recover(error, self._runner.reads(passed))

    def _verify(self) -> None:
        if not self._is_whole():
            raise DatabaseError(
                "the analytics file was written to while it was read",
                role="analytics",
                path=self.snapshot.source,
                hint="try again, or connect again; `greynb sync` publishes without disturbing readers",
            )

    def _is_whole(self) -> bool:
        return self._attachment.is_still or self._source.still_valid(self.snapshot)

    def _once(
        self, passed: Sequence[Passed], parameters: Mapping[str, object], variables: Mapping[str, object]
    ) -> list[Ran]:
        """Run what changes temporary objects: not a second time, hence on a file that nobody writes."""
        if self.snapshot.kind == "link" and not self._attachment.is_still:
            self._take_copy()
        ran = self._runner.attempt(passed, parameters, variables)
        self._verify()
        return ran
