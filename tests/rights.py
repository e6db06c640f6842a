"""Acting as a user who may not write everywhere, as tests often run as one who may."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534
ROOT_ONLY = pytest.mark.skipif(
    not hasattr(os, "setresuid") or os.getuid() != 0, reason="only root can become a user without rights here"
)


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Act as a user who owns nothing, for whom modes count; root may read everything."""
    for each in (folder, *folder.parents):
        if each != Path(each.anchor):
            each.chmod(each.stat().st_mode | 0o711)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
