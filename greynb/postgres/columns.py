"""How a value of PostgreSQL is stored in SQLite so that nothing of it is lost.

=================================  ===========  =====================================================
PostgreSQL                         declared     stored
=================================  ===========  =====================================================
smallint, integer, bigint, oid     INTEGER      integer
boolean                            BOOLEAN      0 or 1
real, double precision             REAL         real, the very same number; NaN as text, -0 as 0
numeric with scale 0               INTEGER      integer; TEXT where one is beyond 64 bits
numeric                            REAL         real while each value of the column has at most 15
                                                digits; else the column is TEXT, digit for digit
date                               DATE         ``2025-07-01``
timestamp                          TIMESTAMP    ``2025-07-01 10:30:00.5``
timestamp with time zone           TIMESTAMPTZ  the same in UTC, so that it compares and sorts
text, varchar, char, json, uuid,   TEXT         as PostgreSQL writes it
enums, intervals, times, all else
arrays, ranges of rows             TEXT         JSON
bytea                              BLOB         the bytes
=================================  ===========  =====================================================

Dates and timestamps beyond what SQLite's text form holds (``infinity``, BC) are stored as PostgreSQL writes
them; greynb's census of types then reads the column as text, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from greynb.databases.identifiers import quote
from greynb.postgres.portable import Kind

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """One column on its way to SQLite.

    Attributes
    ----------
    name
        As in PostgreSQL.
    declared
        Its type in SQLite.
    select
        The expression that gives its value.
    convert
        What Python makes of that; None where nothing. Raises `TooExact`.
    kind
        What it is in a condition.
    """

    name: str
    declared: str
    select: str
    convert: Convert | None = None
    kind: Kind = "other"

    def stored(self, values: Iterable[Any]) -> list[Any]:
        """What SQLite stores of a column's values.

        Raises
        ------
        TooExact
            A numeric does not fit.
        """
        if (convert := self.convert) is None:
            return list(values)
        try:
            return [None if value is None else convert(value) for value in values]
        except TooExact:
            raise TooExact(self.name) from None


class TooExact(Exception):
    """A numeric has more digits than its column holds, whose name is the argument: it has to become text."""


def planned(
    name: str, kind: str, category: str, scale: int | None, *, exact: bool, strict: bool = True
) -> ColumnPlan:
    """Plan a column.

    Parameters
    ----------
    name
        Its name.
    kind, category
        ``typname`` and ``typcategory`` of its type, a domain's base: ``A`` is an array, ``C`` a row.
    scale
        Of a numeric, where it has one.
    exact
        Whether a numeric is known to need text.
    strict
        Whether its collation tells all texts apart.
    """
    column = quote(name)
    if kind == "numeric" and not exact:
        whole = scale == 0
        if whole:
            return ColumnPlan(name, "INTEGER", column, _integer, "integer")
        return ColumnPlan(name, "REAL", column, _real, "real")
    if kind in _PLAIN:
        declared, expression, convert = _PLAIN[kind]
        found = _KINDS.get(kind, "other")
        compared = "other" if found == "text" and not strict else found
        return ColumnPlan(name, declared, expression.format(column), convert, compared)
    if category in "AC":
        return ColumnPlan(name, "TEXT", f"to_json({column})::text")
    compared = "text" if category == "E" or kind == "uuid" else "other"
    return ColumnPlan(name, "TEXT", f"{column}::text", kind=compared)


def _real(value: Decimal) -> float | str:
    if not value.is_finite():
        return str(value)
    digits, exponent = value.as_tuple().digits, value.as_tuple().exponent
    # Zeros at either end are no digits: 100.50 is 1005e-1. 15 digits survive in any double.
    significant = "".join(map(str, digits)).strip("0")
    if len(significant) > 15 or not isinstance(exponent, int) or not -300 < exponent + len(digits) < 300:
        raise TooExact
    return float(value)


def _integer(value: Decimal) -> int | str:
    if not value.is_finite():
        return str(value)
    if not -(2**63) <= value < 2**63:
        raise TooExact
    return int(value)


def without_nan(value: float) -> float | str:
    """The number, which SQLite would make NULL if it is none."""
    return value if value == value else "NaN"


def _float(value: float) -> float | str:
    return without_nan(value + 0.0)  # a REAL column of SQLite has no -0


_PLAIN: Final[dict[str, tuple[str, str, Convert | None]]] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), ("INTEGER", "{}", None)),
    "bool": ("BOOLEAN", "{}::int", None),
    # As double precision, a real is the number that it is, not its shortest text.
    **dict.fromkeys(("float4", "float8"), ("REAL", "{}::float8", _float)),
    "date": ("DATE", "{}::text", None),
    "timestamp": ("TIMESTAMP", "{}::text", None),
    "timestamptz": ("TIMESTAMPTZ", "({} AT TIME ZONE 'UTC')::text", None),
    **dict.fromkeys(("text", "varchar", "name"), ("TEXT", "{}", None)),
    # A cast to text would cut its padding.
    "bpchar": ("TEXT", "{}", None),
    "bytea": ("BLOB", "{}", bytes),
}
_KINDS: Final[dict[str, Kind]] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), "integer"),
    **dict.fromkeys(("float4", "float8"), "real"),
    **dict.fromkeys(("text", "varchar", "name"), "text"),
    "bool": "boolean",
    "date": "date",
}
"""Not ``bpchar``, whose padding PostgreSQL overlooks."""
