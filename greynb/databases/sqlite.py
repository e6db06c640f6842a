"""SQLite files: opening them for writing or reading, and one transaction around a block of writes.

Nothing here opens a database file by other means than SQLite. A POSIX process that opens and closes a file
by itself drops the locks that SQLite holds on it elsewhere in the process, which can corrupt the database.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import Final, TypeVar, overload
from urllib.parse import quote as percent_encoded

from greynb.databases.locks import is_busy, locked_error, primary_code
from greynb.errors import GreynbError, MissingDatabase, QueryError, UnreadableDatabase

Connection = TypeVar("Connection", bound=sqlite3.Connection)

_SAVEPOINT: Final = "greynb_atomic"
_CONVERSION_WAIT_MS: Final = 100
_OTHER_FORMATS: Final = (
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"PK\x03\x04", "a zip archive"),
    (8, b"DUCK", "a DuckDB database"),
    (0, b"PAR1", "a Parquet file"),
    (0, b"version https://git-lfs", "a Git LFS pointer; fetch the file itself"),
)


@overload
def open_writable(path: Path, *, timeout: float = 5.0, create: bool = False) -> sqlite3.Connection: ...
@overload
def open_writable(
    path: Path, *, timeout: float = 5.0, create: bool = False, factory: type[Connection]
) -> Connection: ...
def open_writable(
    path: Path,
    *,
    timeout: float = 5.0,
    create: bool = False,
    factory: type[sqlite3.Connection] = sqlite3.Connection,
) -> sqlite3.Connection:
    """Open a SQLite file for reading and writing.

    The connection is in autocommit (``isolation_level=None``), in WAL where the file can be converted right
    now, enforces foreign keys, and may be used from any one thread at a time.

    Parameters
    ----------
    path
        The database file.
    timeout
        Seconds that SQLite waits for a lock of another connection.
    create
        Whether to create the file where only its folder exists: a mistyped path must not become a database.
    factory
        The class of the connection.

    Raises
    ------
    MissingDatabase
        The folder does not exist, or the file, unless `create`.
    UnreadableDatabase
        The file is not SQLite, is damaged, or may not be written.
    DatabaseLocked
        Another process kept it locked for `timeout` seconds.
    """
    if not path.resolve().parent.is_dir():
        raise MissingDatabase(
            "the folder of the database does not exist",
            path=path,
            hint=f"correct the path, or create the folder {path.parent}",
        )
    if path.exists() and not os.access(path, os.W_OK):
        raise UnreadableDatabase("the database may not be written", path=path, hint=_WRITE_HINT)
    if not create and not _exists(path):
        raise MissingDatabase("the database does not exist", path=path)
    con = _connected(path, "rwc" if create else "rw", timeout, factory)
    _convert_to_wal(con, path, timeout)
    return con


@overload
def open_readonly(path: Path, *, timeout: float = 5.0) -> sqlite3.Connection: ...
@overload
def open_readonly(path: Path, *, timeout: float = 5.0, factory: type[Connection]) -> Connection: ...
def open_readonly(
    path: Path, *, timeout: float = 5.0, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Open a SQLite file for reading only; never creates it.

    SQLite itself may still make the ``-shm`` and ``-wal`` files of a database in WAL.

    Parameters
    ----------
    path
        The database file.
    timeout
        Seconds that SQLite waits for a lock of another connection.
    factory
        The class of the connection.

    Raises
    ------
    MissingDatabase
        The file does not exist.
    UnreadableDatabase
        The file is not SQLite, is damaged, or may not be read.
    DatabaseLocked
        Another process kept it locked for `timeout` seconds.
    """
    if not _exists(path):
        raise MissingDatabase("the database does not exist", path=path)
    con = _connected(path, "ro", timeout, factory)
    con.execute("PRAGMA query_only = ON")
    # Else ATTACH and VACUUM INTO could reach, or make, other files.
    con.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    return con


def database_uri(path: PurePath, mode: str) -> str:
    """The ``file:`` URI of an absolute path, as SQLite reads it (https://www.sqlite.org/uri.html).

    Odd characters are percent-encoded byte by byte, drive letters get a leading slash, and a UNC path keeps
    its two: SQLite refuses a host name in the URI.
    """
    text = path.as_posix()
    rooted = text if text.startswith("/") else f"/{text}"
    return f"file://{percent_encoded(os.fsencode(rooted), safe='/:')}?mode={mode}"


