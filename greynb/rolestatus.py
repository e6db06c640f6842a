"""What serves one role now: its file, who chose it, its journal mode, and who is at work on it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from greynb.errors import GreynbError, MissingDatabase
from greynb.routing import Role, Route, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greynb.databases.lockers import Locker

_JOURNALS = {"wal": "WAL", "rollback": "rollback journal"}


@dataclass(frozen=True, slots=True)
class RoleStatus:
    """One role's file.

    Attributes
    ----------
    role
        ``"staging"`` or ``"analytics"``.
    path
        The file, as routed.
    chosen_by
        The variable, and where it was set.
    mode
        ``"dual"``, ``"single"`` or ``"legacy"``.
    exists
        Whether the file is there.
    bytes
        Its size; None where it is missing.
    written
        When it was last written (UTC).
    version
        The published generation, for analytics published by greynb.
    published
        When that version was published (UTC).
    journal
        ``"wal"`` or ``"rollback"``, as the file's header says; None where it does not.
    log_bytes
        Size of the ``-wal`` beside it.
    locks
        Who writes, reads or publishes at this moment, as far as the system lists it (Linux).
    trouble
        Why a server cannot be looked at; empty where it can.
    server
        What kind of server it is, and who is at work on it; empty for a file.
    """

    role: Role
    path: str
    chosen_by: str
    mode: str
    exists: bool
    bytes: int | None
    written: datetime | None
    version: str | None
    published: datetime | None
    journal: str | None = None
    log_bytes: int = 0
    locks: tuple[Locker, ...] = ()
    trouble: str = ""
    server: str = ""

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, times as ISO text."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
        }

    @property
    def state(self) -> str:
        """Size, journal mode (of a file that may be written) and the last write, on one line."""
        log = f", log {self.log_bytes / 1e6:,.1f} MB" if self.log_bytes else ""
        readable = self.journal or self.server or self.version or not self.bytes
        parts = [
            f"{(self.bytes or 0) / 1e6:,.1f} MB",
            f"{_JOURNALS[self.journal]}{log}" if self.journal and not self.version else "",
            "" if readable else "no SQLite database, or not readable: `greynb doctor`",
            self.server,
            f"written {self.written:%Y-%m-%d %H:%M:%S} UTC" if self.written else "",
        ]
        return " · ".join(filter(None, parts))

    @property
    def absent(self) -> str:
        """Why there is nothing to tell of it."""
        if self.trouble:
            return self.trouble
        missing = "run `greynb sync`" if self.role == "analytics" else "made by CREATE TABLE in %%staging"
        return f"not there yet: {missing}"

    def lines(self) -> Iterator[str]:
        """What ``greynb status`` says of the role, line by line."""
        yield f"{self.role:<10} {self.path}"
        yield f"{'':<10} chosen by {self.chosen_by} · {self.mode} mode"
        if not self.exists:
            yield f"{'':<10} {self.absent}"
            return
        yield f"{'':<10} {self.state}"
        for each in self.locks:
            yield f"{'':<10} {each}"


def role_status(route: Route) -> RoleStatus:
    """Say what serves a role now; nothing is opened in SQLite."""
    if route.lake is not None:
        return _of_lake(route, route.lake)
    if route.server is not None:
        return _of_server(route, route.server)
    from greynb.databases.generations import generation_at
    from greynb.publish.outside import look

    generation = generation_at(route.path)
    manifest = generation.manifest if generation and generation.is_intact() else None
    try:
        seen = look(route.path)
    except OSError:
        seen = None
    return RoleStatus(
        role=route.role,
        path=str(route.path),
        chosen_by=route.chosen_by,
        mode=route.mode,
        exists=seen is not None,
        bytes=seen.size if seen else None,
        written=datetime.fromtimestamp(seen.written, UTC) if seen else None,
        version=manifest.id if manifest else None,
        published=manifest.published if manifest else None,
        journal=_journal(route.path) if seen else None,
        log_bytes=seen.log_size if seen else 0,
        locks=tuple(_locks(route)) if seen else (),
    )


def _of_server(route: Route, server: Server) -> RoleStatus:
    found, trouble = None, ""
    try:
        if route.postgres is not None:
            from greynb.postgres.status import examined

            found = examined(route.postgres)
    except GreynbError as error:
        trouble = error.message
    return RoleStatus(
        role=route.role,
        path=server.name,
        chosen_by=route.chosen_by,
        mode=route.mode,
        exists=found is not None,
        bytes=found.bytes if found else None,
        written=None,
        version=None,
        published=None,
        trouble=trouble,
        server=str(found) if found else "",
    )


def _of_lake(route: Route, lake: Server) -> RoleStatus:
    from greynb.lake.status import look_at

    found, trouble = None, ""
    try:
        found = look_at(lake)
    except MissingDatabase:
        pass
    except GreynbError as error:
        trouble = error.message
    return RoleStatus(
        role=route.role,
        path=str(route.place),
        chosen_by=route.chosen_by,
        mode=route.mode,
        exists=found is not None,
        bytes=found.bytes if found else None,
        written=found.newest.published if found else None,
        version=found.newest.id if found else None,
        published=found.published if found else None,
        trouble=trouble,
    )


def _journal(path: Path) -> str | None:
    """The journal mode by the header; None where that is not a database's."""
    from greynb.databases.descriptors import open_database
    from greynb.databases.fingerprint import MAGIC, says_wal

    try:
        with open_database(path) as file:
            head = file.read(20) or b""
    except OSError:
        return None
    if not head.startswith(MAGIC):
        return None
    return "wal" if says_wal(head) else "rollback"


def _locks(route: Route) -> Iterator[Locker]:
    """Who is at work on a file; of analytics also publishers, and those who keep a version."""
    from greynb.databases.generations import MANIFEST, generations, home_of, own_target
    from greynb.databases.lockers import file_lockers, lockers
    from greynb.publish.home import LOCK

    yield from lockers(route.path)
    if route.role == "analytics" and not route.shared:
        home = home_of(own_target(route.path))
        yield from file_lockers(home / LOCK, "publishing")
        for each in generations(home):
            yield from file_lockers(each.folder / MANIFEST, f"keeping {each.folder.name}")
