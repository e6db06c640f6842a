"""A private copy of a live file, with what tells when it is outdated."""

from __future__ import annotations

import errno
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from greynb.databases.copying import (
    check_space,
    connect,
    copy_database,
    copy_files,
    reading,
    size_with_log,
)
from greynb.databases.fingerprint import FileState, Watched
from greynb.databases.private import PrivateFolder, discard
from greynb.databases.witness import CommitWitness, FilesWitness, Witness, index_of
from greynb.errors import DatabaseError, DatabaseLocked

_SETTLE_SECONDS: Final = 0.3
_ATTEMPTS: Final = 4
_NO_ROOM: Final = {errno.ENOSPC, errno.EFBIG, errno.EIO}


@dataclass(frozen=True, slots=True)
class PrivateCopy:
    """The copy, and its origin's state when it was made."""

    path: Path
    state: FileState
    witness: Witness


def private_copy(path: Path, origin: Watched, folder: PrivateFolder, stop: threading.Event) -> PrivateCopy:
    """Copy a database that others may be writing, without a trace at the source.

    Parameters
    ----------
    path, origin
        The user's path, and the file it leads to.
    folder
        Where the copy goes.
    stop
        Ends it when set by another thread.

    Raises
    ------
    DatabaseLocked
        The file stayed locked, or changed all the time without locks.
    UnreadableDatabase
        It is damaged.
    QueryInterrupted
        `stop` was set.
    """
    check_space(folder.path, size_with_log(origin.path))
    for _ in range(_ATTEMPTS):
        target = folder.new_file()
        made = _made(path, origin, target, stop)
        if made is not None:
            return made
        discard(target)
        settled(origin)
    raise DatabaseLocked(
        "the file is being overwritten by a program that takes no locks",
        path=path,
        hint="let it finish, then run again; `greynb sync` publishes without disturbing readers",
    )


def _made(path: Path, origin: Watched, target: Path, stop: threading.Event) -> PrivateCopy | None:
    try:
        return _by_connection(path, origin, target, stop) or _by_files(path, origin, target, stop)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise DatabaseError(
            f"a private copy of the file could not be written to {target.parent} ({error.strerror})",
            path=path,
            hint="make room there, or let TMPDIR name another folder",
        ) from error


def settled(origin: Watched) -> FileState:
    """The file's state once nothing was written for a moment; the last one seen if it does not rest."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while (state := origin.state()).is_young and time.monotonic() < deadline:
        time.sleep(0.01)
    return state


def _by_connection(path: Path, origin: Watched, target: Path, stop: threading.Event) -> PrivateCopy | None:
    """Copy through SQLite where that leaves no trace at the source and needs no repair."""
    if not _opens_without_trace(origin):
        return None
    index = index_of(origin)
    try:
        with closing(connect(origin.path)) as con, reading(con, origin.path, stop=stop):
            before = origin.state()
            copy_database(con, target, path=origin.path, stop=stop)
            # A reader's lock keeps SQLite's writers out of a file that is not in WAL, but not a `cp`.
            whole = before.is_wal or origin.state().same_content(before)
    except DatabaseError as error:
        if _needs_repair(error):
            return None
        raise
    return PrivateCopy(target, before, CommitWitness(path, origin, before, index)) if whole else None


def _by_files(path: Path, origin: Watched, target: Path, stop: threading.Event) -> PrivateCopy | None:
    """Copy file by file; None where somebody wrote meanwhile."""
    state = origin.state()
    witness = FilesWitness(path, origin, state)
    copy_files(origin.path, target, stop=stop)
    return PrivateCopy(target, state, witness) if witness.is_newest() else None


def _opens_without_trace(origin: Watched) -> bool:
    has_log, has_index = (Path(f"{origin.path}{ending}").exists() for ending in ("-wal", "-shm"))
    return has_index if has_log else not origin.state().is_wal


def _needs_repair(error: DatabaseError) -> bool:
    """Whether SQLite could read the file only after changing something at the source."""
    code = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
