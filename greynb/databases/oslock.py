"""Locks of the operating system on small files of greynb's own, which a dying process lets go by itself.

They say "a publisher is at work", "somebody reads this generation", "this private folder has an owner". No
process id has to be trusted for that (ids are reused, and differ between containers). Never used on a
database file: there SQLite's own locks live.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# Far behind the end of the file, so that on Windows, where locks are mandatory, its text stays readable.
_WINDOWS_OFFSET: Final = 1 << 30


class FileLock:
    """A held lock on one file; let go by `release`, or by the end of the process."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def identity(self) -> tuple[int, int]:
        """Device and inode of the locked file, to see whether its path still leads to it."""
        found = os.fstat(self.descriptor)
        return found.st_dev, found.st_ino

    def release(self) -> None:
        """Let the lock go; harmless when repeated."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def try_lock(path: Path, *, shared: bool = False, create: bool = False) -> FileLock | None:
    """Lock a file without waiting.

    Parameters
    ----------
    path
        The file to lock; nothing is written to it.
    shared
        Whether others may hold a shared lock at the same time. Windows knows no shared lock here: the
        result is then a lock that excludes nobody, and an open file cannot be removed there anyway.
    create
        Whether to create the file, and open it for writing.

    Returns
    -------
    FileLock or None
        None where somebody else holds it.

    Raises
    ------
    OSError
        The file cannot be opened, or its file system knows no locks.
    """
    flags = os.O_RDWR | os.O_CREAT if create else os.O_RDONLY
    descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o644)
    try:
        held = _lock(descriptor, shared)
    except BaseException:
        os.close(descriptor)
        raise
    if held:
        return FileLock(descriptor)
    os.close(descriptor)
    return None


def _lock(descriptor: int, shared: bool) -> bool:
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        elif not shared:
            import msvcrt

            os.lseek(descriptor, _WINDOWS_OFFSET, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    except (BlockingIOError, PermissionError):
        return False
    return True
