"""Columns of Python objects as Arrow columns: typed where all values are of one kind, else as text."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

_FAILS = (pa.ArrowException, OverflowError, UnicodeError, TypeError, ValueError)

# What pandas calls columns of one kind that Arrow takes as they are.
_ALIKE = frozenset({"string", "integer", "floating", "mixed-integer-float", "decimal", "boolean", "bytes"})
_MOMENTS = frozenset({"datetime", "datetime64", "date", "time", "timedelta", "timedelta64"})


def from_objects(series: pd.Series[Any]) -> tuple[Any, str | None]:
    """Convert a column of objects.

    Returns
    -------
    tuple
        An Arrow array, and what to say of it where its texts are not the values themselves; else None.
    """
    kind = pd.api.types.infer_dtype(series, skipna=True)
    if kind == "empty":
        return pa.nulls(len(series)), None
    missing = series.isna().to_numpy()
    values: list[Any] = [
        None if lost else value for value, lost in zip(series.tolist(), missing, strict=True)
    ]
    if kind in _ALIKE:
        with suppress(*_FAILS):
            return pa.array(values), None
    if kind == "integer":
        with suppress(*_FAILS):  # beyond 64 bits
            return pa.array([None if value is None else Decimal(int(value)) for value in values]), None
    if kind in _MOMENTS or kind == "mixed":
        with suppress(*_FAILS):
            plain = values if kind in _MOMENTS else [_nested(value) for value in values]
            column = pa.array(plain)
            if _same(column, plain):
                return column, None
    texts = pa.array([None if value is None else text_of(value) for value in values], pa.large_string())
    return texts, f"{_KINDS.get(kind, 'values of several or unknown kinds')} are written as text"


_KINDS = {
    "string": "half characters (surrogates)",
    "period": "periods",
    "interval": "intervals",
    "complex": "complex numbers",
    "integer": "integers",
}


def _same(column: pa.Array, values: list[Any]) -> bool:
    """Whether Arrow holds the very values: it drops times, zones and missing keys without a word."""
    return all(_alike(kept, value) for kept, value in zip(column.to_pylist(), values, strict=True))


def _alike(kept: Any, value: Any) -> bool:
    if isinstance(value, dt.datetime) and not (
        isinstance(kept, dt.datetime) and (value.tzinfo is None) == (kept.tzinfo is None)
    ):
        return False
    return bool(kept == value) and (isinstance(value, dict | list) or isinstance(kept, type(value)))


def _nested(value: Any) -> Any:
    """Take arrays and tuples as lists, since Arrow gives lists back."""
    if isinstance(value, np.ndarray | tuple):
        value = list(value)
    if isinstance(value, list):
        return [_nested(each) for each in value]
    if isinstance(value, dict):
        return {key: _nested(each) for key, each in value.items()}
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    return value.item() if isinstance(value, np.generic) else value


def text_of(value: Any) -> str:
    """Write one value that is not missing: bytes in hexadecimal, lists and dicts as JSON, dates as ISO."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")  # lone surrogates are no text
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, pa.MonthDayNano):
        return f"P{value.months}M{value.days}DT{value.nanoseconds / 1e9:.9f}".rstrip("0").rstrip(".") + "S"
    if isinstance(value, pd.DateOffset):
        parts = value.kwds
        return " ".join(f"{parts[part]} {part}" for part in parts if parts[part]) or "0 days"
    if isinstance(value, Mapping | list | tuple | set | frozenset | np.ndarray):
        return json_of(value)
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")


def json_of(value: Any) -> str:
    """Write a value, nested or not, as JSON that every reader takes: no NaN, other types as text."""
    return json.dumps(_jsonable(value), ensure_ascii=False, separators=(",", ":"))


def _jsonable(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT or isinstance(value, bool | int):
        return None if value is pd.NA or value is pd.NaT else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, Mapping):
        named = {text_of(key): _jsonable(each) for key, each in value.items()}
        pairs = [[_jsonable(key), _jsonable(each)] for key, each in value.items()]
        return named if len(named) == len(value) else pairs  # as 1 and "1" have the same text
    if isinstance(value, set | frozenset):
        return sorted((_jsonable(each) for each in value), key=repr)
    if isinstance(value, list | tuple | np.ndarray):
        return [_jsonable(each) for each in value]
    return text_of(value)
