"""Sums by which the floats of a large result are compared, where its record cannot keep each of them.

A hash tells floats apart that differ in their last digits, as the sums of several threads do. So for each
column of floats eight sums are kept, in each of which the values of a row count plus or minus, as the row's
other columns decide (the sketch of Alon, Matias and Szegedy, "The space complexity of approximating the
frequency moments", 1996). If one value changes by d, each sum changes by d; if many change, each sum changes
by about the root of their squares' sum, so that all eight stay the same only if all values do.

What is summed is not a value x, beside the largest of which no other would count, but the logarithm
sign(x) · ln(1 + |x| / 0.001): a change of x by d changes it by d / (|x| + 0.001), so that 1e-9 of it is 1e-9
of the value, and 1e-12 near zero, as in the comparison of single values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from greynb.report.mixing import mix, mixed

Codes = npt.NDArray[np.uint8]

COUNT: Final = 8
_NEAR_ZERO: Final = 1e-3
_LARGEST: Final = 1e300  # beyond, the quotient would overflow


class Probes:
    """The sums of one result, from its pieces.

    Parameters
    ----------
    floats
        For each column, whether it holds floats.
    """

    def __init__(self, floats: Sequence[bool]) -> None:
        self._floats = floats
        self._rest = 0
        self._sums: list[list[list[float]]] = [[[] for _ in range(COUNT)] for _ in floats]

    def add(self, columns: Sequence[Any], codes: Sequence[Codes]) -> None:
        """Take a piece of the rows: the columns' arrays, and the codes of their values."""
        if not codes:
            return
        values = {
            place: np.asarray(columns[place].to_numpy(np.float64, na_value=np.nan), dtype=np.float64)
            for place, is_float in enumerate(self._floats)
            if is_float
        }
        rows = np.zeros(len(codes[0]), np.uint64)
        for place, part in enumerate(codes):
            rows = mix(rows ^ mixed(_marked(part, values[place]) if place in values else part))
        self._rest += int(rows.sum(dtype=np.uint64))
        bits = mix(rows)
        for place, column in values.items():
            finite = np.where(np.isfinite(column), column, 0.0)
            scaled = np.sign(finite) * np.log1p(np.minimum(np.abs(finite), _LARGEST) / _NEAR_ZERO)
            for number in range(COUNT):
                negative = ((bits >> np.uint64(number)) & np.uint64(1)).astype(bool)
                self._sums[place][number].append(float(np.where(negative, -scaled, scaled).sum()))

    def result(self) -> dict[str, Any]:
        """Give the sums as plain JSON: a hash of all that is no float, and for each column its sums."""
        columns = [
            [math.fsum(parts) for parts in sums] if is_float else None
            for is_float, sums in zip(self._floats, self._sums, strict=True)
        ]
        return {"rest": f"{self._rest % 2**64:016x}", "columns": columns}


def apart(then: Mapping[str, Any], now: Mapping[str, Any]) -> float | None:
    """How far the floats of two results are apart, in parts of the values that changed.

    None where something else differs, or either is not what `Probes.result` gives.
    """
    try:
        if then["rest"] != now["rest"]:
            return None
        farthest = 0.0
        for before, after in zip(then["columns"], now["columns"], strict=True):
            if before is None and after is None:
                continue
            pairs = zip(before, after, strict=True)
            farthest = max(farthest, *(abs(float(left) - float(right)) for left, right in pairs))
        return farthest if math.isfinite(farthest) else None
    except (KeyError, TypeError, ValueError):
        return None


def _marked(codes: Codes, values: npt.NDArray[np.float64]) -> Codes:
    """The codes with every finite value replaced by one mark: what is NULL or infinite must stay so."""
    marked = codes.copy()
    marked[np.isfinite(values)] = ord("f")
    return marked
