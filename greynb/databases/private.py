"""Private folders for links and copies: one per snapshot source, removed with it or swept after a crash."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from greynb.databases.oslock import try_lock

_PREFIX: Final = ".greynb-session-"
_OWNER: Final = "owner.lock"
_SETTLED_AFTER: Final = 10.0


class PrivateFolder:
    """A folder that only this user may enter and that goes away with its owner.

    Its name carries the process id for people; whether the owner lives is told by a lock in it.

    Parameters
    ----------
    parent
        Where to make it. Folders of dead owners found there are removed first.
    """

    def __init__(self, parent: Path) -> None:
        sweep(parent)
        self.path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
        self._lock = try_lock(self.path / _OWNER, create=True)
        self._count = 0

    def new_file(self) -> Path:
        """A name that was not used before; engines must never meet two files under one name."""
        self._count += 1
        return self.path / f"analytics-{self._count}.db"

    def close(self) -> None:
        """Remove the folder and all in it."""
        if self._lock is not None:
            self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)


def sweep(parent: Path) -> None:
    """Remove the private folders of dead owners; those of the living and of other users stay."""
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            # A folder that is just being made has no locked file in it yet.
            if folder.is_symlink() or time.time() - folder.stat().st_mtime < _SETTLED_AFTER:
                continue
            lock = try_lock(folder / _OWNER)
        except OSError:
            continue
        if lock is None:
            continue
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def discard(path: Path) -> None:
    """Remove a private file; one that is still open on Windows goes away with its folder."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
