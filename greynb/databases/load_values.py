"""The values of a DataFrame as SQLite stores them, converted by columns.

Missing values (NaN, NaT, NA, None) become NULL; booleans 0 and 1; dates and times ISO text with a space
before the time, fractions only where there are any, and the UTC offset where the time has a zone; time
spans seconds as REAL. A Decimal becomes a number where that number prints the same, else text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import partial, singledispatch
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa

Series: TypeAlias = "pd.Series[Any]"
Convert: TypeAlias = Callable[[Series], list[Any]]

# What sqlite3 binds as it is; it stores a float NaN as NULL by itself.
_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})

# Arrow integers and booleans with NULLs would become floats and objects; these types keep them.
_NULLABLE = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


class UnstorableValue(Exception):
    """A value that SQLite has no type for.

    Attributes
    ----------
    position
        Its place in the column that was converted, from 0.
    value
        The value.
    """

    def __init__(self, position: int, value: object) -> None:
        super().__init__(f"a value of type {type(value).__name__} cannot be stored")
        self.position = position
        self.value = value


def as_pandas(table: object) -> pd.DataFrame | None:
    """Give pandas, polars and Arrow tables as a DataFrame without loss; None for anything else."""
    if isinstance(table, pd.DataFrame):
        return table
    if hasattr(table, "__arrow_c_stream__") or hasattr(table, "__arrow_c_array__"):
        try:
            frame: pd.DataFrame = pa.table(table).to_pandas(types_mapper=_NULLABLE.get)
        except pa.ArrowInvalid:  # a single column also has the interface
            return None
        return frame
    return None


def converter(dtype: object, *, dates: bool) -> Convert:
    """Choose how a column of a type is converted.

    Parameters
    ----------
    dtype
        The pandas type of the column.
    dates
        Whether it goes into a DATE column, where a midnight is a date without a time.

    Returns
    -------
    Convert
        A function from a slice of the column to its values; raises `UnstorableValue`.
    """
    if isinstance(dtype, pd.DatetimeTZDtype):
        return _zoned
    if isinstance(dtype, pd.CategoricalDtype):
        return lambda series: _objects(series.astype(object).tolist(), dates)
    if not isinstance(dtype, np.dtype):
        # The stubs do not know that None may stand for a missing value.
        return lambda series: _objects(
            series.to_numpy(dtype=object, na_value=None).tolist(),  # type: ignore[call-overload]
            dates,
        )
    if dtype.kind == "b":
        # sqlite3 looks for an adapter of every bool; an int it binds at once.
        return lambda series: series.astype("int8").tolist()
    if dtype.kind in "iu" or dtype in (np.float64, np.float32, np.float16):
        return lambda series: series.tolist()
    if dtype.kind == "M":
        return partial(_timestamps, dates=dates)
    if dtype.kind == "m":
        return lambda series: series.dt.total_seconds().tolist()
    return lambda series: _objects(series.tolist(), dates)


def declared_type(series: Series) -> str:
    """Name the SQLite type to declare for a column; none where the values are mixed, so that they stay."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return declared_type(dtype.categories.to_series())
    if isinstance(dtype, np.dtype) and dtype.kind == "M":
        return "DATE" if _all_midnight(series) else "TIMESTAMP"
    if isinstance(dtype, np.dtype) and dtype.kind in _BY_KIND:
        return _BY_KIND[dtype.kind]
    return _BY_CONTENT.get(pd.api.types.infer_dtype(series, skipna=True), "")


_BY_KIND = {"i": "INTEGER", "u": "INTEGER", "f": "REAL", "b": "BOOLEAN", "m": "REAL"}
_BY_CONTENT = {
    "string": "TEXT",
    "empty": "TEXT",
    "time": "TEXT",
    "integer": "INTEGER",
    "floating": "REAL",
    "mixed-integer-float": "REAL",
    "timedelta": "REAL",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "datetime64": "TIMESTAMP",
    "decimal": "NUMERIC",
    "bytes": "BLOB",
}


