"""Sessions and connections by route, shared inside one process and closed at its end.

A session belongs to a file, not to "the current database": asking again for the same route gives the same
session, and a changed route gives another one, so no cell can hit the database that was used last by chance.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from greynb.errors import GreynbError, UsageError
from greynb.locating import located

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    import psycopg

    from greynb.databases.reading import CellSession, Version
    from greynb.databases.readonly import AnalyticsConnection
    from greynb.databases.snapshot import SnapshotSource
    from greynb.databases.staging import StagingSession
    from greynb.mirror.background import BackgroundMirrors
    from greynb.mirror.shelf import Shelf
    from greynb.postgres.staging import PostgresStaging
    from greynb.routing import Route, Server


class _Closable(Protocol):
    def close(self) -> None: ...


Session = TypeVar("Session", bound=_Closable)

# By process, purpose, role and mode, and place; of a server the whole address, so that a corrected password
# makes a new session.
_Key = tuple[int, str, str, "Path | Server"]
_sessions: dict[_Key, _Closable] = {}
_pins: dict[tuple[int, Path | Server], Version] = {}
_lock = threading.Lock()


def analytics_session(route: Route) -> CellSession:
    """The session that runs this route's ``%%analytics`` cells, on the newest version of its file.

    The file is not looked at before the first cell: a copy of it may take long, and belongs to the worker.
    """
    from greynb.opening import opened

    def make() -> CellSession:
        return opened(route) or _of_file(route)

    return _shared("cells", route, make)


def _of_file(route: Route) -> CellSession:
    from greynb.databases.analytics import AnalyticsSession

    return AnalyticsSession(snapshot_source(route), mirrors(route))


def pin(route: Route, version: str | None = None) -> Version:
    """Keep cells and new connections of this analytics file to one version.

    Parameters
    ----------
    route
        The route of analytics.
    version
        The name or number of a published version; None for the newest.

    Raises
    ------
    MissingDatabase
        There is no such version; the hint lists those that are there.
    """
    snapshot = analytics_session(route).pin(version)
    _pins[os.getpid(), route.place] = snapshot
    return snapshot


def unpin(route: Route) -> Version | None:
    """Go back to the newest version, which is returned; None where nothing was pinned."""
    if _pins.pop((os.getpid(), route.place), None) is None:
        return None
    return analytics_session(route).unpin()


def pinned(route: Route) -> Version | None:
    """The version to which this analytics file is kept; None where cells read the newest."""
    return _pins.get((os.getpid(), route.place))


def staging_session(route: Route) -> StagingSession | PostgresStaging:
    """The session that runs this route's ``%%staging`` cells."""

    def opened() -> StagingSession | PostgresStaging:
        if route.postgres is not None:
            from greynb.postgres.staging import PostgresStaging

            return PostgresStaging(route.postgres)
        from greynb.databases.staging import StagingSession

        return StagingSession(route.path)

    return _shared("cells", route, opened)


def connect(
    route: Route, engine: str | None = None, *, create: bool = False
) -> AnalyticsConnection | sqlite3.Connection | psycopg.Connection[Any]:
    """A raw connection for a route, by default of the engine that serves it; see `greynb.get_conn`.

    With `create`, a staging file that is not there is made, empty; a server has its database already.

    Raises
    ------
    MissingDatabase, UnreadableDatabase
        The file cannot be opened.
    UsageError
        The engine does not serve this role.
    """
    engine = engine or route.dialect
    if (route.role, engine) not in _ENGINES:
        raise UsageError(f"no engine {engine!r} for the role {route.role!r}", hint=_ENGINE_HINT)
    try:
        if create and route.server is None:
            _make_staging(route)
        return _ENGINES[route.role, engine](route)
    except GreynbError as error:
        raise located(error, route) from error.__cause__


def close_all() -> None:
    """Close every shared session of this process; also done at its end."""
    with _lock:
        mine = [key for key in _sessions if key[0] == os.getpid()]
        sessions = [_sessions.pop(key) for key in mine]
        for pinned in [key for key in _pins if key[0] == os.getpid()]:
            del _pins[pinned]
    for session in sessions:
        session.close()


def _shared(purpose: str, route: Route, opened: Callable[[], Session]) -> Session:
    key = _key(purpose, route)
    with _lock:
        if key not in _sessions:
            _sessions[key] = opened()
        return _sessions[key]  # type: ignore[return-value]  # a key names one kind of session


def mirrors(route: Route) -> BackgroundMirrors:
    """Where mirrors of a route's file come from that were not published with it."""
    from greynb.mirror.background import BackgroundMirrors

    return BackgroundMirrors(shelf(route))


def shelf(route: Route) -> Shelf:
    """Where mirrors of a route's file stand that were not published with it."""
    from platformdirs import user_cache_path

    from greynb.mirror.shelf import Shelf

    return Shelf(route.path, user_cache_path("greynb", appauthor=False) / "mirrors")


def snapshot_source(route: Route) -> SnapshotSource:
    """Where snapshots of a route come from; of the pinned version only, where one is pinned."""
    from greynb.databases.snapshot import Snapshot, SnapshotSource

    source = SnapshotSource(route.path, shared=route.shared)
    kept = pinned(route)
    if isinstance(kept, Snapshot):
        source.pin(kept)
    return source


def _key(purpose: str, route: Route) -> _Key:
    return os.getpid(), purpose, f"{route.role}:{route.mode}", route.place


def _analytics_duckdb(route: Route) -> AnalyticsConnection:
    """A gated connection that stays on the version that is newest now, for as long as it lives."""
    if route.postgres is not None:
        return analytics_session(route).reader()
    if route.lake is not None:
        return _lake_duckdb(route, route.lake)
    from greynb.databases.analytics import AnalyticsSession

    source = snapshot_source(route)
    try:
        newest = source.acquire()
    except BaseException:
        source.close()
        raise
    key = _key("pinned", route)
    with _lock:
        session = _sessions.get(key)
        if isinstance(session, AnalyticsSession) and session.snapshot.id == newest.id:
            source.close()
        else:
            # An older session lives on as long as a connection of it does.
            session = _sessions[key] = AnalyticsSession(source, mirrors(route))
        return session.reader()


def _lake_duckdb(route: Route, lake: Server) -> AnalyticsConnection:
    from greynb.lake.session import LakeSession

    key = _key("pinned", route)
    kept = pinned(route)
    version = kept.id if kept else None
    with _lock:
        session = _sessions.get(key)
        if not isinstance(session, LakeSession) or not session.is_at(version):
            session = LakeSession(lake)
            session.pin(version)
            _sessions[key] = session
        return session.reader()


def _analytics_sqlite(route: Route) -> sqlite3.Connection:
    """A read-only SQLite connection to the version that is newest now."""
    from greynb.databases.blocks import SnapshotConnection
    from greynb.databases.sqlite import open_readonly

    source = snapshot_source(route)
    try:
        con = open_readonly(source.acquire().path, factory=SnapshotConnection)
    except BaseException:
        source.close()
        raise
    con.source = source
    return con


def _make_staging(route: Route) -> None:
    from greynb.databases.sqlite import open_writable

    if route.role != "staging":
        raise UsageError("only staging is created: a publication makes analytics", hint="run `greynb sync`")
    open_writable(route.path, create=True).close()


def _staging_postgresql(route: Route) -> psycopg.Connection[Any]:
    from greynb.postgres.connecting import connect as opened

    if route.postgres is None:
        raise UsageError("staging is a file, no PostgreSQL", hint="engine='sqlite', or none")
    return opened(route.postgres)


def _staging_sqlite(route: Route) -> sqlite3.Connection:
    from greynb.databases.blocks import BlockConnection
    from greynb.databases.sqlite import open_writable

    timeout = float(route.options.get("timeout", 5))
    con = open_writable(route.path, timeout=timeout, factory=BlockConnection)
    # A transaction begins by itself before the first write, as users of sqlite3 expect.
    con.isolation_level = "IMMEDIATE"
    return con


_ENGINES: dict[
    tuple[str, str], Callable[[Route], AnalyticsConnection | sqlite3.Connection | psycopg.Connection[Any]]
] = {
    ("analytics", "duckdb"): _analytics_duckdb,
    ("analytics", "sqlite"): _analytics_sqlite,
    ("staging", "sqlite"): _staging_sqlite,
    ("staging", "postgresql"): _staging_postgresql,
}
_ENGINE_HINT = "analytics: engine='duckdb' (default) or 'sqlite'; staging: 'sqlite' or 'postgresql'"


def _leave_to_parent() -> None:
    """In a forked process: never take apart what the parent opened.

    DuckDB's threads do not come along, and taking an engine apart without them ends the process with a
    segmentation fault. So the inherited sessions are kept for ever, by a reference that nobody gives back.
    """
    global _lock
    import ctypes

    for session in _sessions.values():
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))
    _sessions.clear()
    _pins.clear()
    _lock = threading.Lock()


atexit.register(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
