"""How a column of SQLite is kept in PostgreSQL, so that each value can come back as it was.

==============================================  ================  ==========================================
what the column holds                           in PostgreSQL     the way back
==============================================  ================  ==========================================
integers                                        bigint            the same
integers, declared with decimals                double precision  SQLite makes whole numbers integers again
0 and 1, declared BOOLEAN                       boolean           0 and 1
reals, with integers up to 2**53 beside them    double precision  as above
texts                                           text              the same
dates, declared as such                         date              the same
timestamps, declared as such, written alike     timestamp         written in that way again
texts and numbers                               text              SQLite makes numbers of what looks like one
blobs                                           bytea             the same
==============================================  ================  ==========================================

SQLite does so by the declared type of the column (its affinity, https://www.sqlite.org/datatype3.html). Where
that is not certain to give the same values, the column is refused.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from greynb.databases.columns import EXACT
from greynb.databases.identifiers import quote
from greynb.migration.servers.stamps import written
from greynb.postgres.columns import ColumnPlan, planned, without_nan

Affinity = Literal["INTEGER", "TEXT", "BLOB", "REAL", "NUMERIC"]
Type = Literal["bigint", "double precision", "boolean", "text", "date", "timestamp", "bytea"]

_BY_PART: Final[tuple[tuple[str, Affinity], ...]] = (
    ("INT", "INTEGER"),
    *((part, "TEXT") for part in ("CHAR", "CLOB", "TEXT")),
    ("BLOB", "BLOB"),
    *((part, "REAL") for part in ("REAL", "FLOA", "DOUB")),
)
_BASES: Final = {
    "bigint": "int8",
    "double precision": "float8",
    "boolean": "bool",
    "bytea": "bytea",
    "text": "text",
    "date": "date",
    "timestamp": "timestamp",
}
_NUMBERS: Final = ("INTEGER", "NUMERIC")


def affinity_of(declared: str, *, strict: bool = False) -> Affinity:
    """What SQLite makes of values by a column's declared type."""
    upper = declared.upper()
    if not upper or (strict and upper == "ANY"):
        return "BLOB"
    return next((found for part, found in _BY_PART if part in upper), "NUMERIC")


@dataclass(frozen=True, slots=True)
class Kept:
    """One column in both databases.

    Attributes
    ----------
    name
        The same in both.
    type
        In PostgreSQL.
    affinity
        In SQLite.
    way
        How its timestamps are written, see `stamps`; else empty.
    mixed
        Whether values of several kinds are one kind there, and are told apart again by the affinity.
    """

    name: str
    type: Type
    affinity: Affinity
    way: str = ""
    mixed: bool = False

    def sent(self, values: Iterable[Any]) -> list[Any]:
        """What is copied to PostgreSQL for the values of SQLite."""
        convert = self._sending()
        if convert is None:
            return list(values)
        return [None if value is None else convert(value) for value in values]

    def _sending(self) -> Callable[[Any], Any] | None:
        if self.type == "boolean":
            return bool
        if self.type == "double precision":
            return float
        return _text if self.mixed and self.type == "text" else None

    def back(self) -> Back:
        """What makes SQLite's values of it."""
        plan = planned(self.name, _BASES[self.type], "", None, exact=False)
        convert = written(self.way) if self.way else plan.convert
        if self.type == "double precision" and self.affinity == "BLOB":
            convert = without_nan  # such a column keeps a -0
        # A whole number is an integer again only through SQLite itself.
        through = self.affinity in _NUMBERS if self.type == "double precision" else self.mixed
        return Back(self.name, plan.select, convert, Through(self.affinity) if through else None)


@dataclass(frozen=True, slots=True)
class Back:
    """What makes SQLite's values of PostgreSQL's, as SQLite stores them.

    Attributes
    ----------
    name
        The column's.
    select
        The expression in PostgreSQL.
    """

    name: str
    select: str
    convert: Callable[[Any], Any] | None
    through: Through | None = None

    def stored(self, values: Iterable[Any]) -> Sequence[Any]:
        """The values; raises `TooExact` like `greynb.postgres.columns.ColumnPlan.stored`."""
        if self.convert is not None:
            values = ColumnPlan(self.name, "", self.select, self.convert).stored(values)
        return list(values) if self.through is None else self.through.stored(values)


@dataclass(slots=True)
class Through:
    """A column of an affinity in a SQLite of its own: what is put in may come out as another kind."""

    affinity: Affinity
    _con: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        self._con = sqlite3.connect(":memory:", isolation_level=None)
        self._con.execute(f"CREATE TABLE held (value {quote(self.affinity)})")

    def stored(self, values: Iterable[Any]) -> list[Any]:
        """What comes out, in the same order."""
        self._con.execute("BEGIN")
        self._con.executemany("INSERT INTO held VALUES (?)", ((each,) for each in values))
        found = [each for (each,) in self._con.execute("SELECT value FROM held ORDER BY rowid")]
        self._con.execute("ROLLBACK")
        return found


def exactly(low: int | None, high: int | None) -> bool:
    """Whether integers are the same as doubles."""
    return low is not None and high is not None and -EXACT <= low <= high <= EXACT


def _text(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)
