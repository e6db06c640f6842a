"""The collector's own database helpers, by their names, over greynb's routing.

Its scripts run unchanged where their ``scripts/db_utils.py`` says ``from greynb.db_utils import *``.
Connections are plain `sqlite3.Connection` objects that begin transactions by themselves and wait for
``commit()``, as ``sqlite3.connect`` gives them. What goes wrong on opening is greynb's error and, for
scripts that catch ``sqlite3.Error``, an error of sqlite3 as well.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from greynb.databases.sqlite import open_readonly, open_writable
from greynb.errors import DatabaseError, DatabaseLocked, MissingDatabase, UnreadableDatabase
from greynb.routing.route import Role
from greynb.routing.settings import DEFAULT_FILES, Settings
from greynb.routing.targets import parse_target

__all__ = ["get_analytics_db_path", "get_staging_db_path", "open_sqlite_readonly", "open_sqlite_writable"]

_TIMEOUT = 5.0  # seconds; what sqlite3.connect waits by default


class MissingFile(MissingDatabase, sqlite3.OperationalError):
    """`MissingDatabase`, as sqlite3 would have raised it."""


class UnreadableFile(UnreadableDatabase, sqlite3.DatabaseError):
    """`UnreadableDatabase`, as sqlite3 would have raised it."""


class LockedFile(DatabaseLocked, sqlite3.OperationalError):
    """`DatabaseLocked`, as sqlite3 would have raised it."""


def open_sqlite_writable(db_path: str | os.PathLike[str] | None = None) -> sqlite3.Connection:
    """Open a database for writing: WAL, foreign keys enforced, a wait for locks (5 s, or the URL's timeout).

    Parameters
    ----------
    db_path
        A path or URL; None for the staging file that the environment names. Created where only its
        folder exists.

    Raises
    ------
    RoutingError
        `db_path`, or the environment, names no file that greynb can use.
    MissingDatabase, UnreadableDatabase, DatabaseLocked
        The file cannot be opened; each is an error of sqlite3, too.
    """
    return _opened(open_writable, "staging", db_path)


def open_sqlite_readonly(db_path: str | os.PathLike[str] | None = None) -> sqlite3.Connection:
    """Open a database for reading: ``mode=ro`` and ``query_only``. Never creates it.

    Parameters
    ----------
    db_path
        A path or URL; None for the analytics file that the environment names.

    Raises
    ------
    RoutingError
        `db_path`, or the environment, names no file that greynb can use.
    MissingDatabase, UnreadableDatabase, DatabaseLocked
        The file cannot be opened; each is an error of sqlite3, too.
    """
    return _opened(open_readonly, "analytics", db_path)


def get_staging_db_path(default: str = DEFAULT_FILES["staging"]) -> str:
    """Say which file takes the writes, as an absolute path; `default` where no variable is set."""
    return _path_of("staging", default)


def get_analytics_db_path(default: str = DEFAULT_FILES["analytics"]) -> str:
    """Say which file serves the reads, as an absolute path; `default` where no variable is set."""
    return _path_of("analytics", default)


def _path_of(role: Role, default: str) -> str:
    settings = Settings.current()
    route = settings.route(role)
    if route.variable is None and default != DEFAULT_FILES[role]:
        return str(parse_target(default, base=settings.cwd).path)
    return str(route.path)


def _opened(
    opener: Callable[..., sqlite3.Connection], role: Role, db_path: str | os.PathLike[str] | None
) -> sqlite3.Connection:
    path, options, chosen_by = _chosen(role, db_path)
    with _also_sqlite_errors(role, chosen_by):
        con = opener(path, timeout=float(options.get("timeout", _TIMEOUT)))
    # The scripts rely on sqlite3's own BEGIN before a write: their rollback() must undo something.
    con.isolation_level = "DEFERRED"
    return con


def _chosen(role: Role, db_path: str | os.PathLike[str] | None) -> tuple[Path, Mapping[str, str], str | None]:
    if db_path is None:
        route = Settings.current().route(role)
        return route.path, route.options, route.chosen_by
    if not isinstance(db_path, str):
        return Path(db_path), {}, None
    return *parse_target(db_path, base=Path.cwd()), None


@contextmanager
def _also_sqlite_errors(role: Role, chosen_by: str | None) -> Iterator[None]:
    try:
        yield
    except (MissingDatabase, UnreadableDatabase, DatabaseLocked) as error:
        raise _SQLITE_KIND[type(error)](
            error.message,
            detail=error.detail,
            role=role,
            path=error.path,
            chosen_by=chosen_by,
            hint=error.hint,
        ) from error


_SQLITE_KIND: dict[type[DatabaseError], type[DatabaseError]] = {
    MissingDatabase: MissingFile,
    UnreadableDatabase: UnreadableFile,
    DatabaseLocked: LockedFile,
}
