"""Comparing two results row by row, whatever the order of their rows."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np

from greynb.report.valuecodes import NULL, code
from greynb.report.verifying.verdict import Difference

Row = Sequence[Any]

RELATIVE: Final = 1e-9
ABSOLUTE: Final = 1e-12
"""Two numbers of which one is a float are the same within these: floats add up in another order each time."""

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
    the leading columns that tell all rows apart, on both sides; else by their place; else in sorted order.

    Parameters
    ----------
    names
        The columns.
    then, now
        The rows, of plain Python or pandas values.
    """
    old, new = [_codes(row) for row in then], [_codes(row) for row in now]
    left, right = _leftovers(old, new)
    width = _key_width(then, old, new)
    pairs, gone, added = _paired(left, right, old, new, width)
    values, largest, first = 0, 0.0, None
    for before, after in pairs:
        for place, name in enumerate(names):
            if old[before][place] == new[after][place]:
                continue
            apart = _apart(then[before][place], now[after][place])
            if apart <= RELATIVE:
                largest = max(largest, apart)
                continue
            values += 1
            if first is None:
                told = text(then[before][place]), text(now[after][place])
                first = Difference(_label(names, then[before], width, before), name, *told)
    first = first or _row_that_is_gone(names, then, now, gone, added, width)
    return Comparison(values, len(then) * len(names), len(gone), len(added), largest, first)


def _codes(row: Row) -> tuple[bytes, ...]:
    return tuple(map(code, row))


def _leftovers(old: Sequence[Hashable], new: Sequence[Hashable]) -> tuple[list[int], list[int]]:
    """The places of rows that have no equal on the other side."""
    waiting: dict[Hashable, list[int]] = defaultdict(list)
    for place in reversed(range(len(new))):
        waiting[new[place]].append(place)
    left = []
    for place, row in enumerate(old):
        if waiting.get(row):
            waiting[row].pop()
        else:
            left.append(place)
    return left, sorted(place for places in waiting.values() for place in places)


def _key_width(then: Sequence[Row], *sides: Sequence[tuple[bytes, ...]]) -> int:
    """How many leading columns tell the rows apart on both sides; 0 where none short of all do."""
    columns = len(then[0]) if then else 0
    for width in range(1, columns):
        if any(_is_float(row[width - 1]) for row in then):
            return 0
        if all(len({row[:width] for row in side}) == len(side) for side in sides):
            return width
    return 0


def _paired(
    left: list[int], right: list[int], old: Sequence[Row], new: Sequence[Row], width: int
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Pair the rows that are left, and say which stay alone."""
    if width:
        keyed = {new[place][:width]: place for place in right}
        pairs = [(place, keyed.pop(old[place][:width])) for place in left if old[place][:width] in keyed]
        paired = {before for before, _ in pairs}
        return pairs, [place for place in left if place not in paired], sorted(keyed.values())
    if len(left) != len(right):
        return [], left, right
    if left != right:
        left = sorted(left, key=lambda place: _sorting(old[place]))
        right = sorted(right, key=lambda place: _sorting(new[place]))
    return list(zip(left, right, strict=True)), [], []


def _sorting(codes: Sequence[bytes]) -> tuple[Any, ...]:
    """Whatever is no number first, then the numbers by size: near ones then come in the same order."""
    plain = tuple(each for each in codes if each[:1] not in (b"i", b"f"))
    return plain, tuple(_number(each) for each in codes if each[:1] in (b"i", b"f"))


def _number(each: bytes) -> float:
    return float(np.frombuffer(each[1:9], "<i8" if each[:1] == b"i" else "<f8")[0])


def _apart(then: Any, now: Any) -> float:
    """How far two different values are apart, relative to the larger; infinite where it is no tolerance's."""
    if not (_is_number(then) and _is_number(now) and (_is_float(then) or _is_float(now))):
        return math.inf
    first, second = float(then), float(now)
    if not (math.isfinite(first) and math.isfinite(second)):
        return math.inf
    apart = abs(first - second)
    return 0.0 if apart <= ABSOLUTE else apart / max(abs(first), abs(second))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal, np.number))


def _is_float(value: Any) -> bool:
    return isinstance(value, (float, np.floating))


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
