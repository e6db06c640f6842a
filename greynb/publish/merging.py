"""The rows in which two tables differ, found in one pass over both in the order of their keys."""

from __future__ import annotations

import hashlib
import marshal
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Final, Literal

from greynb.databases.identifiers import quote

Row = tuple[Any, ...]

_AT_ONCE: Final = 1000
_MOST_RESULT_COLUMNS: Final = 2000  # https://www.sqlite.org/limits.html, number 3
_TYPE_STRICT: Final = 2  # marshal's version without references: equal bytes for equal values and types


@dataclass(frozen=True, slots=True)
class RowDifference:
    """One row that is not the same on both sides.

    Attributes
    ----------
    key
        Its primary key, or its rowid, as ``id = 7``.
    kind
        ``"changed"``, or the side that has it.
    columns
        Name, value in staging and value in analytics of each column that differs; empty for a row that only
        one side has.
    """

    key: str
    kind: Literal["changed", "only in staging", "only in analytics"]
    columns: tuple[tuple[str, Any, Any], ...] = ()

    def __str__(self) -> str:
        shown = [
            f"{name}: {_short(one)} in staging, {_short(two)} in analytics" for name, one, two in self.columns
        ]
        more = f"; {len(shown) - 3} more columns" if len(shown) > 3 else ""
        return f"{self.key}: {'; '.join(shown[:3]) + more if shown else self.kind}"


@dataclass(frozen=True, slots=True)
class Reading:
    """How the rows of one table are read, with the key in front.

    Attributes
    ----------
    table, columns
        Names.
    key
        The columns of the primary key; empty where the rowid identifies a row.
    encoding
        Of the texts in the file, which their order depends on.
    """

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    encoding: str

    def chunks(self, con: sqlite3.Connection) -> Iterator[list[Row]]:
        """The rows in the order of the key, a thousand at a time: key, then columns."""
        rowid = _rowid(self.columns) or "NULL"
        order = ", ".join(f"{quote(name)} COLLATE BINARY" for name in self.key) or rowid
        front = [quote(name) for name in self.key] or [rowid]
        every = [*front, *map(quote, self.columns)]
        counted = len(every) > _MOST_RESULT_COLUMNS
        listed = ", ".join(every[len(front) :] if counted else every)
        cursor = con.execute(f"SELECT {listed} FROM {quote(self.table)} ORDER BY {order}")
        first = 1
        while rows := cursor.fetchmany(_AT_ONCE):
            if counted:  # no room for the key beside 2,000 columns: the position stands for it
                rows = [(number, *row) for number, row in enumerate(rows, start=first)]
                first += len(rows)
            yield rows

    @property
    def key_width(self) -> int:
        """Values of a row that are its key."""
        return len(self.key) if self.key and len(self.key) + len(self.columns) <= _MOST_RESULT_COLUMNS else 1

    def ordered(self, row: Row) -> tuple[tuple[int, Any], ...]:
        """What Python sorts as SQLite sorts the key (https://www.sqlite.org/datatype3.html, section 4.1)."""
        return tuple(self._rank(value) for value in row[: self.key_width])

    def _rank(self, value: Any) -> tuple[int, Any]:
        if value is None:
            return 0, 0
        if isinstance(value, str):
            return 2, value.encode(
                self.encoding, "surrogateescape" if self.encoding == "utf-8" else "replace"
            )
        return (3, value) if isinstance(value, bytes) else (1, value)

    def named(self, row: Row) -> str:
        """The key of a row, in words."""
        names = (
            self.key
            if self.key_width == len(self.key)
            else ("row" if _rowid(self.columns) is None else "rowid",)
        )
        return ", ".join(f"{name} = {_short(value)}" for name, value in zip(names, row, strict=False))


def differing_rows(
    one: sqlite3.Connection, two: sqlite3.Connection, reading: Reading, limit: int
) -> list[RowDifference]:
    """The first rows, by key, in which a table differs between staging (`one`) and analytics (`two`)."""
    left, right = reading.chunks(one), reading.chunks(two)
    while True:
        here, there = next(left, []), next(right, [])
        if marshal.dumps(here, _TYPE_STRICT) != marshal.dumps(there, _TYPE_STRICT):
            break
        if not here:
            return []
    rest = (chain(here, chain.from_iterable(left)), chain(there, chain.from_iterable(right)))
    return list(islice(_merged(*rest, reading), limit))


def same_rows(one: sqlite3.Connection, two: sqlite3.Connection, reading: Reading) -> bool:
    """Whether the rows are the same in any order: `VACUUM` may renumber the rows of a table without a key."""
    return _sum_of_rows(one, reading) == _sum_of_rows(two, reading)


def _sum_of_rows(con: sqlite3.Connection, reading: Reading) -> int:
    total = 0
    for rows in reading.chunks(con):
        for row in rows:
            bare = marshal.dumps(row[reading.key_width :], _TYPE_STRICT)
            total += int.from_bytes(hashlib.blake2b(bare, digest_size=16).digest())
    return total


def _merged(left: Iterator[Row], right: Iterator[Row], reading: Reading) -> Iterator[RowDifference]:
    here, there = next(left, None), next(right, None)
    while here is not None or there is not None:
        before = here is not None and (there is None or reading.ordered(here) < reading.ordered(there))
        after = not before and (
            here is None or (there is not None and reading.ordered(there) < reading.ordered(here))
        )
        if before and here is not None:
            yield RowDifference(reading.named(here), "only in staging")
            here = next(left, None)
        elif after and there is not None:
            yield RowDifference(reading.named(there), "only in analytics")
            there = next(right, None)
        elif here is not None and there is not None:
            if columns := _differing_columns(here, there, reading):
                yield RowDifference(reading.named(here), "changed", columns)
            here, there = next(left, None), next(right, None)


def _differing_columns(here: Row, there: Row, reading: Reading) -> tuple[tuple[str, Any, Any], ...]:
    if marshal.dumps(here, _TYPE_STRICT) == marshal.dumps(there, _TYPE_STRICT):
        return ()
    width = reading.key_width
    triples = zip(reading.columns, here[width:], there[width:], strict=True)
    return tuple((name, one, two) for name, one, two in triples if type(one) is not type(two) or one != two)


def _rowid(columns: tuple[str, ...]) -> str | None:
    taken = {name.lower() for name in columns}
    return next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)


def _short(value: Any) -> str:
    text = "NULL" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
