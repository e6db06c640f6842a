"""Consistent copies of SQLite files while other processes may write.

Three ways. Byte by byte, where `greynb.databases.frozen` finds that the file stays as it is meanwhile. Else
through SQLite's online backup on an open connection (https://www.sqlite.org/backup.html): in steps, so that
progress shows and Ctrl-C works, but inside one open read transaction: without it the backup starts again at
each commit of another process and never ends under a steady writer. And file by file, for a database that no
process has open but that SQLite could only read after repairing it in place (a hot journal, a WAL without its
``-shm``): the repair then happens in the copy.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from greynb.databases.descriptors import copy_bytes
from greynb.databases.fingerprint import SIDE_FILES
from greynb.databases.frozen import copy_frozen
from greynb.databases.locks import SLICE, wait_for_lock
from greynb.databases.sqlite import database_uri, file_error
from greynb.errors import DatabaseError, QueryInterrupted

LOCK_TIMEOUT: Final = 10.0
"""Seconds to wait for a reader's turn while another process keeps the whole file locked."""

_STEP_PAGES: Final = 2048
_SPARE: Final = 16 << 20
_WRITE_ERRORS: Final = {
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_DIR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
}


def connect(path: Path, mode: str = "ro") -> sqlite3.Connection:
    """Open a SQLite file that is there, for `copy_database`; nothing of it is read yet.

    Parameters
    ----------
    path
        The file.
    mode
        ``"ro"``, or ``"rw"`` where SQLite may repair and tidy up the file as any program would.

    Raises
    ------
    UnreadableDatabase
        It may not be opened.
    """
    with mapped(path):
        return sqlite3.connect(
            database_uri(path.absolute(), mode),
            uri=True,
            timeout=SLICE,
            isolation_level=None,
            check_same_thread=False,
        )


@contextmanager
def mapped(path: Path, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
    """Turn errors of SQLite about a file into greynb's."""
    try:
        yield
    except sqlite3.Error as error:
        raise file_error(error, path, timeout) from error


def data_version(con: sqlite3.Connection) -> int:
    """A number that changes when another connection commits (https://www.sqlite.org/pragma.html)."""
    return int(con.execute("PRAGMA data_version").fetchone()[0])


@contextmanager
def reading(
    con: sqlite3.Connection, path: Path, *, timeout: float = LOCK_TIMEOUT, stop: threading.Event | None = None
) -> Iterator[None]:
    """Keep one read transaction open during the block.

    Raises
    ------
    DatabaseLocked
        Another process kept the file locked for `timeout` seconds.
    """

    def begin() -> None:
        con.execute("BEGIN")
        try:
            con.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except BaseException:
            con.execute("ROLLBACK")
            raise

    with mapped(path, timeout):
        wait_for_lock(begin, path=path, timeout=timeout, stop=stop)
    try:
        yield
    finally:
        con.execute("ROLLBACK")


def copy_database(
    con: sqlite3.Connection,
    target: Path,
    *,
    path: Path,
    stop: threading.Event | None = None,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Write what an open read transaction sees to a new file, in ``journal_mode=DELETE``.

    Parameters
    ----------
    con
        A connection inside `reading`.
    target
        A file that does not exist yet; removed again when the copy fails.
    path
        The file behind `con`, for errors.
    stop
        Ends the copy when set by another thread.
    progress
        Told the part done, 0 to 1; may raise to end the copy.

    Raises
    ------
    OSError
        The copy could not be written; errors of the source are greynb's.
    """

    def told(done: float) -> None:
        if stop is not None and stop.is_set():
            raise QueryInterrupted("stopped while copying the database", path=path)
        if progress is not None:
            progress(done)

    def watch(_status: int, remaining: int, total: int) -> None:
        told(1 - remaining / total if total else 1.0)

    try:
        with mapped(path):
            size = _size_of(con)
            if size and copy_frozen(con, path, target, size, told):
                return
        with mapped(path), closing(sqlite3.connect(target, isolation_level=None)) as copy:
            copy.execute("PRAGMA synchronous = OFF")
            with _writing(target):
                con.backup(copy, pages=_STEP_PAGES, progress=watch)
            # The copy of a database in WAL says that it is in WAL, and would make files beside itself.
            copy.execute("PRAGMA journal_mode = DELETE").fetchone()
    except BaseException:
        remove_database(target)
        raise


def _size_of(con: sqlite3.Connection) -> int:
    """Bytes of the database that a read transaction sees."""
    pages, size = (con.execute(f"PRAGMA {each}").fetchone()[0] for each in ("page_count", "page_size"))
    return int(pages * size)


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    """Tell errors of the file that is written from those of the one that is read."""
    try:
        yield
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target)) from error
        if error.sqlite_errorcode in _WRITE_ERRORS:
            raise OSError(errno.EIO, "Input/output error while writing", str(target)) from error
        raise


def copy_files(path: Path, target: Path, *, stop: threading.Event | None = None) -> None:
    """Copy a database that nobody has open, file by file, and let SQLite repair the copy.

    The caller makes sure that the files were the same before and after.
    """
    try:
        for ending in ("", *SIDE_FILES):
            if not ending or Path(f"{path}{ending}").exists():
                _copy_file(f"{path}{ending}", f"{target}{ending}", stop)
        target.chmod(0o600)
        with mapped(path), closing(sqlite3.connect(target, isolation_level=None)) as copy:
            copy.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            copy.execute("PRAGMA journal_mode = DELETE").fetchone()
    except BaseException:
        remove_database(target)
        raise


def check_space(folder: Path, needed: int) -> None:
    """Refuse to begin what would fill the disk.

    Parameters
    ----------
    folder
        Where it would be written.
    needed
        Bytes.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE:
        raise DatabaseError(
            f"{(needed + _SPARE) / 1e6:,.0f} MB are needed in {folder}, {free / 1e6:,.0f} MB are free",
            hint="make room there; for private copies of a reader, TMPDIR chooses another folder",
        )


def size_with_log(path: Path) -> int:
    """Bytes of a database file and of its write-ahead log: an upper bound for a copy."""
    sizes = [path.stat().st_size]
    for ending in SIDE_FILES:
        try:
            sizes.append(Path(f"{path}{ending}").stat().st_size)
        except OSError:
            continue
    return sum(sizes)


def remove_database(path: Path) -> None:
    """Remove a private database file and what SQLite may have left beside it."""
    for ending in ("", *SIDE_FILES, "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)


def _copy_file(source: str, target: str, stop: threading.Event | None) -> None:
    def go_on() -> None:
        if stop is not None and stop.is_set():
            raise QueryInterrupted("stopped while copying the database", path=source)

    copy_bytes(source, target, go_on)
