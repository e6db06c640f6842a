"""Python values as the drivers of the two engines can bind them, without changing what they mean.

====================================  =============================  ================================
Python                                SQLite                         DuckDB, PostgreSQL
====================================  =============================  ================================
None, ``pandas.NA``, ``NaT``          NULL                           NULL
bool, int (64 bits), str, bytes       as they are                    as they are (int: 128 bits)
float                                 as it is; NaN is NULL          as it is
numpy and Arrow scalars, enums        the value inside               the value inside
date                                  ``2025-07-01``                 DATE
datetime                              ``2025-07-01 10:30:00``        TIMESTAMP, with zone TIMESTAMPTZ
datetime at midnight, without zone    ``2025-07-01``                 TIMESTAMP
time                                  ``10:30:00``                   TIME
timedelta                             refused                        INTERVAL
Decimal                               int where whole, else float    DECIMAL
UUID                                  its text                       UUID
Path                                  its text                       its text
list, tuple, set, range, array, …     refused, except in ``IN``      LIST
====================================  =============================  ================================

Missing values inside a Series, an Index or an array are NULL on both engines, whatever marks them.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, KeysView, ValuesView
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from types import FunctionType, ModuleType
from typing import Any, Final
from uuid import UUID

from greynb.databases.decimals import is_beyond, written_out
from greynb.databases.sqltext import Dialect

_SEQUENCES: Final = (list, tuple, set, frozenset, range)
_PLAIN: Final = (bool, int, float, str, bytes)
_TIMES: Final = (dt.date, dt.time, dt.timedelta)


class Unbindable(ValueError):
    """A value that cannot be bound: what is wrong with it, and as `hint` what to do, about ``{name}``."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.hint = hint


class Lossy(Unbindable):
    """A value that a driver would take, and cut short."""


def bindable(value: object, dialect: Dialect) -> object:
    """Turn a notebook's value into what the driver can bind: a scalar, or a list of scalars.

    Raises
    ------
    Unbindable
        There is no lossless way to bind it.
    """
    items = _items(value)
    if items is None:
        return scalar(value, dialect)
    nan_is_null = not isinstance(value, _SEQUENCES)
    try:
        return [None if nan_is_null and _is_nan(item) else scalar(item, dialect) for item in items]
    except Unbindable as error:
        raise type(error)(f"holds a value that {error}", error.hint) from None


def scalar(value: object, dialect: Dialect) -> object:
    """Turn one value, no sequence, into what the driver can bind.

    Raises
    ------
    Unbindable
        There is no lossless way to bind it.
    """
    value = _unwrapped(value)
    if value is None or isinstance(value, _PLAIN):
        return _plain(value, dialect)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, _TIMES):
        return _TIME_TO_SQLITE[_kind(value)](value) if dialect == "sqlite" else value
    if isinstance(value, (Decimal, UUID)):
        if dialect == "sqlite":
            return _number_or_text(value)
        return written_out(value) if isinstance(value, Decimal) else value
    raise Unbindable(f"is of type {_type_name(value)}", _hint(value))


def _items(value: object) -> Iterable[object] | None:
    """The members of a list-like value; None for a scalar."""
    if isinstance(value, (set, frozenset)):
        # A set has no order; sorted, the same cell sends the same statement each time.
        return sorted(value, key=lambda item: (type(item).__name__, repr(item)))
    if isinstance(value, _SEQUENCES):
        return value
    if isinstance(value, (KeysView, ValuesView)):
        return list(value)
    method = _LISTING.get(_library(value))
    if method is None or not hasattr(value, method) or _is_table(value):
        return None
    if _library(value) == "numpy" and getattr(value, "dtype", None) is not None:
        # Not tolist(): it makes plain integers of nanoseconds.
        return list(value) if getattr(value, "ndim", 0) == 1 else None  # type: ignore[call-overload]
    listed: list[object] = getattr(value, method)()
    return listed


_LISTING: Final = {"numpy": "tolist", "pandas": "tolist", "polars": "to_list", "pyarrow": "to_pylist"}


def _unwrapped(value: object) -> object:
    """The plain Python value inside an enum, a numpy, pandas or Arrow scalar."""
    if isinstance(value, Enum):
        return _unwrapped(value.value)
    library = _library(value)
    if library == "pandas":
        return _from_pandas(value)
    if library == "numpy" and hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        return _from_numpy(value)
    if library == "pyarrow" and hasattr(value, "as_py"):
        return _unwrapped(value.as_py())
    return value


