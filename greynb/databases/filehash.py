"""The sha256 of a whole file, as manifests and labels of mirrors have it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

from greynb.databases.descriptors import open_still

_PART: Final = 1 << 20
"""Bytes read at once: what was read is then still in the processor's cache when it is hashed."""

_YOUNG_NS: Final = 50_000_000


def sha256_of(path: Path, told: Callable[[float], None] = lambda _part: None) -> str:
    """Read a file and give its sha256 in hex; `told` is told the part done and may raise."""
    digest = hashlib.sha256()
    total = path.stat().st_size or 1
    done = 0
    part = memoryview(bytearray(_PART))
    with open_still(path) as file:
        while size := file.readinto(part):
            digest.update(part[:size])
            done += size
            told(done / total)
    return digest.hexdigest()


def sha256_once(path: Path, found: os.stat_result) -> str:
    """`sha256_of`, which reads the file again only when its times have changed since."""
    if time.time_ns() - found.st_ctime_ns < _YOUNG_NS:  # the next change could carry the same time
        return sha256_of(path)
    return _kept(path, found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns)


@lru_cache(maxsize=64)
def _kept(path: Path, *_state: int) -> str:
    return sha256_of(path)
