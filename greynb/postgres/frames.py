"""Results of PostgreSQL as DataFrames, by the dtypes that `greynb.databases.frames` describes for DuckDB.

==============================  ===============================================================
PostgreSQL                      DataFrame
==============================  ===============================================================
smallint, integer, bigint, oid  ``int64``; with NULL ``Int64``
real, double precision          ``float32``, ``float64``
numeric                         ``float64`` while each value survives it, else ``Decimal`` objects
boolean, date, timestamp        as from DuckDB; with time zone: aware, in the session's zone
interval                        ``timedelta64[us]``; where one has months, ``DateOffset``
json, jsonb, uuid, enums, inet  text, as PostgreSQL writes it
bytea                           ``bytes`` objects
arrays                          lists
==============================  ===============================================================

A date or timestamp that Python has no object for (``infinity``, BC) makes its column text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import pandas as pd
import psycopg
import pyarrow as pa
from psycopg.adapt import Buffer, Loader
from psycopg.types.string import TextLoader

from greynb.databases import arrays
from greynb.databases.frames import unique_names

AS_TEXT: Final = "column {}: some dates are outside the years 1 to 9999, so it came as text"
_FULL: Final = 1_000_000
"""Microseconds in a second."""


def register(con: psycopg.Connection[Any]) -> None:
    """Have a connection give the values that `frame` expects."""
    for name in ("json", "jsonb", "uuid", "inet", "cidr"):
        con.adapters.register_loader(name, TextLoader)
    con.adapters.register_loader("interval", IntervalLoader)
    for name in ("date", "timestamp", "timestamptz"):
        known = con.adapters.get_loader(con.adapters.types[name].oid, psycopg.pq.Format.TEXT)
        assert known is not None
        con.adapters.register_loader(name, _or_text(known))


def frame(
    cursor: psycopg.Cursor[Any] | psycopg.ServerCursor[Any], *, most: int | None = None
) -> tuple[pd.DataFrame, tuple[str, ...], tuple[str, ...]]:
    """Fetch the result of a cursor, all of it or `most` rows.

    Returns
    -------
    tuple
        The frame, PostgreSQL's type name of each column, and what is to be said of columns.
    """
    described = cursor.description or []
    names = unique_names([column.name for column in described])
    rows = cursor.fetchall() if most is None else cursor.fetchmany(most)
    zone = cursor.connection.info.parameter_status("TimeZone") or "UTC"
    columns, notices = {}, []
    for number, (name, column) in enumerate(zip(names, described, strict=True)):
        values = [row[number] for row in rows]
        kind = _name(cursor, column.type_code)
        if kind in _MOMENTS and any(type(value) is str for value in values):
            notices.append(AS_TEXT.format(name))
            values = [None if value is None else str(value) for value in values]
            kind = "text"
        columns[name] = _column(values, kind, zone)
    types = tuple(column.type_display for column in described)
    return pd.DataFrame(columns, copy=False), types, tuple(notices)


def _name(cursor: psycopg.Cursor[Any] | psycopg.ServerCursor[Any], oid: int) -> str:
    known = cursor.adapters.types.get(oid)
    if known is None:
        return "text"  # an enum, or a type of an extension: psycopg leaves its text as it is
    return f"{known.name}[]" if oid == known.array_oid else known.name


def _column(values: list[Any], kind: str, zone: str) -> Any:
    if kind == "numeric":
        return _numbers(values)
    if kind == "interval":
        return _intervals(values)
    if kind not in _ARROW:
        return arrays.objects(values)
    arrow, duckdb = _ARROW[kind]
    if kind == "timestamptz":
        arrow = pa.timestamp("us", _zone(zone))
    return arrays.from_arrow(pa.chunked_array([pa.array(values, arrow)]), duckdb, duckdb)


def _zone(name: str) -> str:
    """The zone's name where pandas knows it, too; else UTC, which are the same moments."""
    try:
        pd.Timestamp(0, tz=name)
    except Exception:
        return "UTC"
    return name


def _numbers(values: list[Decimal | None]) -> Any:
    """Floats while each value survives it, else the values; NaN and infinities are floats anyway."""
    present = [value for value in values if value is not None]
    if all(_survives(value) for value in present):
        return pd.array([float("nan") if v is None else float(v) for v in values], "float64").to_numpy()
    return arrays.objects(values)


def _survives(value: Decimal) -> bool:
    """Whether a float holds a number so that it prints the same; 15 digits do."""
    digits, exponent = value.as_tuple().digits, value.as_tuple().exponent
    return not isinstance(exponent, int) or (len(digits) <= 15 and -22 <= exponent <= 22)


def _intervals(values: list[pd.DateOffset | int | str | None]) -> Any:
    """Spans of microseconds; as they are where one has months or could not be read."""
    if all(value is None or isinstance(value, int) for value in values):
        nat = pd.NaT.value
        micros = [nat if value is None else value for value in values]
        return pd.array(micros, "int64").to_numpy().view("m8[us]")
    return arrays.objects([pd.DateOffset(microseconds=v) if isinstance(v, int) else v for v in values])


_INTERVAL: Final = re.compile(
    r"(?:(-?\d+) years? ?)?(?:(-?\d+) mons? ?)?(?:(-?\d+) days? ?)?"
    r"(?:([+-]?)(\d+):(\d+):(\d+)(?:\.(\d+))?)?"
)


def interval(text: str) -> pd.DateOffset | int | str:
    """Read ``1 year 2 mons 3 days -04:05:06.7``, PostgreSQL's default style.

    Returns
    -------
    DateOffset, int or str
        With months an offset, else microseconds (a day has 24 hours); the text in any other style.
    """
    match = _INTERVAL.fullmatch(text)
    if match is None or not text:
        return text
    years, months, days, hours, minutes, seconds = (int(match[n] or 0) for n in (1, 2, 3, 5, 6, 7))
    fraction = int((match[8] or "").ljust(6, "0") or 0)
    time = ((hours * 60 + minutes) * 60 + seconds) * _FULL + fraction
    micros = -time if match[4] == "-" else time
    if years or months:
        return pd.DateOffset(months=12 * years + months, days=days, microseconds=micros)
    return days * 86_400 * _FULL + micros


class IntervalLoader(Loader):
    """Reads an interval without taking a month for 30 days, as psycopg does."""

    def load(self, data: Buffer) -> pd.DateOffset | int | str:
        """Read PostgreSQL's text."""
        return interval(bytes(data).decode())


def _or_text(known: type[Any]) -> type[Loader]:
    """A loader that gives the text of what Python's class cannot hold."""

    class OrText(Loader):
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._load: Callable[[Buffer], Any] = known(oid, context).load

        def load(self, data: Buffer) -> Any:
            try:
                return self._load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return OrText


_ARROW: Final[dict[str, tuple[Any, str]]] = {
    "int2": (pa.int64(), "bigint"),
    "int4": (pa.int64(), "bigint"),
    "int8": (pa.int64(), "bigint"),
    "oid": (pa.int64(), "bigint"),
    "float4": (pa.float32(), "float"),
    "float8": (pa.float64(), "double"),
    "bool": (pa.bool_(), "boolean"),
    "date": (pa.date32(), "date"),
    "timestamp": (pa.timestamp("us"), "timestamp"),
    "timestamptz": (None, "timestamp with time zone"),
    **dict.fromkeys(
        ("text", "varchar", "bpchar", "name", "char", "json", "jsonb", "uuid", "inet", "cidr", "xml"),
        (pa.large_string(), "varchar"),
    ),
}
_MOMENTS: Final = frozenset({"date", "timestamp", "timestamptz"})
