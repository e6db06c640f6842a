"""Reading database files directly without taking away the locks that SQLite holds on them.

POSIX drops all of a process's locks on a file as soon as the process closes any descriptor of it, also one
that has nothing to do with the locks (fcntl(2); section 2.2 of https://www.sqlite.org/howtocorrupt.html).
A kernel holds sqlite3 connections of its user, so a file that may be one of theirs is opened here once and
never closed again, until its last name is gone: then no other process can meet it any more.

On Windows a lock belongs to its handle, and an open file cannot be replaced: there files are closed at once.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_BINARY: Final = getattr(os, "O_BINARY", 0)
_KEPT: Final = os.name != "nt"
_CHUNK: Final = 8 << 20
_LISTING: Final = "/proc/self/fd" if sys.platform.startswith("linux") else "/dev/fd"

Identity = tuple[int, int]
"""Device and inode."""


class HeldFile:
    """A file that is open for reading in this process; made by `hold`."""

    def __init__(self, number: int) -> None:
        found = os.fstat(number)
        self.number = number
        self.identity: Identity = (found.st_dev, found.st_ino)
        self.users = 0
        self._moving = threading.Lock()

    def stat(self) -> os.stat_result:
        """What the file is like now, whatever its names lead to."""
        return os.fstat(self.number)

    def read_at(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes from an offset, without a common position."""
        if sys.platform != "win32":
            return os.pread(self.number, size, offset)
        with self._moving:
            os.lseek(self.number, offset, os.SEEK_SET)
            return os.read(self.number, size)

    def release(self) -> None:
        """Say that one user of it is done; once for each `hold`."""
        with _table.lock:
            self.users -= 1
            _table.sweep()


class _Table:
    """All held files of the process; `lock` guards everything in it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.files: list[HeldFile] = []

    def of(self, identity: Identity) -> HeldFile | None:
        return next((each for each in self.files if each.identity == identity), None)

    def sweep(self) -> None:
        """Close what nobody here uses and what has no name left."""
        for each in self.files[:]:
            if not each.users and not (_KEPT and each.stat().st_nlink):
                self.files.remove(each)
                os.close(each.number)


_table = _Table()


def _after_fork() -> None:
    # Another thread of the parent may have held it; the files themselves are inherited.
    _table.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def hold(path: Path | str) -> HeldFile:
    """Open a file for reading, or share what is open of it already; `HeldFile.release` when done.

    Raises
    ------
    OSError
        The file is not there, or may not be read.
    """
    with _table.lock:
        _table.sweep()
        found = Path(path).stat()
        held = _table.of((found.st_dev, found.st_ino)) if _KEPT else None
        if held is None:
            # Replaced in this moment by a file that is held too: both stay, neither may be closed.
            held = HeldFile(os.open(path, os.O_RDONLY | _BINARY))
            _table.files.append(held)
        held.users += 1
        return held


class _Stream(io.RawIOBase):
    """A held file as a file object with a position of its own."""

    def __init__(self, held: HeldFile) -> None:
        self._held = held
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._held.stat().st_size}
        self._at = base[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        if hasattr(os, "preadv"):
            got = os.preadv(self._held.number, [view], self._at)
        else:
            read = self._held.read_at(len(view), self._at)
            got = len(read)
            view[:got] = read
        self._at += got
        return got

    def close(self) -> None:
        if not self.closed:
            self._held.release()
        super().close()


def open_database(path: Path | str) -> io.RawIOBase:
    """Open a database file to read its bytes; closing the object leaves SQLite's locks alone."""
    return _Stream(hold(path))


def open_still(path: Path) -> io.RawIOBase:
    """Open a published or private file to read its bytes; one with a second name may be a user's own."""
    return open_database(path) if path.stat().st_nlink > 1 else path.open("rb", buffering=0)


def copy_bytes(source: Path | str, target: Path | str, each: Callable[[], None] = lambda: None) -> None:
    """Copy one file; `each` is called before every 8 MiB and may raise."""
    with open_database(source) as read, Path(target).open("wb") as written:
        while chunk := read.read(_CHUNK):
            each()
            written.write(chunk)


def open_elsewhere(identity: Identity) -> bool:
    """Whether this process has a file open other than through `hold`, as a sqlite3 connection does.

    Listed from ``/proc/self/fd`` (``/dev/fd`` on macOS), about 1 µs a descriptor. Where the system does not
    list them, yes: then nothing may rely on the answer being no. On Windows it does not matter, so no.
    """
    if not _KEPT:
        return False
    try:
        numbers = os.listdir(_LISTING)  # noqa: PTH208 - asked before each cell
    except OSError:
        return True
    same = [number for number in map(int, numbers) if _is_descriptor_of(number, identity)]
    with _table.lock:
        ours = {each.number for each in _table.files}
    return not ours.issuperset(same)


def _is_descriptor_of(number: int, identity: Identity) -> bool:
    try:
        found = os.fstat(number)
    except OSError:
        return False
    return found.st_ino == identity[1] and found.st_dev == identity[0]


def identity_of(file: Path | str | int) -> Identity | None:
    """What tells a file, by path or descriptor, from one that takes its place; None where there is none."""
    try:
        found = os.stat(file)  # noqa: PTH116  # a Path has no stat of a descriptor
    except OSError:
        return None
    return found.st_dev, found.st_ino
