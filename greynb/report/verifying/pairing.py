"""Finding for each row of a result the row of another result that it is to be compared with."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np

Row = Sequence[Any]
Codes = tuple[bytes, ...]
Pairs = list[tuple[int, int]]

RELATIVE: Final = 1e-9
ABSOLUTE: Final = 1e-12
"""Two numbers of which one is a float are the same within these: floats add up in another order each time."""


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
    floats = {place for row in (*then, *now) for place, value in enumerate(row) if is_float(value)}
    near = list(_near(left, right, then, now, old, new, sorted(floats)))
    left, right = sorted({*left} - {before for before, _ in near}), sorted({*right} - {at for _, at in near})
    if len(left) != len(right):
        return [near], left, right
    orders = _in_order(left, then, old, floats), _in_order(right, now, new, floats)
    return [[*near, *zip(left, right, strict=True)], [*near, *zip(*orders, strict=True)]], [], []


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


def _near(
    left: list[int],
    right: list[int],
    then: Sequence[Row],
    now: Sequence[Row],
    old: Sequence[Codes],
    new: Sequence[Codes],
    floats: list[int],
) -> Iterator[tuple[int, int]]:
    """Pair rows that are the same within the tolerance, each once."""
    if not floats:
        return
    # Looked up by the float that tells most rows apart, so that few are to be looked at.
    by = max(floats, key=lambda column: len({new[place][column] for place in right}))

    def exact(codes: Codes) -> Codes:
        return tuple(code for column, code in enumerate(codes) if column not in floats)

    waiting: dict[Codes, list[tuple[float, int]]] = defaultdict(list)
    for after in right:
        waiting[exact(new[after])].append((_size(now[after][by]), after))
    for others in waiting.values():
        others.sort()
    for before in left:
        others, size = waiting.get(exact(old[before]), []), _size(then[before][by])
        room = ABSOLUTE + 2 * RELATIVE * abs(size) if math.isfinite(size) else 0.0
        for place in range(bisect_left(others, (size - room,)), len(others)):
            other, after = others[place]
            if other > size + room:
                break
            if all(_same(then[before][c], now[after][c], old[before][c], new[after][c]) for c in floats):
                del others[place]
                yield before, after
                break


def _same(then: Any, now: Any, old: bytes, new: bytes) -> bool:
    return old == new or apart(then, now) <= RELATIVE


def apart(then: Any, now: Any) -> float:
    """How far two different values are apart, relative to the larger; infinite where it is no tolerance's."""
    if not (is_number(then) and is_number(now) and (is_float(then) or is_float(now))):
        return math.inf
    first, second = float(then), float(now)
    if not (math.isfinite(first) and math.isfinite(second)):
        return math.inf
    difference = abs(first - second)
    return 0.0 if difference <= ABSOLUTE else difference / max(abs(first), abs(second))


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
