"""What a result cache keeps, for tests."""

from __future__ import annotations

import threading
from pathlib import Path

from greynb.databases.resultcache import WRITER


def written() -> None:
    """Wait until all that is being written is there."""
    for thread in threading.enumerate():
        if thread.name == WRITER:
            thread.join()


def entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []
