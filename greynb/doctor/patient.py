"""The databases as the doctor finds them: opened to be read, and left as they were."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greynb.connections import snapshot_source
from greynb.databases.copying import connect, mapped
from greynb.databases.descriptors import open_database
from greynb.databases.fingerprint import MAGIC, says_wal
from greynb.databases.generations import Generation, generation_at
from greynb.databases.snapshot import SnapshotSource
from greynb.databases.sqlite import database_uri
from greynb.doctor.remote import Remote
from greynb.doctor.working import Work
from greynb.errors import GreynbError, RoutingError
from greynb.publish.lag import lag
from greynb.routing import Role, Route, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greynb.databases.census import TableCensus

HEAD: Final = 4096
"""Bytes at the beginning of a file that are looked at."""
WAIT: Final = 5.0
"""Seconds that a check waits for another process's lock."""
_ROLES: Final[tuple[Role, ...]] = ("staging", "analytics")


class Subject:
    """The file of one role.

    Parameters
    ----------
    route
        Which file, and who chose it.
    work
        What its connections belong to.
    copy
        Where its content is published to; None for the published file itself.
    """

    def __init__(self, route: Route, work: Work, copy: Path | None = None) -> None:
        self._copy = copy
        self.route = route
        self.role: Role = route.role
        self.path = route.path
        self._work = work
        self._source: SnapshotSource | None = None
        self._is_direct = False

    @property
    def real(self) -> Path:
        """The file without symbolic links: beside it SQLite keeps the log and the journal."""
        return Path(os.path.realpath(self.path))

    def beside(self, ending: str) -> Path:
        """The ``-wal``, ``-shm`` or ``-journal``."""
        return Path(f"{self.real}{ending}")

    def size_of(self, ending: str) -> int | None:
        """Bytes of what stands beside the file; None where it is not there."""
        try:
            return self.beside(ending).stat().st_size
        except OSError:
            return None

    @cached_property
    def stat(self) -> os.stat_result | OSError:
        """What the system says of the file, or its refusal."""
        try:
            return self.path.stat()
        except OSError as error:
            return error

    @property
    def is_there(self) -> bool:
        """Whether there is a file."""
        return not isinstance(self.stat, FileNotFoundError | NotADirectoryError)

    @cached_property
    def head(self) -> bytes | OSError:
        """The first bytes, or why they cannot be read."""
        try:
            with open_database(self.path) as file:
                return file.read(HEAD) or b""
        except OSError as error:
            return error

    @property
    def is_sqlite(self) -> bool:
        """Whether the file can be read and begins as SQLite files do; so does an empty one."""
        return isinstance(self.head, bytes) and (not self.head or self.head.startswith(MAGIC))

    @property
    def is_wal(self) -> bool:
        """Whether the header says that the database is in WAL."""
        return isinstance(self.head, bytes) and says_wal(self.head)

    @cached_property
    def generation(self) -> Generation | None:
        """The published version that the path leads to; None where it leads to another file."""
        return generation_at(self.path)

    @cached_property
    def trouble(self) -> GreynbError | None:
        """Why the schema cannot be read; None where it can."""
        try:
            with mapped(self.path, WAIT):
                self.con.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except GreynbError as error:
            return error
        return None

    @property
    def is_readable(self) -> bool:
        """Whether checks may ask for its content."""
        return self.is_there and self.is_sqlite and self.trouble is None

    @cached_property
    def con(self) -> sqlite3.Connection:
        """A connection that only reads.

        Staging is opened as any program would open it, where that leaves no trace; else, and on the side of
        the readers, what the cells would read is opened: a version, or a private copy.

        Raises
        ------
        GreynbError
            The file cannot be opened or copied.
        """
        if self.role == "staging" and (mode := self._mode()):
            self._is_direct = True
            con = connect(self.path, mode)
        else:
            self._source = snapshot_source(self.route)
            still = self._source.acquire().path
            with mapped(self.path):
                con = sqlite3.connect(
                    database_uri(still, "ro&immutable=1"),
                    uri=True,
                    isolation_level=None,
                    check_same_thread=False,
                )
        con.execute("PRAGMA query_only = ON")
        con.execute(f"PRAGMA busy_timeout = {round(WAIT * 1000)}")
        return self._work.opened(con)

    def _mode(self) -> str:
        """How SQLite can open the file without a repair and without leaving files; empty if not at all.

        A connection that may write takes away the empty ``-wal`` and ``-shm`` that it made; one that only
        reads leaves them.
        """
        if not self.is_wal:
            return "" if self.size_of("-journal") else "ro"
        if self.size_of("-shm") is not None:
            return "ro"
        tidy = os.access(self.path, os.W_OK) and os.access(self.real.parent, os.W_OK)
        return "rw" if tidy and not self.size_of("-wal") else ""

    @property
    def is_live(self) -> bool:
        """Whether the connection is to the file itself, in a mode in which reading keeps writers waiting."""
        return self._is_direct and not self.is_wal

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """The rows of one statement.

        Raises
        ------
        GreynbError
            SQLite refused it, or it was stopped.
        """
        self._work.check()
        with mapped(self.path, WAIT):
            try:
                return self.con.execute(sql).fetchall()
            except sqlite3.OperationalError:
                self._work.check()
                raise

    @cached_property
    def tables(self) -> dict[str, TableCensus]:
        """The rows of each table and the classes of the values in its columns; counted once."""
        from greynb.doctor.counting import storage_classes

        found = self._published() or storage_classes(self.rows)
        return {name: each for name, each in found.items() if each.kind == "table"}

    def _published(self) -> Mapping[str, TableCensus] | None:
        """What a publication has counted of just this content."""
        version = self.generation if self._copy is None else generation_at(self._copy)
        if version is None or version.manifest is None or not version.is_intact():
            return None
        if self._copy is None:
            return version.manifest.tables()
        same = version.manifest.mode in ("full", "incremental") and lag(self.path, self._copy).seconds == 0
        return version.manifest.tables() if same else None

    @cached_property
    def still(self) -> Path:
        """A file with the same content that nobody writes to: a version, or a private copy."""
        if self._source is None:
            self._source = SnapshotSource(self.path, shared=True)
        return self._source.acquire().path

    def interrupt(self) -> None:
        """Stop a copy that is being made."""
        if self._source is not None:
            self._source.interrupt()

    def close(self) -> None:
        """Let everything go."""
        if "con" in self.__dict__:
            self.con.close()
        if self._source is not None:
            self._source.close()