def _all_midnight(series: Series) -> bool:
    times = series.dropna()
    return len(times) > 0 and bool((times == times.dt.normalize()).all())


def _timestamps(series: Series, *, dates: bool) -> list[Any]:
    moments = series.to_numpy()
    if (np.isnat(moments) | (moments == moments.astype("M8[s]"))).all():
        moments = moments.astype("M8[s]")
    elif np.datetime_data(moments.dtype)[0] == "ms":
        moments = moments.astype("M8[us]")
    # Arrow writes 200,000 of them in 20 ms; numpy and pandas need 80 to 200.
    texts = pa.array(moments).cast(pa.string()).to_pylist()
    if moments.dtype == "M8[ns]":
        texts = [text and text.removesuffix("000") for text in texts]
    if moments.dtype != "M8[s]":
        texts = [text and text.removesuffix(".000000") for text in texts]
    return [text and text.removesuffix(" 00:00:00") for text in texts] if dates else texts


def _zoned(series: Series) -> list[Any]:
    local = series.dt.tz_localize(None)
    offsets = local - series.dt.tz_convert(None)
    suffixes = {offset: _offset(offset.to_pytimedelta()) for offset in offsets.dropna().unique()}
    texts = _timestamps(local, dates=False)
    return [
        text and f"{text}{suffix}" for text, suffix in zip(texts, offsets.map(suffixes).tolist(), strict=True)
    ]


def _offset(offset: dt.timedelta) -> str:
    return dt.datetime(2000, 1, 1, tzinfo=dt.timezone(offset)).isoformat()[len("2000-01-01T00:00:00") :]


def _objects(values: list[Any], dates: bool) -> list[Any]:
    if _PLAIN.issuperset(map(type, values)):
        return values
    return [
        value if type(value) in _PLAIN else _object(position, value, dates)
        for position, value in enumerate(values)
    ]


def _object(position: int, value: object, dates: bool) -> object:
    try:
        stored = _scalar(value)
    except TypeError as error:
        raise UnstorableValue(position, value) from error
    if type(stored) not in _PLAIN:
        raise UnstorableValue(position, value)
    if dates and isinstance(value, dt.datetime | np.datetime64) and isinstance(stored, str):
        return stored.removesuffix(" 00:00:00")
    return stored


@singledispatch
def _scalar(value: object) -> object:
    raise TypeError(value)


@_scalar.register(type(pd.NA))
@_scalar.register(type(pd.NaT))
def _missing(value: object) -> None:
    return None


@_scalar.register
def _numpy(value: np.generic) -> object:
    return value.item()


@_scalar.register
def _numpy_moment(value: np.datetime64) -> object:
    return _scalar(pd.Timestamp(value))


@_scalar.register
def _numpy_span(value: np.timedelta64) -> object:
    return _scalar(pd.Timedelta(value))


@_scalar.register
def _moment(value: dt.datetime) -> str:
    return value.isoformat(sep=" ")


@_scalar.register(dt.date)
@_scalar.register(dt.time)
def _day_or_time(value: dt.date | dt.time) -> str:
    return value.isoformat()


@_scalar.register
def _span(value: dt.timedelta) -> float:
    return value.total_seconds()


@_scalar.register
def _decimal(value: Decimal) -> object:
    if value.is_nan():
        return None
    if value.is_finite() and value.as_tuple().exponent == 0:
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


@_scalar.register
def _uuid(value: UUID) -> str:
    return str(value)


@_scalar.register(bytearray)
@_scalar.register(memoryview)
@_scalar.register(bytes)
def _bytes(value: bytes) -> bytes:
    return bytes(value)


# Subclasses, such as the members of a StrEnum or an IntEnum.
@_scalar.register
def _text(value: str) -> str:
    return str.__str__(value)


@_scalar.register
def _integer(value: int) -> int:
    return int(value)


@_scalar.register
def _float(value: float) -> float:
    return float(value)
