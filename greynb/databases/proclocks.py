"""The locks on files that the kernel lists in ``/proc/locks``; only Linux has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class HeldLock:
    """A line of ``/proc/locks``; `flock` tells locks on whole files from those on bytes."""

    pid: int
    inode: int
    flock: bool
    exclusive: bool
    first: int
    last: int


def held_locks() -> Iterator[HeldLock]:
    """All locks of the system that the kernel shows; the lines' format is that of proc_locks(5)."""
    try:
        lines = (PROC / "locks").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        # "1: POSIX  ADVISORY  WRITE 1234 08:01:131 1073741824 EOF"; "->" marks one that waits.
        fields = line.split()
        if len(fields) != 8 or fields[1] not in ("POSIX", "OFDLCK", "FLOCK"):
            continue
        with suppress(ValueError):
            pid, inode = int(fields[4]), int(fields[5].rpartition(":")[2])
            last = 1 << 62 if fields[7] == "EOF" else int(fields[7])
            if pid > 0:
                yield HeldLock(pid, inode, fields[1] == "FLOCK", fields[3] == "WRITE", int(fields[6]), last)