class Patient:
    """Both roles' files, for one examination.

    Parameters
    ----------
    settings
        What the environment says.
    max_lag
        Seconds that analytics may be behind; None for a day, which is then no error.
    """

    def __init__(self, settings: Settings, *, max_lag: float | None = None) -> None:
        self.settings = settings
        self.max_lag = max_lag
        self.work = Work()
        self.refused: dict[Role, RoutingError] = {}
        self.routes: dict[Role, Route] = {}
        """Those that lead to files."""
        self.servers: dict[Role, Route] = {}
        for role in _ROLES:
            try:
                route = settings.route(role)
                (self.routes if route.server is None else self.servers)[role] = route
            except RoutingError as error:
                self.refused[role] = error
        self.remote = Remote(self.servers)
        routes = [each for each in self.routes.values() if each.role == "staging" or not each.shared]
        target = self.routes.get("analytics")
        self.subjects = [
            Subject(route, self.work, target.path if target and route.role == "staging" else None)
            for route in routes
        ]

    def subject(self, role: Role) -> Subject | None:
        """The file of a role; None where that is not known, and for analytics where staging serves both."""
        return next((each for each in self.subjects if each.role == role), None)

    @property
    def readable(self) -> list[Subject]:
        """The files whose content can be asked for."""
        return [each for each in self.subjects if each.is_readable]

    @property
    def content(self) -> list[Subject]:
        """The file whose rows are looked at: staging, or analytics where that is all there is."""
        return self.readable[:1]

    def interrupt(self) -> None:
        """Stop the examination; for other threads, any number of times."""
        self.work.interrupt()
        for each in self.subjects:
            each.interrupt()

    def close(self) -> None:
        """Let all files go."""
        for each in self.subjects:
            with suppress(sqlite3.Error):
                each.close()
