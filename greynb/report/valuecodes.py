"""The code of one value, by which results are compared; `greynb.report.canonical` has the table."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import struct
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

WIDTH: Final = 17
"""Bytes of a code: a letter, and 16."""
NULL: Final = bytes(WIDTH)

_DIGITS: Final = 1_000
_MICROSECOND: Final = dt.timedelta(microseconds=1)

_DROPPED_BITS: Final = 12
"""Of the 52 bits of a double's fraction: 40 stay, a relative 4.5e-13."""


def code(value: Any) -> bytes:
    """Give the 17 bytes that stand for a value; values of any type that mean the same have the same."""
    for kind, made in _BY_TYPE.items():
        if isinstance(value, kind):
            return made(value)
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return _numpy(value)
    if isinstance(value, np.ndarray):
        return _sequence(list(value))
    return digest("t", str(value).encode("utf-8", "surrogatepass")) if not _is_missing(value) else NULL


def digest(letter: str, content: bytes) -> bytes:
    """Give a letter and the first 16 bytes of a SHA-256."""
    return letter.encode() + hashlib.sha256(content).digest()[: WIDTH - 1]


def rounded(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Round doubles to 40 bits of fraction, halves away from zero; infinities and NaN stay."""
    half, kept = np.int64(1 << (_DROPPED_BITS - 1)), ~np.int64((1 << _DROPPED_BITS) - 1)
    bits = (np.ascontiguousarray(values, np.float64).view(np.int64) + half) & kept
    return np.where(np.isfinite(values), bits.view(np.float64), values)


def moment_text(iso: str, zone: str = "") -> str:
    """Shorten ``2025-07-01T10:30:00.500000`` to ``2025-07-01 10:30:00.5``, and a midnight to its date."""
    day, _, time = iso.partition("T")
    time = (time or "00:00:00")[:8] + time[8:].rstrip("0").rstrip(".")
    return day if not zone and time == "00:00:00" else f"{day} {time}{zone}"


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT


def _number(letter: str, packed: bytes) -> bytes:
    return (letter.encode() + packed).ljust(WIDTH, b"\0")


def _integer(value: int) -> bytes:
    if -(2**63) <= value < 2**63:
        return _number("i", struct.pack("<q", value))
    return digest("n", str(int(value)).encode())


def _float(value: float) -> bytes:
    if math.isnan(value):
        return NULL
    for candidate in (float(value), float(rounded(np.array([value]))[0])):
        if abs(candidate) <= 2**53 and candidate.is_integer():
            return _integer(int(candidate))
    return _number("f", struct.pack("<d", candidate))


def _decimal(value: Decimal) -> bytes:
    if not value.is_finite():
        return _float(float(value))
    if max(abs(value.adjusted()), -int(value.as_tuple().exponent)) > _DIGITS:  # would be digits without end
        return digest("n", str(value.as_tuple()).encode())
    if value == value.to_integral_value():
        return _integer(int(value))
    near = float(value)
    if Decimal(repr(near)) == value:
        return _float(near)
    return digest("n", f"{value:f}".rstrip("0").encode())


def _text(value: str) -> bytes:
    return digest("t", value.encode("utf-8", "surrogatepass"))


def _moment(value: dt.datetime) -> bytes:
    if _is_missing(value):
        return NULL
    zone = "+00:00" if value.tzinfo is not None else ""
    plain = value.astimezone(dt.UTC).replace(tzinfo=None) if zone else value
    return _text(moment_text(plain.isoformat(), zone))


def _clock(value: dt.time) -> bytes:
    text = value.replace(tzinfo=None).isoformat()
    offset = value.isoformat().removeprefix(text)
    return _text(text[:8] + text[8:].rstrip("0").rstrip(".") + offset)


def _duration(value: dt.timedelta) -> bytes:
    return (
        NULL if _is_missing(value) else _number("d", struct.pack("<q", value // dt.timedelta(microseconds=1)))
    )


def _sequence(value: Any) -> bytes:
    return digest("l", b"".join(map(code, value)))


def _mapping(value: Mapping[Any, Any]) -> bytes:
    return digest("s", b"".join(sorted(code(key) + code(item) for key, item in value.items())))


def _numpy(value: Any) -> bytes:
    if value.dtype.kind == "M":
        return NULL if np.isnat(value) else _text(moment_text(str(value)))
    return code(pd.Timedelta(value) if value.dtype.kind == "m" else value.item())


# In this order: a bool is an int, a datetime a date.
_BY_TYPE: Final[dict[Any, Callable[[Any], bytes]]] = {
    type(None): lambda _: NULL,
    str: _text,
    (bool, int): _integer,
    float: _float,
    Decimal: _decimal,
    dt.datetime: _moment,
    dt.date: lambda value: _text(value.isoformat()),
    dt.time: _clock,
    dt.timedelta: _duration,
    (bytes, bytearray): lambda value: digest("b", bytes(value)),
    (list, tuple): _sequence,
    Mapping: _mapping,
}
