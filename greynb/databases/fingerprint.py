"""Whether a SQLite file is still what it was, seen from outside without opening it in SQLite."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from greynb.databases.descriptors import hold, open_elsewhere

MAGIC: Final = b"SQLite format 3\0"
SIDE_FILES: Final = ("-wal", "-journal")
_HEAD: Final = 100
_YOUNG_NS: Final = 50_000_000


@dataclass(frozen=True, slots=True)
class FileState:
    """Size, times (ns since 1970), identity and the first 100 bytes of one file.

    The first 100 bytes are SQLite's header; bytes 24 to 27 count the commits of a file that is not in WAL
    (https://www.sqlite.org/fileformat2.html), which catches two commits within one tick of the clock.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    links: int
    identity: tuple[int, int]
    head: bytes

    @property
    def is_wal(self) -> bool:
        """Whether the header says that the database is in WAL mode."""
        return says_wal(self.head)

    @property
    def is_sqlite(self) -> bool:
        """Whether it begins like a SQLite file; an empty file is a database without tables."""
        return self.size == 0 or self.head.startswith(MAGIC)

    @property
    def is_young(self) -> bool:
        """Whether it changed so recently that the next change could carry the same time."""
        return abs(time.time_ns() - self.mtime_ns) < _YOUNG_NS

    def same_content(self, other: FileState) -> bool:
        """Whether nothing was written in between.

        ctime is no witness: hard links that other notebooks make and remove change it. A commit of SQLite
        counts up in the header, so it shows even where somebody has put the old mtime back.
        """
        return (self.size, self.mtime_ns, self.identity, self.head) == (
            other.size,
            other.mtime_ns,
            other.identity,
            other.head,
        )


def says_wal(head: bytes) -> bool:
    """Whether the header of a database says that it is in WAL.

    Its bytes 18 and 19, the format for writing and reading: https://www.sqlite.org/fileformat2.html.
    """
    return head[18:20] == b"\x02\x02"


def ctimes(path: Path) -> tuple[int, ...]:
    """The ctimes, in ns, of a file and of what stands beside it; 0 for what is not there."""
    real, found = os.path.realpath(path), []
    for ending in ("", *SIDE_FILES):
        try:
            found.append(os.stat(f"{real}{ending}").st_ctime_ns)  # noqa: PTH116 - asked before each cell
        except OSError:
            found.append(0)
    return tuple(found)


class Watched:
    """A database file held open just to look at it.

    Closing it does not close its descriptor, which would drop every lock that SQLite holds on the file
    elsewhere in this process (see `greynb.databases.descriptors`).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = str(path)
        self._sides = [(ending, f"{path}{ending}") for ending in SIDE_FILES]
        self._file = hold(path)
        self._closed = False

    def state(self) -> FileState:
        """The state of the file that the path leads to now.

        Raises
        ------
        OSError
            The file is not there any more, or may not be read.
        """
        found = os.stat(self._name)  # noqa: PTH116 - looked at before and after each cell
        if (found.st_dev, found.st_ino) != self._file.identity:
            before, self._file = self._file, hold(self.path)
            before.release()
            found = self._file.stat()
        return FileState(
            size=found.st_size,
            mtime_ns=found.st_mtime_ns,
            ctime_ns=found.st_ctime_ns,
            links=found.st_nlink,
            identity=(found.st_dev, found.st_ino),
            head=self._file.read_at(_HEAD, 0),
        )

    def side_files(self) -> tuple[tuple[str, int, int], ...]:
        """Name ending, size and mtime (ns) of the ``-wal`` and ``-journal`` that hold something."""
        found = []
        for ending, name in self._sides:
            # Nearly always there is none, and `access` says so without an exception.
            if os.access(name, os.F_OK):
                with suppress(OSError):
                    state = os.stat(name)  # noqa: PTH116 - see above
                    if state.st_size:
                        found.append((ending, state.st_size, state.st_mtime_ns))
        return tuple(found)

    def fingerprint(self) -> str:
        """A short name of what the file and its side files hold now."""
        state = self.state()
        parts = (state.size, state.mtime_ns, state.identity, state.head, self.side_files())
        return hashlib.blake2s(repr(parts).encode(), digest_size=6).hexdigest()

    def close(self) -> None:
        """Let the file go; harmless when repeated."""
        if not self._closed:
            self._closed = True
            self._file.release()

    def is_open_elsewhere(self) -> bool:
        """Whether other code of this process, such as a sqlite3 connection, has the file open too."""
        return open_elsewhere(self._file.identity)
