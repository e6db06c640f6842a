"""Values as a reader wants them: right numbers of digits, true minus signs, a dash for what is missing."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from greynb.errors import UsageError

Format = str | Callable[[Any], str]
"""How values are written: a pattern such as ``"{:.1%}"``, or a function from value to text."""

MISSING = "\u2013"
_MINUS = re.compile(r"(?<![\w.-])-(?=\d)")
_DIGITS = 4
"""Significant digits of the largest number of a column that has no format."""
_EXAMPLES = 'formats are those of Python, such as "{:.1%}", "{:+,}", "{:%d %b}", or functions'
_TINY = 1e-5
"""A column of smaller numbers alone is written with exponents: 3.000e-08."""


def signs(text: str) -> str:
    """Write the minus of a number as a minus, which is as wide as the plus; dates and names stay."""
    return _MINUS.sub("\u2212", text)


def texts(values: Sequence[Any], format_: Format | None, number: bool) -> tuple[str, ...]:
    """Write the values of one column.

    Parameters
    ----------
    values
        Python or numpy scalars; None, NaN, NaT and NA are missing.
    format_
        As asked for; without one, numbers get thousands separators and four significant digits by the
        largest, dates are ISO 8601, and everything else is written as Python does.
    number
        Whether the column is one of numbers.

    Raises
    ------
    UsageError
        The format does not fit a value.
    """
    known = [value for value in values if not is_missing(value)]
    write = _writer(format_, known)
    written = (MISSING if is_missing(value) else write(value) for value in values)
    return tuple(signs(text) if number else text for text in written)


def is_missing(value: Any) -> bool:
    """Tell whether a value is None, NaN, NaT or NA."""
    import pandas as pd

    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _writer(format_: Format | None, known: Sequence[Any]) -> Callable[[Any], str]:
    if callable(format_):
        return lambda value: str(format_(value))
    if format_:
        return _formatter(format_)
    if known and all(isinstance(value, dt.datetime) for value in known):
        return _moment(known)
    if known and all(isinstance(value, _floats()) for value in known):
        return _pattern(known).format
    return _plain


def _formatter(pattern: str) -> Callable[[Any], str]:
    """Write by a pattern, which must have a place for the value: ``"%.1f"`` gives all the same text."""

    def write(value: Any) -> str:
        try:
            return pattern.format(value)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise UsageError(
                f"the format {pattern!r} does not fit {value!r}: {error}", hint=_EXAMPLES
            ) from error

    if "{" not in pattern:
        raise UsageError(f"the format {pattern!r} has no place for the value", hint=_EXAMPLES)
    return write


def _floats() -> tuple[type, ...]:
    import numpy as np

    return float, np.floating


def _pattern(known: Sequence[float]) -> str:
    finite = [abs(value) for value in known if math.isfinite(value)]
    largest = max(finite, default=0.0)
    if all(value == int(value) for value in finite):
        return "{:,.0f}"
    if largest < _TINY:
        return f"{{:.{_DIGITS - 1}e}}"
    decimals = min(max(_DIGITS - 1 - math.floor(math.log10(largest)), 0), 6)
    return f"{{:,.{decimals}f}}"


def _moment(known: Sequence[dt.datetime]) -> Callable[[Any], str]:
    """Write times only as finely as the column needs, all alike."""
    if all(value.time() == dt.time(0) and value.tzinfo is None for value in known):
        return lambda value: f"{value:%Y-%m-%d}"
    seconds = ":%S" if any(value.second or value.microsecond for value in known) else ""
    return lambda value: f"{value:%Y-%m-%d %H:%M{seconds}%z}".strip()


def _plain(value: Any) -> str:
    import numpy as np

    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    return str(value)
