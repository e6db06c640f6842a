"""Python values as JSON that gives the same values back: parameters of queries, and values of results.

Null, booleans, integers, texts and finite floats are themselves; anything else is an object with one key::

    {"float": "nan"}   {"bytes": "00ff"}   {"decimal": "1.50"}   {"uuid": "…"}
    {"date": "2025-07-01"}   {"timestamp": "2025-07-01T10:30:00+10:00"}   {"time": "10:30:00"}
    {"interval": 1500000}    microseconds
    {"list": […]}            or {"list": "[…]"}: the same as one text, which is free to copy
    {"struct": [[key, value], …]}
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

_MICROSECOND: Final = dt.timedelta(microseconds=1)


def encode(value: object) -> Any:
    """Give the JSON of a plain Python value; of any other kind, its text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    for kind, (key, made) in _ENCODERS.items():
        if isinstance(value, kind):
            return {key: made(value)}
    return str(value)


def encode_short(value: object) -> Any:
    """Give the same, with a list as one text: pandas copies what it keeps with nearly every operation."""
    if not isinstance(value, (list, tuple)):
        return encode(value)
    plain = set(map(type, value)) <= {int, str, bool, type(None)}
    return {"list": json.dumps(value if plain else encode(value)["list"])}


def decode(value: Any) -> object:
    """Give the value of its JSON back.

    Raises
    ------
    ValueError
        It is none of the forms above.
    """
    if isinstance(value, Mapping) and len(value) == 1:
        ((key, content),) = value.items()
        try:
            return _DECODERS[key](content)
        except (KeyError, TypeError, ArithmeticError, AttributeError) as error:
            raise ValueError(f"not a value: {str(value)[:80]}") from error
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise ValueError(f"not a value: {str(value)[:80]}")


def _decoded_list(content: str | list[Any]) -> list[object]:
    items = json.loads(content) if isinstance(content, str) else content
    if not isinstance(items, list):
        raise ValueError(f"not a list: {str(content)[:80]}")
    return [decode(item) for item in items]


# In this order: a datetime is a date.
_ENCODERS: Final[dict[Any, tuple[str, Callable[[Any], object]]]] = {
    (bytes, bytearray): ("bytes", lambda value: bytes(value).hex()),
    dt.datetime: ("timestamp", lambda value: value.isoformat()),
    dt.date: ("date", lambda value: value.isoformat()),
    dt.time: ("time", lambda value: value.isoformat()),
    dt.timedelta: ("interval", lambda value: value // _MICROSECOND),
    Decimal: ("decimal", str),
    UUID: ("uuid", str),
    (list, tuple): ("list", lambda value: [encode(item) for item in value]),
    Mapping: ("struct", lambda value: [[encode(key), encode(item)] for key, item in value.items()]),
}
_DECODERS: Final[dict[str, Callable[[Any], object]]] = {
    "float": float,
    "bytes": bytes.fromhex,
    "timestamp": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "interval": lambda content: dt.timedelta(microseconds=content),
    "decimal": Decimal,
    "uuid": UUID,
    "list": _decoded_list,
    "struct": lambda content: {decode(key): decode(item) for key, item in content},
}
