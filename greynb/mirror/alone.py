"""Building a mirror in a process of its own, which can be ended at any moment.

A second SQLite library in the process of a notebook would drop the locks that the notebook's own connections
hold on a file; a process of its own has locks of its own. It also ends where SQLite itself does not listen.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from greynb.mirror.workshop import Bounds


class BuilderProcess:
    """Begins a build; see `greynb.mirror.building.build` for what is built.

    Parameters
    ----------
    database, target
        As for `build`.
    threads
        Tables that are read side by side.
    """

    def __init__(self, database: Path, target: Path, threads: int) -> None:
        code = f"import sys; sys.path[:] = {sys.path!r}; from greynb.mirror.alone import main; main()"
        words = [str(database), str(target), str(threads), str(os.getpid())]
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ended(self, seconds: float) -> bool | None:
        """Wait so long for the end, and tell whether the mirror was built; None while it is not."""
        try:
            self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        return self._process.returncode == 0

    def kill(self) -> None:
        """End it at once; what it leaves is half a mirror."""
        self._process.kill()
        self._process.communicate()


def main() -> None:
    """Build as the command line says, unless the process that wants it is gone."""
    from greynb.mirror.building import build

    database, target, threads, parent = sys.argv[1:]

    def told(_part: float) -> None:
        if os.getppid() != int(parent):
            os._exit(1)

    build(Path(database), Path(target), bounds=Bounds(int(threads)), told=told)
