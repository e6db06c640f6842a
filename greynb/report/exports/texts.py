"""Columns as exact text, made by whole columns.

Numbers are written with all their digits (a float so that reading it gives the same float, ``1.0`` with its
point), dates as ISO 8601, a time span as ISO 8601 (``P1DT2H0M3S``), bytes in hexadecimal, lists and structs
as JSON. A fraction of a second has as many digits as the column needs, and a column of midnights is dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from greynb.report.exports.objects import json_of, text_of

TEXT = pa.large_string()
"""The type of all texts: its offsets hold more than 2 GB."""

_UNITS = ("s", "ms", "us")
_A_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def readable(table: pa.Table, *, nested: bool = False) -> pa.Table:
    """Give a table of plain types alone: numbers, booleans, dates, times, timestamps and text.

    Parameters
    ----------
    table
        Any table.
    nested
        Whether lists and structs stay, for a format that has them.
    """
    columns = [_readable(column, nested) for column in table.columns]
    return pa.table(columns, names=table.column_names)


def _readable(column: pa.ChunkedArray, nested: bool) -> Any:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return by_value(column)
    if pa.types.is_dictionary(kind):
        return _readable(_decoded(column), nested)
    if pa.types.is_null(kind):
        return pa.nulls(len(column), TEXT)
    if _is_text(kind):
        return column.cast(TEXT)
    if pa.types.is_timestamp(kind):
        return _as_dates(_narrow(column, lambda unit: pa.timestamp(unit, kind.tz)))
    if pa.types.is_time(kind):
        return _narrow(column, lambda unit: pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit))
    if pa.types.is_date(kind):
        return column.cast(pa.date32())
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    stays = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
    if any(is_kind(kind) for is_kind in stays) or pa.types.is_duration(kind):
        return column
    if nested and pa.types.is_nested(kind):
        return column
    return by_value(column)


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    # Arrow can neither cast a dictionary of string views nor take from one.
    kind = TEXT if _is_text(column.type.value_type) else column.type.value_type
    parts = [chunk.dictionary.cast(kind).take(chunk.indices) for chunk in column.chunks]
    return pa.chunked_array(parts, kind)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def by_value(column: pa.ChunkedArray) -> Any:
    """Write each value by itself: for the few types that have no other way."""
    return pa.array([None if value is None else text_of(value) for value in _values(column)], TEXT)


def _values(column: Any) -> list[Any]:
    """The values as Python has them; maps as dicts, unless a key comes twice."""
    values: list[Any] = column.to_pylist()
    if not pa.types.is_map(column.type):
        return values
    return [dict(value) if value and len(dict(value)) == len(value) else value for value in values]


def _narrow(column: pa.ChunkedArray, type_of: Any) -> pa.ChunkedArray:
    """The column in the coarsest unit that loses nothing."""
    for unit in _UNITS:
        with suppress(pa.ArrowInvalid):
            return column.cast(type_of(unit))
    return column


def _as_dates(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if column.type.tz is not None or column.type.unit != "s" or column.null_count == len(column):
        return column
    days = column.cast(pa.date32())
    return days if pc.all(pc.equal(days.cast(column.type), column)).as_py() else column


def texts(column: Any, between: str = " ") -> Any:
    """Write the values of a column of `readable`; NULL stays NULL.

    Parameters
    ----------
    column
        An array.
    between
        What stands between date and time.
    """
    kind = column.type
    if pa.types.is_floating(kind):
        return _floats(column)
    if pa.types.is_timestamp(kind):
        return _timestamps(column, between)
    if pa.types.is_duration(kind):
        return pa.array([_span(value, kind.unit) for value in column.cast(pa.int64()).to_pylist()], TEXT)
    if pa.types.is_nested(kind):
        return pa.array([None if value is None else json_of(value) for value in _values(column)], TEXT)
    return column.cast(TEXT)


def _floats(column: Any) -> Any:
    written = column.cast(TEXT)
    whole = pc.match_substring_regex(written, r"^-?\d+$")
    return pc.if_else(whole, join([written, ".0"]), written) if pc.any(whole).as_py() else written


def _timestamps(column: Any, between: str) -> Any:
    written = column.cast(TEXT)
    if between != " ":
        written = pc.replace_substring(written, " ", between, max_replacements=1)
    if column.type.tz is not None:
        written = pc.replace_substring_regex(written, r"([+-]\d\d)(\d\d)$", r"\1:\2")
    return written


def _span(value: int | None, unit: str) -> str | None:
    if value is None:
        return None
    seconds, part = divmod(abs(value), _A_SECOND[unit])
    minutes, second = divmod(seconds, 60)
    fraction = f".{part:0{len(str(_A_SECOND[unit])) - 1}d}".rstrip("0") if part else ""
    days, hours, minute = minutes // 1440, minutes // 60 % 24, minutes % 60
    return f"{'-' if value < 0 else ''}P{days}DT{hours}H{minute}M{second}{fraction}S"


def is_number(kind: pa.DataType) -> bool:
    """Whether values of a type are numbers, which stand to the right."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def join(parts: Sequence[Any], separator: str = "", *, null: str | None = None) -> Any:
    """Join texts row by row.

    Parameters
    ----------
    parts
        Arrays of text, and texts that are the same in each row.
    separator
        What stands between two parts.
    null
        What is written for NULL; None for a NULL of the whole row.
    """
    inputs = [pa.scalar(part, TEXT) if isinstance(part, str) else part for part in parts]
    handling = {"null_handling": "emit_null"} if null is None else _replace(null)
    return pc.binary_join_element_wise(*inputs, pa.scalar(separator, TEXT), **handling)


def _replace(null: str) -> dict[str, str]:
    return {"null_handling": "replace", "null_replacement": null}


def replaced(column: Any, *pairs: tuple[str, str]) -> Any:
    """Replace each of some texts by another, one after the other."""
    for old, new in pairs:
        column = pc.replace_substring(column, old, new)
    return column


def rewritten(column: Any, mask: Any, write: Any) -> Any:
    """Write the few texts that a mask names by a function of Python, the others as they are."""
    if not pc.any(mask).as_py():
        return column
    found = [write(text) for text in column.filter(mask).to_pylist()]
    return pc.replace_with_mask(column, pc.fill_null(mask, False), pa.array(found, TEXT))


class Writable(Protocol):
    """What bytes can be written to."""

    def write(self, data: memoryview, /) -> int:
        """Write all of it."""


def write(file: Writable, column: Any) -> int:
    """Write all texts of an array without NULL one after the other, straight from its memory."""
    start, end = (column.offset, column.offset + len(column))
    _, offsets, data = column.buffers()
    if not len(column) or data is None:
        return 0
    bounds = memoryview(offsets).cast("q")
    return file.write(memoryview(data)[bounds[start] : bounds[end]])
