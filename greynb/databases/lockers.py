"""Who holds which lock on a database file, or on a small file of greynb's own, as the system lists them.

SQLite locks single bytes, and which byte says what the process is doing: in a rollback mode those of the file
from ``0x40000000`` on (https://www.sqlite.org/src/file/src/os.h), in WAL those of the ``-shm`` from 120 on
(https://www.sqlite.org/walformat.html). Nothing is locked for the look. Only Linux lists them.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from greynb.databases.locks import command_of
from greynb.databases.proclocks import PROC, HeldLock, held_locks

_KINDS: Final = ("writing", "checkpointing", "reading")
_RESERVED: Final = 0x40000001
_SHARED: Final = 0x40000002
_WAL_WRITER: Final = 120
_WAL_CHECKPOINTER: Final = 121
_WAL_READERS: Final = range(123, 128)


@dataclass(frozen=True, slots=True)
class Locker:
    """One process that holds a lock.

    Attributes
    ----------
    pid, command
        The process; the command is ``"name unknown"`` for one that may not be looked at.
    doing
        What the lock is for: ``"writing"``, ``"checkpointing"``, ``"reading"``, …
    """

    pid: int
    command: str
    doing: str

    def as_dict(self) -> dict[str, object]:
        """The same as plain values."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.doing}: process {self.pid} ({self.command})"


def lockers(path: Path) -> tuple[Locker, ...]:
    """Who writes, checkpoints or reads a SQLite file at this moment, this process included.

    Parameters
    ----------
    path
        The database file. A connection in WAL that is merely open counts as nothing of these.
    """
    real = path.resolve()
    main, index = _inode(real), _inode(real.with_name(f"{real.name}-shm"))
    found: dict[int, str] = {}
    for lock in held_locks():
        if lock.flock:
            continue
        if lock.inode == index and index is not None:
            doing = _in_wal(lock)
        elif lock.inode == main:
            doing = _in_rollback(lock, wal=index is not None)
        else:
            continue
        if doing:
            # A writer reads as well; each process is told once, by the strongest of its locks.
            found[lock.pid] = min(doing, found.get(lock.pid, doing), key=_KINDS.index)
    return tuple(Locker(pid, command_of(pid), doing) for pid, doing in sorted(found.items()))


def file_lockers(path: Path, doing: str) -> tuple[Locker, ...]:
    """Who holds a lock of `greynb.databases.oslock` on one of greynb's own files.

    Parameters
    ----------
    path
        The file.
    doing
        What such a lock means.
    """
    inode = _inode(path)
    pids = {lock.pid for lock in held_locks() if lock.flock and lock.inode == inode}
    return tuple(Locker(pid, command_of(pid), doing) for pid in sorted(pids))


def open_for_writing(path: Path) -> tuple[Locker, ...]:
    """Other processes that have a file open so that they could write it; those of other users may be missing.

    Most programs open SQLite files so, also where they only read.
    """
    inode = _inode(path)
    pids = set()
    for descriptor in PROC.glob("[0-9]*/fd/*") if inode else ():
        with suppress(OSError, ValueError, IndexError):
            if descriptor.stat().st_ino == inode and _writable(descriptor):
                pids.add(int(descriptor.parts[2]))
    return tuple(Locker(pid, command_of(pid), "open for writing") for pid in sorted(pids - {os.getpid()}))


def _writable(descriptor: Path) -> bool:
    text = (descriptor.parent.parent / "fdinfo" / descriptor.name).read_text()
    flags = next(line.split()[1] for line in text.splitlines() if line.startswith("flags:"))
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY


def _in_wal(lock: HeldLock) -> str:
    if lock.exclusive and lock.first <= _WAL_WRITER <= lock.last:
        return "writing"
    if lock.exclusive and lock.first <= _WAL_CHECKPOINTER <= lock.last:
        return "checkpointing"
    return "reading" if not lock.exclusive and lock.first in _WAL_READERS else ""


def _in_rollback(lock: HeldLock, *, wal: bool) -> str:
    if lock.exclusive and lock.last >= _RESERVED:
        return "writing"
    # In WAL each open connection has a shared lock on the file for as long as it lives.
    return "reading" if lock.last >= _SHARED and not wal else ""


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None
