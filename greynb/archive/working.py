"""What archiving and restoring share: the connection to staging, and the lock on a folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from greynb.databases.oslock import try_lock
from greynb.databases.sqlite import file_error, open_writable
from greynb.errors import DatabaseLocked, UsageError

WAIT: Final = 30.0
"""Seconds to wait for another writer of staging."""
_LOCK: Final = ".greynb-archive.lock"


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Open staging for a block whose errors of SQLite are put into greynb's words.

    Raises
    ------
    MissingDatabase, UnreadableDatabase, DatabaseLocked, QueryError
        It cannot be opened or written.
    """
    with closing(open_writable(path, timeout=WAIT)) as con:
        try:
            con.execute("PRAGMA temp_store = MEMORY")
            con.execute("PRAGMA synchronous = FULL")
            con.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
            yield con
        except sqlite3.Error as error:
            raise file_error(error, path, WAIT) from error


@contextmanager
def alone(folder: Path) -> Iterator[Path]:
    """Keep other archivers out of a folder during the block; gives its absolute path.

    Raises
    ------
    UsageError
        There is no such folder, and none can be made.
    DatabaseLocked
        Another one is at work there.
    """
    try:
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        lock = try_lock(folder / _LOCK, create=True)
    except OSError as error:
        raise UsageError(f"the folder cannot be used: {error.strerror}", path=folder) from error
    if lock is None:
        raise DatabaseLocked("another greynb archive or restore is at work in the folder", path=folder)
    try:
        yield folder
    finally:
        lock.release()
