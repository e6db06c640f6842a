"""Colour scales for cells: a tint over the page, in light and dark, on which the page's text still reads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from greynb.errors import UsageError
from greynb.report.document.formatting import is_missing

SCALES: dict[str, tuple[str, str]] = {
    "sequential": ("#1c6e8c", "#1c6e8c"),
    "diverging": ("#c8772d", "#1c6e8c"),
}
"""Each scale's colours: the one below the neutral point, and the one above it."""

_STRONGEST = 0.42
"""Opacity at the end of a scale: text in the page's own ink has a contrast of at least 4.5 on it."""


def shades(values: Sequence[Any], scale: str) -> tuple[str | None, ...]:
    """Give each value its colour as ``#rrggbbaa``; a missing value, and one that is no number, has none.

    Parameters
    ----------
    values
        One column. ``sequential`` grows from its smallest to its largest value, ``diverging`` to both sides
        of zero, as far as the value that is farthest from it.
    scale
        A name of `SCALES`.

    Raises
    ------
    UsageError
        There is no such scale.
    """
    if scale not in SCALES:
        raise UsageError(f"no colour scale {scale!r}", hint=f"there are: {', '.join(SCALES)}")
    numbers = [_number(value) for value in values]
    finite = [number for number in numbers if number is not None]
    neutral = 0.0 if scale == "diverging" else min(finite, default=0.0)
    farthest = max((abs(number - neutral) for number in finite), default=0.0) or 1.0
    return tuple(None if n is None else _colour(scale, (n - neutral) / farthest) for n in numbers)


def _number(value: Any) -> float | None:
    if is_missing(value) or isinstance(value, str | bytes):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _colour(scale: str, place: float) -> str:
    below, above = SCALES[scale]
    return f"{above if place >= 0 else below}{round(abs(place) * _STRONGEST * 255):02x}"