@contextmanager
def atomic(con: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Make the block one transaction: committed at its end, undone when an error leaves it.

    The outermost block is ``BEGIN IMMEDIATE``; blocks inside it, or inside a transaction that the caller
    began, are savepoints.
    """
    nested = con.in_transaction
    con.execute(f"SAVEPOINT {_SAVEPOINT}" if nested else "BEGIN IMMEDIATE")
    try:
        yield con
        con.execute(f"RELEASE {_SAVEPOINT}" if nested else "COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after a full disk or an ON CONFLICT ROLLBACK.
        if con.in_transaction:
            con.execute(f"ROLLBACK TO {_SAVEPOINT}" if nested else "ROLLBACK")
            if nested:
                con.execute(f"RELEASE {_SAVEPOINT}")
        raise


def columns_by_table(con: sqlite3.Connection) -> dict[str, list[str]]:
    """The columns of every table and view, by name."""
    found: dict[str, list[str]] = {}
    for table, column in con.execute(
        "SELECT t.name, c.name FROM pragma_table_list AS t, pragma_table_xinfo(t.name) AS c"
        " WHERE t.type IN ('table', 'view', 'virtual') AND t.name NOT LIKE 'sqlite_%'"
    ):
        found.setdefault(table, []).append(column)
    return found


def file_error(error: sqlite3.Error, path: Path, timeout: float) -> GreynbError:
    """What an error of SQLite means for the file as a whole; a `QueryError` where it says nothing of it.

    Parameters
    ----------
    error
        What sqlite3 raised.
    path
        The database file.
    timeout
        Seconds that were waited for a lock.
    """
    if is_busy(error):
        return locked_error(path, timeout)
    code = primary_code(error)
    if code == sqlite3.SQLITE_NOTADB:
        return UnreadableDatabase(f"the file is not a SQLite database{_what_else(path)}", path=path)
    if code == sqlite3.SQLITE_IOERR and _is_full(path):
        code = sqlite3.SQLITE_FULL  # SQLite has no such word for a -shm that cannot grow
    if code in _FILE_ERRORS:
        message, hint = _FILE_ERRORS[code]
        return UnreadableDatabase(f"{message} ({error})", path=path, hint=hint)
    return QueryError(str(error), path=path)


_WRITE_HINT: Final = "check the permissions of the file and its folder, and that the path is the staging file"
_FILE_ERRORS: Final = {
    sqlite3.SQLITE_CORRUPT: (
        "the database is damaged",
        "keep a copy of the file and its -wal, then try `sqlite3 FILE .recover` or a backup",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "the database cannot be opened",
        "check that the path is a file, and the permissions of the file and its folder",
    ),
    sqlite3.SQLITE_PERM: ("the database may not be opened", _WRITE_HINT),
    sqlite3.SQLITE_READONLY: ("the database may not be written", _WRITE_HINT),
    sqlite3.SQLITE_IOERR: ("the database could not be read or written", "check the disk that holds it"),
    sqlite3.SQLITE_FULL: ("the disk is full", "nothing was changed; make room and run it again"),
}


def _connected(path: Path, mode: str, timeout: float, factory: type[Connection]) -> Connection:
    con: Connection | None = None
    try:
        con = sqlite3.connect(
            database_uri(path.absolute(), mode),
            uri=True,
            timeout=timeout,
            isolation_level=None,
            check_same_thread=False,
            factory=factory,
        )
        con.execute("PRAGMA foreign_keys = ON")
        # SQLite opens lazily; reading the schema's version makes a bad file fail here.
        con.execute("PRAGMA schema_version").fetchone()
        return con
    except sqlite3.Error as error:
        if con is not None:
            con.close()
        raise file_error(error, path, timeout) from error


def _convert_to_wal(con: sqlite3.Connection, path: Path, timeout: float) -> None:
    """Switch to WAL where nobody is in the way: a file that is in use now works in its old mode as well."""
    con.execute(f"PRAGMA busy_timeout = {_CONVERSION_WAIT_MS}")
    try:
        con.execute("PRAGMA journal_mode = WAL").fetchone()
    except sqlite3.Error as error:
        if not is_busy(error):
            con.close()
            raise file_error(error, path, timeout) from error
    con.execute(f"PRAGMA busy_timeout = {round(timeout * 1000)}")


def _is_full(path: Path) -> bool:
    """Whether the disk of a file has no room for a page of 64 KiB, the largest."""
    with suppress(OSError):
        return shutil.disk_usage(path.resolve().parent).free < 1 << 16
    return False


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise UnreadableDatabase(f"the database cannot be reached ({error.strerror})", path=path) from error
    return True


def _what_else(path: Path) -> str:
    """What a file is that SQLite has refused; only then may it be read directly, as it holds no locks."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError:
        return ""
    for offset, magic, name in _OTHER_FORMATS:
        if head[offset:].startswith(magic):
            return f" but {name}"
    return ", or it is encrypted" if any(byte > 0x7F for byte in head) else " but other content"
