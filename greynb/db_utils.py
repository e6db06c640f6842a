"""The collector's own database helpers, by their names, over greynb's routing.

Its scripts run unchanged where their ``scripts/db_utils.py`` says ``from greynb.db_utils import *``.
Connections are plain `sqlite3.Connection` objects that begin transactions by themselves and wait for
``commit()``, as ``sqlite3.connect`` gives them. What goes wrong on opening is greynb's error and, for
scripts that catch ``sqlite3.Error``, an error of sqlite3 as well.
"""

from __future__ import annotations

import os
import sqlite3
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from greynb.databases.sqlite import open_readonly, open_writable
from greynb.errors import DatabaseError, DatabaseLocked, MissingDatabase, UnreadableDatabase
from greynb.locating import located
from greynb.routing.route import Role, Route
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
        folder exists, as the scripts expect, with a warning that says so.

    Raises
    ------
    RoutingError
        `db_path`, or the environment, names no file that greynb can use.
    MissingDatabase, UnreadableDatabase, DatabaseLocked
        The file cannot be opened; each is an error of sqlite3, too.
    """
    return _opened(_open_or_create, "staging", db_path)


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
    path, options, route = _chosen(role, db_path)
    with _also_sqlite_errors(route):
        con = opener(path, timeout=float(options.get("timeout", _TIMEOUT)))
    # The scripts rely on sqlite3's own BEGIN before a write: their rollback() must undo something.
    con.isolation_level = "DEFERRED"
    return con


def _chosen(
    role: Role, db_path: str | os.PathLike[str] | None
) -> tuple[Path, Mapping[str, str], Route | None]:
    if not db_path:  # an empty text, too, as the scripts' `--db ""` has always meant
        route = Settings.current().route(role)
        return route.path, route.options, route
    if isinstance(db_path, str):
        target = parse_target(db_path, base=Path.cwd())
        return target.path, target.options, None
    return Path(db_path), {}, None


def _open_or_create(path: Path, *, timeout: float) -> sqlite3.Connection:
    is_new = not path.exists()
    con = open_writable(path, timeout=timeout, create=True)
    if is_new:
        warnings.warn(f"{path} did not exist and was created", stacklevel=4)
    return con


@contextmanager
def _also_sqlite_errors(route: Route | None) -> Iterator[None]:
    try:
        yield
    except (MissingDatabase, UnreadableDatabase, DatabaseLocked) as error:
        if route:
            located(error, route)
        raise _SQLITE_KIND[type(error)](
            error.message,
            detail=error.detail,
            role=error.role,
            path=error.path,
            chosen_by=error.chosen_by,
            hint=error.hint,
        ) from error


_SQLITE_KIND: dict[type[DatabaseError], type[DatabaseError]] = {
    MissingDatabase: MissingFile,
    UnreadableDatabase: UnreadableFile,
    DatabaseLocked: LockedFile,
}
