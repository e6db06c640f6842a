"""Decimals as DuckDB reads them right: it takes the exponent of 1E+2 for digits after the point.

That gives 1.00, so whole numbers with an exponent are written out before DuckDB (1.5.5) sees them; minus
infinity it would take for infinity.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final

_LARGEST: Final = 308
"""The exponent of the largest double."""
_HELD: Final = ("decimal", "mixed", "mixed-integer")
"""What pandas says of columns in which decimals may be."""


def is_beyond(value: Decimal) -> bool:
    """Whether a number is infinite, or larger than any double: its digits might fill the memory."""
    return value.is_infinite() or (value.is_finite() and bool(value) and value.adjusted() > _LARGEST)


def written_out(value: Decimal) -> Decimal | float:
    """The same number as DuckDB reads it right: 100 for 1E+2; what no number of its holds, as infinite."""
    if is_beyond(value):
        return math.copysign(math.inf, value)
    exponent = value.as_tuple().exponent
    return Decimal(int(value)) if isinstance(exponent, int) and exponent > 0 else value


def decimals_written_out(frame: Any) -> Any:
    """A frame whose decimals DuckDB reads right: the same one, if it is, or no frame of pandas.

    Parameters
    ----------
    frame
        A DataFrame of pandas or polars, or an Arrow table; it is not changed.
    """
    if type(frame).__module__.partition(".")[0] != "pandas":
        return frame
    from pandas.api.types import infer_dtype

    given = frame
    for number, dtype in enumerate(frame.dtypes):
        if dtype.kind != "O" or infer_dtype(frame.iloc[:, number], skipna=True) not in _HELD:
            continue
        values = list(frame.iloc[:, number])
        plain = [written_out(each) if isinstance(each, Decimal) else each for each in values]
        if any(one is not other for one, other in zip(plain, values, strict=True)):
            frame = frame.copy(deep=False) if frame is given else frame
            frame.isetitem(number, _objects(plain, frame.index))
    return frame


def _objects(values: list[object], index: Any) -> Any:
    import pandas as pd

    return pd.Series(values, index=index, dtype=object)
