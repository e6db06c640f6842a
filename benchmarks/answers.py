"""Results of different tools as plain values, and whether two of them say the same."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

Answer = list[list[Any]]
CLOSE = 1e-9
"""Sums of floats in another order differ in their last digits."""


def plain(frame: Any) -> Answer:
    """The names and rows of a frame of pandas or polars, as JSON can hold them."""
    rows = frame.rows() if hasattr(frame, "rows") else frame.itertuples(index=False, name=None)
    return [[str(name) for name in frame.columns], *([_plain(value) for value in row] for row in rows)]


def difference(one: Answer, other: Answer) -> str | None:
    """Where two results differ; None where they do not."""
    if len(one) != len(other):
        return f"{len(one) - 1} rows, and {len(other) - 1}"
    for number, (a, b) in enumerate(zip(one, other, strict=True)):
        if len(a) != len(b) or not all(map(_same, a, b)):
            return f"row {number}: {a}, and {b}"
    return None


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=CLOSE, abs_tol=CLOSE)
    return bool(a == b)


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value:
        return None
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()[:10]
    return float(value) if isinstance(value, (Decimal, bool)) else value


def geometric_mean(values: Sequence[float]) -> float:
    """The mean in which halving one value weighs as much as doubling another."""
    return math.exp(sum(map(math.log, values)) / len(values))
