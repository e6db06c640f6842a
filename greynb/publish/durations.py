"""Lengths of time as people write them on a command line."""

from __future__ import annotations

import math
import re
from typing import Final

from greynb.errors import UsageError

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)")


def duration(text: str) -> float:
    """Seconds in ``250ms``, ``5s``, ``1.5m``, ``2h`` or ``1d``.

    Raises
    ------
    UsageError
        The text is no such length, or is zero.
    """
    found = _DURATION.fullmatch(text.strip().lower())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < seconds < math.inf:
        raise UsageError(
            f"{text!r} is not a length of time",
            hint="write a number and a unit: 250ms, 5s, 10m, 2h or 1d",
        )
    return seconds


def shown(seconds: float) -> str:
    """A length of time in the largest unit that keeps it readable: ``40 ms``, ``0.3 s``, ``12 min``."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86400:.1f} days"
