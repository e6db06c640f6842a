"""Waiting for a SQLite lock so that the wait can be interrupted, and naming who holds it.

SQLite's own wait (its busy timeout) ignores `sqlite3.Connection.interrupt` and progress handlers: 28 s of a
30 s timeout were measured. So a connection waits in short slices, and the loop around them looks at an event.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from greynb.databases.proclocks import PROC, held_locks
from greynb.errors import DatabaseLocked, QueryInterrupted

T = TypeVar("T")

SLICE: Final = 0.05
"""Seconds that one attempt waits inside SQLite, where nothing can stop it."""

_PAUSE: Final = 0.01


def primary_code(error: BaseException) -> int:
    """The primary result code of SQLite behind an error, 0 where there is none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def is_busy(error: BaseException) -> bool:
    """Whether SQLite failed because another connection holds a lock."""
    return primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def wait_for_lock(
    attempt: Callable[[], T],
    *,
    path: Path,
    timeout: float,
    stop: threading.Event | None = None,
) -> T:
    """Repeat an attempt until no other connection's lock is in its way.

    The connection behind it should have a busy timeout of `SLICE` or less.

    Parameters
    ----------
    attempt
        Something that may fail with SQLITE_BUSY and can then be repeated: ``BEGIN IMMEDIATE``, ``COMMIT``,
        one statement outside a transaction.
    path
        The database file, to find out who holds the lock.
    timeout
        Seconds to go on for.
    stop
        Ends the wait when set by another thread.

    Raises
    ------
    DatabaseLocked
        The time is over; says who may hold the lock.
    QueryInterrupted
        `stop` was set.
    """
    deadline = time.monotonic() + timeout
    pause = stop or threading.Event()
    while True:
        try:
            return attempt()
        except (sqlite3.OperationalError, DatabaseLocked) as error:
            if not (is_busy(error) or isinstance(error, DatabaseLocked)):
                raise
            if pause.wait(_PAUSE):
                raise QueryInterrupted("stopped while waiting for a lock", path=path) from error
            if time.monotonic() >= deadline:
                raise locked_error(path, timeout) from error


def locked_error(path: Path, timeout: float) -> DatabaseLocked:
    """The error for a file that stayed locked for `timeout` seconds, with the likely holders named."""
    holders = lock_holders(path)
    if not holders:
        return DatabaseLocked(
            f"the database was locked for {timeout:g} s",
            path=path,
            hint="another program writes to it, or left a transaction open: let it finish, then run again",
        )
    if os.getpid() in holders:
        return DatabaseLocked(
            f"the database was locked for {timeout:g} s, by another connection of this process",
            path=path,
            hint="commit, roll back or close the other sqlite3 connection of this notebook, then run again",
        )
    named = ", ".join(f"process {pid} ({command})" for pid, command in holders.items())
    return DatabaseLocked(
        f"the database was locked for {timeout:g} s; it may be held by {named}",
        path=path,
        hint="let that process finish or commit, then run again",
    )


def lock_holders(path: Path) -> dict[int, str]:
    """Processes that may hold a SQLite file locked: their id and command.

    Best effort from ``/proc``: those with a write lock, else those with a read lock, else other processes
    that have the file open. Empty where the system does not tell.
    """
    inodes = _inodes(path)
    locks = [each for each in held_locks() if each.inode in inodes and not each.flock] if inodes else []
    pids = (
        {each.pid for each in locks if each.exclusive}
        or {each.pid for each in locks}
        or _with_file_open(inodes) - {os.getpid()}
    )
    return {pid: command_of(pid) for pid in sorted(pids)}


def _inodes(path: Path) -> set[int]:
    """The file's inode and that of its ``-shm``, where a database in WAL keeps its locks."""
    found = set()
    real = path.resolve()
    for each in (real, real.with_name(f"{real.name}-shm")):
        try:
            found.add(each.stat().st_ino)
        except OSError:
            continue
    return found


def _with_file_open(inodes: set[int]) -> set[int]:
    found = set()
    for descriptor in PROC.glob("[0-9]*/fd/*"):
        try:
            if descriptor.stat().st_ino in inodes:
                found.add(int(descriptor.parts[2]))
        except OSError:
            continue
    return found


def command_of(pid: int) -> str:
    """The command of a process on one short line; ``"name unknown"`` where the system does not tell."""
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "name unknown"
    named = " ".join(Path(word).name if word.startswith("/") else word for word in words if word)
    shown = " ".join(named.split())
    return shown[:80] or "name unknown"
