"""One value of a result as text."""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from typing import Any

import numpy as np
import pandas as pd

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that move the cursor, change direction or show nothing."""
_JOINER = "\u200d"


def arrays_of(frame: pd.DataFrame) -> list[Any]:
    """Give the array of each column, as pandas keeps it."""
    # A Series of each would cost 40 times as much, and a copy of all attrs.
    array_of = getattr(frame, "_get_column_array", None)
    if array_of is None:  # it is pandas' own, and may go
        return [column.array for _, column in frame.items()]
    return [array_of(number) for number in range(frame.shape[1])]


def values(array: Any) -> list[Any]:
    """Give the values of an array; dates beyond what pandas can box stay numpy's."""
    try:
        return list(array.tolist())
    except (OverflowError, ValueError):
        return list(array.to_numpy())


def is_null(value: Any) -> bool:
    """Whether a value stands for NULL. In a float column that is NaN, which cannot be told from it."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, (float, np.floating)):
        return math.isnan(value)
    return isinstance(value, (np.datetime64, np.timedelta64)) and bool(np.isnat(value))


def is_number(dtype: Any, boxed: list[Any]) -> bool:
    """Whether a column is set to the right: a numeric dtype, or objects that are (wide integers)."""
    if dtype.kind != "O" or not isinstance(dtype, np.dtype):
        return dtype.kind in "iufc"
    found = [value for value in boxed if not is_null(value)]
    return bool(found) and all(hasattr(value, "__float__") and not isinstance(value, bool) for value in found)


def text_of(value: Any, kind: str) -> str:
    """Write a value that is not NULL.

    Parameters
    ----------
    value
        The value, as pandas boxes it.
    kind
        The engine's type name; a ``DATE`` is written without a time.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, (float, np.floating)):
        return _float(value, kind)
    if isinstance(value, (dt.datetime, np.datetime64)):
        return _moment(value, kind)
    if isinstance(value, bytes):
        return f"x'{value[:64].hex()}{'…' if len(value) > 64 else ''}' ({len(value):,} bytes)"
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    return str(value)


def _float(value: Any, kind: str) -> str:
    """Write 12 significant digits, from a million on 15: no noise of binary fractions, no price rounded."""
    number = float(value)
    if number.is_integer():
        return repr(number)
    if kind == "FLOAT":
        return f"{value:.6g}"
    return f"{number:.{12 if abs(number) < 1e6 else 15}g}"


def _moment(value: dt.datetime | np.datetime64, kind: str) -> str:
    text = str(value).replace("T", " ")
    return text.removesuffix(" 00:00:00") if kind == "DATE" else text


def on_one_line(text: str) -> str:
    """Write control and invisible characters as escapes, as Python's ``repr`` does."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(char) for char in text)


def _visible(char: str) -> str:
    if unicodedata.category(char) not in _HIDDEN or char == _JOINER:
        return char
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def width_of(text: str) -> int:
    """Count the columns that a text takes in a terminal."""
    return len(text) if text.isascii() else sum(_width(char) for char in text)


def _width(char: str) -> int:
    if unicodedata.combining(char) or char == _JOINER or "\ufe00" <= char <= "\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
