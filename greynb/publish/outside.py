"""Staging seen from outside: whether something was committed, without opening it in SQLite.

A connection would cost more than it tells: a read-only one to a database in WAL leaves ``-wal`` and ``-shm``
files behind. The files themselves are enough (https://www.sqlite.org/fileformat2.html). In a rollback mode
each commit writes the main file. In WAL each commit appends to the ``-wal``, or writes over its old frames
after a reset, which puts a new salt into the log's 32 byte header.

Only the ``-wal`` is opened, on which SQLite holds no lock. The main file is never: a POSIX process that
closes a file drops the locks that SQLite holds on it elsewhere in the process, and notebooks look here too.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_LOG_HEADER: Final = 32
_TICK_NS: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Look:
    """What staging's files looked like at one moment.

    Attributes
    ----------
    inode, size, mtime_ns, ctime_ns
        Of the main file: bytes, and ns since 1970.
    log_size, log_mtime_ns, log_header
        Of the ``-wal``; 0, 0 and empty where there is none or nothing in it. The header in hex.
    """

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    log_size: int = 0
    log_mtime_ns: int = 0
    log_header: str = ""

    @property
    def bytes(self) -> int:
        """Size of the database and its log together."""
        return self.size + self.log_size

    @property
    def written(self) -> float:
        """When either file was last written, in seconds since 1970.

        That may be later than the last commit: a checkpoint writes too, and so does a transaction that is
        still open and larger than its connection's cache.
        """
        return max(self.mtime_ns, self.log_mtime_ns) / 1e9

    def to_json(self) -> dict[str, int | str]:
        """The same as plain values."""
        return asdict(self)


def look(source: Path) -> Look | None:
    """Look at staging (about 20 µs); None where it is not there or is no file.

    Raises
    ------
    OSError
        The file may not be looked at.
    """
    try:
        found = source.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not source.is_file():
        return None
    main = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    # SQLite names the log after the file that symbolic links lead to.
    log = Path(f"{os.path.realpath(source)}-wal")
    try:
        with log.open("rb") as file:
            header = file.read(_LOG_HEADER)
            wal = os.fstat(file.fileno())
    except OSError:
        return Look(*main)
    return Look(*main, wal.st_size, wal.st_mtime_ns, header.hex()) if wal.st_size else Look(*main)


def look_before_copying(source: Path) -> Look | None:
    """Look at staging, and return when the clock of the file system has surely moved on.

    Whatever is committed after that carries a later time than this look saw. So a copy begun now holds all
    that was seen, and everything it lacks makes the next look differ. Raises like `look`.
    """
    seen = look(source)
    if seen is not None and abs(time.time_ns() - max(seen.mtime_ns, seen.log_mtime_ns)) < _TICK_NS:
        time.sleep(_TICK_NS / 1e9)
    return seen
