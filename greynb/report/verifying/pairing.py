"""Finding for each row of a result the row of another result that it is to be compared with."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

Row = Sequence[Any]
Codes = tuple[bytes, ...]
Pairs = list[tuple[int, int]]


def key_width(then: Sequence[Row], *sides: Sequence[Codes]) -> int:
    """How many leading columns tell the rows apart on both sides; 0 where none short of all do."""
    columns = len(then[0]) if then else 0
    for width in range(1, columns):
        if any(is_float(row[width - 1]) for row in then):
            return 0
        if all(len({row[:width] for row in side}) == len(side) for side in sides):
            return width
    return 0


def paired(
    then: Sequence[Row], now: Sequence[Row], old: Sequence[Codes], new: Sequence[Codes], width: int
) -> tuple[list[Pairs], list[int], list[int]]:
    """Pair rows that have no equal on the other side.

    Parameters
    ----------
    then, now
        The rows.
    old, new
        The codes of their values.
    width
        As `key_width` gives it.

    Returns
    -------
    tuple
        The ways in which they can be paired, and the places of rows that are only in the first, and only in
        the second.
    """
    left, right = _leftovers(old, new)
    if width:
        pairs, gone, added = _by_key(left, right, old, new, width)
        return [pairs], gone, added
    if len(left) != len(right):
        return [], left, right
    floats = {place for row in (*then, *now) for place, value in enumerate(row) if is_float(value)}
    orders = _in_order(left, then, old, floats), _in_order(right, now, new, floats)
    return [list(zip(left, right, strict=True)), list(zip(*orders, strict=True))], [], []


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


def _by_key(
    left: list[int], right: list[int], old: Sequence[Codes], new: Sequence[Codes], width: int
) -> tuple[Pairs, list[int], list[int]]:
    """Pair the rows that are left by their leading columns, and say which stay alone."""
    keyed = {new[place][:width]: place for place in right}
    pairs = [(place, keyed.pop(old[place][:width])) for place in left if old[place][:width] in keyed]
    paired = {before for before, _ in pairs}
    return pairs, [place for place in left if place not in paired], sorted(keyed.values())


def _in_order(places: list[int], rows: Sequence[Row], codes: Sequence[Codes], floats: set[int]) -> list[int]:
    """Sort rows by all that is no float, then by the floats: near ones then come in the same order."""

    def order(place: int) -> tuple[Any, ...]:
        exact = [code for column, code in enumerate(codes[place]) if column not in floats]
        return exact, [_size(rows[place][column]) for column in sorted(floats)]

    return sorted(places, key=order)


def _size(value: Any) -> float:
    number = float(value) if is_number(value) else math.inf
    return math.inf if math.isnan(number) else number


def is_number(value: Any) -> bool:
    """Whether a value is a number of any kind."""
    return isinstance(value, (int, float, Decimal, np.number))


def is_float(value: Any) -> bool:
    """Whether a value is a float, which is compared with a tolerance."""
    return isinstance(value, (float, np.floating))