def _from_pandas(value: Any) -> object:
    if _type_name(value) in ("pandas.NAType", "pandas.NaTType"):
        return None
    if isinstance(value, dt.datetime):
        _refuse_nanoseconds(getattr(value, "nanosecond", 0))
        return value.to_pydatetime()  # type: ignore[attr-defined]
    if isinstance(value, dt.timedelta):
        _refuse_nanoseconds(getattr(value, "nanoseconds", 0))
        return value.to_pytimedelta()  # type: ignore[attr-defined]
    return value


def _from_numpy(value: Any) -> object:
    if value.dtype.kind not in "Mm":
        return value.item()
    if value != value:
        return None
    micro = value.astype(f"{value.dtype.kind}8[us]")
    _refuse_nanoseconds(int(micro != value))
    moment = value.item() if value.dtype.name == "datetime64[D]" else micro.item()
    if not isinstance(moment, _TIMES):
        raise Unbindable("lies outside the years 1 to 9999", "bind it as text or a number")
    return moment


def _refuse_nanoseconds(nanoseconds: int) -> None:
    if nanoseconds:
        raise Lossy("has nanoseconds, which would be lost", "round it: {name} = {name}.round('us')")


def _plain(value: object, dialect: Dialect) -> object:
    """Strip subclasses (``numpy.float64`` is one of float) and check the limits of the engine."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        bits = 63 if dialect == "sqlite" else 127
        if not -(1 << bits) <= value < (1 << bits):
            raise Unbindable(f"is an integer beyond {bits + 1} bits", "bind it as text: {name} = str({name})")
        return int(value)
    if isinstance(value, float):
        return None if dialect == "sqlite" and math.isnan(value) else float(value)
    if isinstance(value, str):
        return _text(str(value))
    return bytes(value) if isinstance(value, bytes) else value


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Unbindable(
            "holds half a surrogate pair, which is no valid text",
            "clean it: {name}.encode('utf-8', 'replace').decode()",
        ) from None
    return value


def _number_or_text(value: Decimal | UUID) -> object:
    if isinstance(value, UUID):
        return str(value)
    if value.is_nan():
        return None
    if is_beyond(value):
        return math.copysign(math.inf, value)
    return _plain(int(value), "sqlite") if value == value.to_integral_value() else float(value)


def _moment(value: dt.datetime) -> str:
    """ISO text; a midnight without zone is a date, as pandas has no other way to hold one.

    In SQLite a date compares with dates and with timestamps as text, ``2025-07-01 00:00:00`` only with the
    latter.
    """
    return (
        value.date().isoformat() if value.time() == dt.time.min and not value.tzinfo else value.isoformat(" ")
    )


def _no_interval(value: object) -> object:
    hint = "bind its seconds: seconds = {name}.total_seconds()"
    raise Unbindable("is a timedelta, which SQLite has no type for", hint)


_TIME_TO_SQLITE: Final[dict[type, Callable[[Any], object]]] = {
    dt.datetime: _moment,
    dt.date: lambda value: value.isoformat(),
    dt.time: lambda value: value.isoformat(),
    dt.timedelta: _no_interval,
}


def _kind(value: object) -> type:
    """The class of the standard library that a moment or duration is, subclasses included."""
    return next(kind for kind in _TIME_TO_SQLITE if isinstance(value, kind))


def _hint(value: object) -> str:
    if _is_table(value):
        return "query it by its name in %%analytics (FROM {name}), or bind a column: ids = {name}['id']"
    if isinstance(value, (FunctionType, ModuleType, type)) or callable(value):
        return "bind a value; has a variable been given the name of a function?"
    if isinstance(value, dict):
        return "bind one of its values: value = {name}['key']"
    if _items(value) is not None or getattr(value, "ndim", 1) > 1:
        return "bind a flat list of values"
    return "turn it into a number, a text, a date or a list of these"


def _is_table(value: object) -> bool:
    return getattr(value, "ndim", 2) != 1 and hasattr(value, "columns")


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _library(value: object) -> str:
    return type(value).__module__.partition(".")[0]


def _type_name(value: object) -> str:
    kind = type(value)
    library = _library(value)
    return kind.__qualname__ if library == "builtins" else f"{library}.{kind.__qualname__}"
