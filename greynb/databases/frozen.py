"""Copying a database byte by byte while one read transaction keeps its file as it is.

SQLite's backup goes through SQLite page by page, with two calls of the system for each. Where the file alone
holds what the transaction sees, and nobody can write to it before the transaction ends, the kernel copies it
in a third of the time, with the same bytes as result.

In a rollback mode that is so for every read transaction: it holds a shared lock, and a writer waits for all
of these to go before it writes to the file (https://www.sqlite.org/lockingv3.html). In WAL commits go to the
log, and checkpoints move them into the file while readers read. But a transaction that begins when all of the
log is in the file reads the file alone, and says so by a lock on the first of the slots for readers, which
checkpoints wait for (``WAL_READ_LOCK(0)`` in https://www.sqlite.org/walformat.html). A reader who may not
write to the ``-shm`` takes that slot too, but reads the log; it does not hold the lock by which the others
say that they share the ``-shm``.

Which locks are held only the system tells, and of which file: SQLite goes on with the one that it has opened
when another takes its name. Where it does not tell, the backup remains.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from greynb.databases.descriptors import Identity, hold, identity_of
from greynb.databases.proclocks import held_locks
from greynb.errors import UnreadableDatabase

_SHARED: Final = 0x40000002
"""The first of the bytes that a reader locks in the file itself, in every journal mode."""

_SLOTS: Final = range(123, 128)
"""The bytes of the ``-shm`` by which readers say which part of the log they need; the first: none."""

_SHARING: Final = 128
"""The byte of the ``-shm`` that is locked by each process which shares it."""

_PART: Final = 32 << 20
_VERSIONS: Final = 18
"""Where the header says twice whether the database is in WAL (2) or not (1)."""


def tidied(con: sqlite3.Connection, path: Path) -> None:
    """Let SQLite move what it can of the log into the file, so that the next transaction may read that alone.

    Nobody waits for such a checkpoint, and none is waited for. A log that is long beside the file, because a
    reader needs it, or after one large transaction, is left to its writers.
    """
    with suppress(OSError, sqlite3.Error):
        log = path.resolve().with_name(f"{path.resolve().name}-wal").stat().st_size
        if 0 < log <= path.stat().st_size // 4:
            con.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def frozen(con: sqlite3.Connection, path: Path) -> bool:
    """Whether the file behind a read transaction holds all that it sees, and stays as it is until it ends.

    Parameters
    ----------
    con
        Inside a read transaction that has read something.
    path
        The file.
    """
    found = identity_of(path)
    return found is not None and _stands_still(con, path, found)


def _stands_still(con: sqlite3.Connection, path: Path, file: Identity) -> bool:
    if not hasattr(os, "copy_file_range"):
        return False  # not tried there
    # Locks of other connections of this process, or of another file system's file with this number, only
    # add bytes: those of this transaction are always among them.
    locked = [each for each in held_locks() if each.pid == os.getpid() and not each.flock]
    if not any(each.inode == file[1] and each.first <= _SHARED <= each.last for each in locked):
        return False  # the transaction is of a file that had the name before
    if con.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        return True
    index = identity_of(path.resolve().with_name(f"{path.resolve().name}-shm"))
    ours = [each for each in locked if index and each.inode == index[1]]
    found = {byte for byte in (*_SLOTS, _SHARING) for each in ours if each.first <= byte <= each.last}
    return found == {_SLOTS[0], _SHARING}


def copy_frozen(
    con: sqlite3.Connection, path: Path, target: Path, size: int, each: Callable[[float], None]
) -> bool:
    """Copy a file that is `frozen` to a new one in ``journal_mode=DELETE``; False, and no copy, if it is not.

    Parameters
    ----------
    con
        Inside a read transaction that has read something.
    path, target
        The file and its copy.
    size
        Bytes that belong to the database: not 0.
    each
        Told the part done before each 32 MiB; may raise.

    Raises
    ------
    UnreadableDatabase
        Something that takes no locks has shortened the file.
    OSError
        The copy could not be written.
    """
    held = hold(path)
    try:
        if held.stat().st_size < size or not _stands_still(con, path, held.identity):
            return False
        with target.open("xb", buffering=0) as written:
            done = 0
            while done < size:
                each(done / size)
                moved = _moved(held.number, written.fileno(), done, min(_PART, size - done))
                if not moved:
                    raise UnreadableDatabase("the file became shorter while it was copied", path=path)
                done += moved
            written.seek(_VERSIONS)
            written.write(b"\x01\x01")
        return True
    finally:
        held.release()


def _moved(source: int, target: int, at: int, size: int) -> int:
    """Copy bytes to the same place of another file; by the kernel, where it can."""
    with suppress(OSError):
        if got := os.copy_file_range(source, target, size, at, at):
            return got
    return os.pwrite(target, os.pread(source, min(size, _PART >> 5), at), at)
