"""Comparing two results row by row, whatever the order of their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from greynb.report.valuecodes import NULL, code
from greynb.report.verifying.pairing import RELATIVE, Codes, Pairs, Row, apart, key_width, paired
from greynb.report.verifying.verdict import Difference

_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two results differ.

    Attributes
    ----------
    values, of
        Values that differ beyond the tolerance, of how many.
    gone, new
        Rows that are only in the first, and only in the second.
    largest
        The largest relative difference among numbers within the tolerance; 0 where all are the same.
    first
        The first value or row that differs.
    """

    values: int
    of: int
    gone: int
    new: int
    largest: float
    first: Difference | None

    @property
    def equal(self) -> bool:
        """Whether nothing differs beyond the tolerance."""
        return not (self.values or self.gone or self.new)


def compare(names: Sequence[str], then: Sequence[Row], now: Sequence[Row]) -> Comparison:
    """Compare the rows of two results with the same columns.

    Rows that are the same on both sides go first, however often they are there. The others are paired by
    the leading columns that tell all rows apart, on both sides; else those that are the same within the
    tolerance, and the rest by their place or in sorted order, whichever leaves fewer differences.

    Parameters
    ----------
    names
        The columns.
    then, now
        The rows, of plain Python or pandas values.
    """
    old, new = [_codes(row) for row in then], [_codes(row) for row in now]
    width = key_width(then, old, new)
    pairings, gone, added = paired(then, now, old, new, width)
    unequal, largest = min(
        (_unequal(pairs, then, now, old, new) for pairs in pairings), key=_few, default=([], 0.0)
    )
    first = None
    if unequal:
        before, after, place = unequal[0]
        told = text(then[before][place]), text(now[after][place])
        first = Difference(_label(names, then[before], width, before), names[place], *told)
    first = first or _row_that_is_gone(names, then, now, gone, added, width)
    return Comparison(len(unequal), len(then) * len(names), len(gone), len(added), largest, first)


def _unequal(
    pairs: Pairs, then: Sequence[Row], now: Sequence[Row], old: Sequence[Codes], new: Sequence[Codes]
) -> tuple[list[tuple[int, int, int]], float]:
    """The values that differ beyond the tolerance, and the largest difference within it."""
    unequal, largest = [], 0.0
    for before, after in pairs:
        for place, (was, became) in enumerate(zip(old[before], new[after], strict=True)):
            if was == became:
                continue
            difference = apart(then[before][place], now[after][place])
            if difference <= RELATIVE:
                largest = max(largest, difference)
            else:
                unequal.append((before, after, place))
    return unequal, largest


def _few(found: tuple[list[tuple[int, int, int]], float]) -> int:
    return len(found[0])


def _codes(row: Row) -> Codes:
    return tuple(map(code, row))


def _label(names: Sequence[str], row: Row, width: int, place: int) -> str:
    if not width:
        return f"row {place + 1}"
    return ", ".join(f"{name}={text(value)}" for name, value in zip(names, row[:width], strict=False))


def _row_that_is_gone(
    names: Sequence[str],
    then: Sequence[Row],
    now: Sequence[Row],
    gone: Sequence[int],
    added: Sequence[int],
    width: int,
) -> Difference | None:
    for places, rows, told in ((gone, then, ("there", "gone")), (added, now, ("not there", "there"))):
        for place in places:
            shown = ", ".join(text(value) for value in rows[place])
            whole = shown if len(shown) <= 2 * _SHOWN else f"{shown[: 2 * _SHOWN - 1]}…"
            return Difference(_label(names, rows[place], width, place), f"the row ({whole})", *told)
    return None


def text(value: Any) -> str:
    """Write a value as a reader wants it, on one line, cut where it is long."""
    if code(value) == NULL:
        return "NULL"
    plain = value.item() if isinstance(value, np.generic) else value
    shown = repr(plain) if isinstance(plain, (bytes, float)) else str(plain)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"


def rows_of(frame: Any) -> Iterator[Row]:
    """The rows of a frame as tuples of its values."""
    columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
    return zip(*columns, strict=True) if columns else iter([()] * len(frame))
