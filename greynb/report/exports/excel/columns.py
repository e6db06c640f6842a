"""What Excel can hold of a column: numbers that it shows exactly, dates from 1900-03-01 on, and text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from greynb.report.exports.texts import TEXT, is_number, texts

MOST_DIGITS: Final = 15
"""Significant digits that Excel shows and calculates with."""
_FIRST: Final = 61  # 1900-03-01; before it Excel counts a 29 February 1900 that was not
_LAST: Final = 2_958_465  # 9999-12-31
_UNIX: Final = 25_569  # 1970-01-01
_A_DAY: Final = {"s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}
_SAMPLE: Final = 1_000
_WIDEST: Final = 60
_NARROWEST: Final = 6

DATE, MOMENT, MILLIS = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd hh:mm:ss.000"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a sheet.

    Attributes
    ----------
    name
        Its header.
    values
        Its values, of a type of `greynb.report.exports.texts.readable`.
    number_format
        Excel's format of its numbers; None for none of its own.
    width
        In characters.
    notices
        What is to be said of it.
    """

    name: str
    values: Any
    number_format: str | None
    width: float
    notices: tuple[str, ...] = ()


def columns_of(table: pa.Table, formats: dict[str, str]) -> list[Column]:
    """Decide for each column of a readable table how Excel holds it."""
    return [
        _column(name, values, formats.get(name))
        for name, values in zip(table.column_names, table.columns, strict=True)
    ]


def _column(name: str, values: Any, wanted: str | None) -> Column:
    notice = None
    if is_number(values.type) and not pa.types.is_floating(values.type) and _too_long(values):
        values = texts(values)
        notice = f"{name}: numbers of more than {MOST_DIGITS} digits, which Excel would round, are text"
    elif pa.types.is_timestamp(values.type) and values.type.tz is not None:
        notice = f"{name}: times are local times of {values.type.tz}; Excel has no time zones"
        values = pc.local_timestamp(values)
    style = wanted or _number_format(values)
    notes = tuple(note for note in (notice, _as_text(name, values)) if note)
    return Column(name, values, style, _width(name, values, style), notes)


def _as_text(name: str, values: Any) -> str | None:
    """Say which values of a column of numbers or times are text, since Excel has no number for them."""
    kind = values.type
    if pa.types.is_floating(kind):
        return (
            None
            if pc.all(pc.is_finite(values)).as_py() in (True, None)
            else f"{name}: NaN and infinities are text"
        )
    if pa.types.is_duration(kind):
        shortest = pc.min(values.cast(pa.int64())).as_py()
        return f"{name}: negative time spans are text" if (shortest or 0) < 0 else None
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        ends = pc.min_max(values.cast(pa.date32())).as_py()
        early = ends["min"] is not None and ends["min"] < dt.date(1900, 3, 1)
        return f"{name}: dates before 1900-03-01, which Excel does not have, are text" if early else None
    return None


def _too_long(values: Any) -> bool:
    if pa.types.is_integer(values.type):
        ends = pc.min_max(values).as_py()
        return any(abs(end or 0) >= 10**MOST_DIGITS for end in ends.values())
    digits = pc.utf8_length(pc.replace_substring_regex(texts(values), r"^-?0*\.?0*|\.|E.*$", ""))
    return (pc.max(digits).as_py() or 0) > MOST_DIGITS


def _number_format(values: Any) -> str | None:
    kind = values.type
    if pa.types.is_date(kind):
        return DATE
    if pa.types.is_timestamp(kind):
        return MOMENT if kind.unit == "s" else MILLIS
    if pa.types.is_time(kind):
        return "hh:mm:ss" if kind.unit == "s" else "hh:mm:ss.000"
    if pa.types.is_duration(kind):
        return "[h]:mm:ss"
    if pa.types.is_integer(kind):
        return "0"
    if pa.types.is_decimal(kind):
        return "0." + "0" * kind.scale if kind.scale > 0 else "0"
    return _decimals(values) if pa.types.is_floating(kind) else None


def _decimals(values: Any) -> str | None:
    """As many decimals as the first values have, up to four; none of its own where they are very small."""
    some = [value for value in values[:_SAMPLE].to_pylist() if value is not None and abs(value) < 1e15]
    if not some or max(map(abs, some)) < 0.001:
        return None
    longest = max(len(f"{value:.4f}".rstrip("0").partition(".")[2]) for value in some)
    return "0." + "0" * longest if longest else "0"


def _width(name: str, values: Any, style: str | None) -> float:
    head = values[:_SAMPLE]
    if style and not is_number(values.type):
        longest = len(style)
    else:
        decimals = len(style.partition(".")[2]) if style else 0
        longest = max((_shown(text, decimals if style else None) for text in _some(head)), default=0)
    return float(min(max(longest, len(name) + 3, _NARROWEST), _WIDEST)) + 1  # 3: the filter's button


def _some(head: Any) -> Iterable[str]:
    return (text for text in texts(head).to_pylist() if text is not None)


def _shown(text: str, decimals: int | None) -> int:
    if decimals is None:
        return max(map(len, text.splitlines()), default=0)
    whole, _, _ = text.partition(".")
    return len(whole) + (decimals + 1 if decimals else 0)


def numbers(values: Any) -> tuple[Any, Any]:
    """Give a column's numbers as Excel stores them, and as text what it has no number for.

    Returns
    -------
    tuple
        Two arrays of text; in each row at most one is not NULL.
    """
    kind = values.type
    if kind == TEXT:
        return pa.nulls(len(values), TEXT), values
    if pa.types.is_floating(kind):
        written = values.cast(TEXT)
        return _parted(pc.is_finite(values), written, written)
    if pa.types.is_date(kind):
        days = pc.add(values.cast(pa.int32()).cast(pa.int64()), _UNIX)
        return _parted(_in_calendar(days), days.cast(TEXT), texts(values))
    if pa.types.is_timestamp(kind):
        return _moments(values)
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        parts = values.cast(pa.int32()).cast(pa.int64()) if kind.bit_width == 32 else values.cast(pa.int64())
        days = pc.divide(parts.cast(pa.float64(), safe=False), float(_A_DAY[kind.unit]))
        return _parted(pc.greater_equal(days, 0.0), days.cast(TEXT), texts(values))
    return values.cast(TEXT), pa.nulls(len(values), TEXT)


def _moments(values: Any) -> tuple[Any, Any]:
    parts, a_day = values.cast(pa.int64()), _A_DAY[values.type.unit]
    days = pc.add(pc.divide(parts.cast(pa.float64(), safe=False), float(a_day)), float(_UNIX))
    return _parted(_in_calendar(days), days.cast(TEXT), texts(values))


def _in_calendar(days: Any) -> Any:
    return pc.and_(pc.greater_equal(days, _FIRST), pc.less(days, _LAST + 1))


def _parted(fits: Any, number: Any, text: Any) -> tuple[Any, Any]:
    none = pa.scalar(None, TEXT)
    return pc.if_else(fits, number, none), pc.if_else(fits, none, text)
