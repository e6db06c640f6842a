"""Counting and summing what changed within ranges of rowids, from both versions side by side.

A row is known by its rowid here, so a row that was replaced under another rowid counts as one deleted and one
inserted; ``greynb changes`` looks at declared keys.

A page differs as a whole where one of its rows does: of the rows read here, few differ. So rows are packed
and compared as sets, a part at a time, in C; only those that differ are looked at one by one.
"""

from __future__ import annotations

import marshal
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice, repeat
from operator import itemgetter
from typing import Any, Final

from greynb.databases.identifiers import literal, quote
from greynb.publish.content import MARSHAL, decoding, number_of

RANGES: Final = 'temp."greynb: ranges of rowids"'
ROWIDS: Final = ("rowid", "_rowid_", "oid")
Spans = tuple[tuple[int, int], ...]
_Row = tuple[Any, ...]
_AT_ONCE: Final = 500
_NEAR: Final = 8
_MOST_SPANS: Final = 200_000


@dataclass(slots=True)
class RowSums:
    """What changed in one table: numbers of rows, and what the sum of its content hash grew by.

    Attributes
    ----------
    spans
        Ranges of rowids, both ends included, in order and apart, that hold every row that differs and few
        others.
    """

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    total: int = 0
    spans: Spans = ()


def rowid_name(con: sqlite3.Connection, table: str) -> str | None:
    """A name by which the rowid can be asked for beside all columns; None where there is no name or room."""
    rows = con.execute(f"SELECT lower(name) FROM pragma_table_xinfo({literal(table)}, 'main')").fetchall()
    columns = {name for (name,) in rows}
    if len(columns) >= con.getlimit(sqlite3.SQLITE_LIMIT_COLUMN):
        return None
    return next((name for name in ROWIDS if name not in columns), None)


def row_sums(
    old: sqlite3.Connection,
    new: sqlite3.Connection,
    table: str,
    spans: Spans,
    told: Callable[[float], None] = lambda _: None,
) -> RowSums:
    """Compare the rows of a table in ranges of rowids (both ends included, in order, apart).

    Holds a few hundred rows at a time, however many there are, and the ranges it gives.

    Raises
    ------
    sqlite3.Error
        The table cannot be read, or its rowid cannot be named.
    """

    def compared() -> RowSums:
        found = _Found(spans)
        with (
            ranged(old, spans),
            ranged(new, spans),
            closing(_rows(old, table)) as left,
            closing(_rows(new, table)) as right,
        ):
            for before, after in _parts(left, right):
                told(bisect_right(spans, (before or after)[-1][0], key=itemgetter(0)) / len(spans))
                found.add(before, after)
        return found.sums()

    return decoding(old, lambda: decoding(new, compared))


@dataclass(slots=True)
class _Found:
    """What was found so far; `near` are the ranges of differing rows, None once there are too many."""

    coarse: Spans
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    total: int = 0
    near: list[tuple[int, int]] | None = field(default_factory=list)

    def add(self, before: list[_Row], after: list[_Row]) -> None:
        """Compare all rows of both versions within one range of rowids."""
        old, new = (set(map(marshal.dumps, rows, repeat(MARSHAL))) for rows in (before, after))
        gone, come = (
            {row[0]: row[1:] for row in map(marshal.loads, packed)} for packed in (old - new, new - old)
        )
        both = len(gone.keys() & come.keys())
        self.updated += both
        self.deleted += len(gone) - both
        self.inserted += len(come) - both
        self.total += sum(map(number_of, come.values())) - sum(map(number_of, gone.values()))
        self._note(sorted(gone.keys() | come.keys()))

    def _note(self, rowids: list[int]) -> None:
        if self.near is None:
            return
        for rowid in rowids:
            if self.near and rowid - self.near[-1][1] <= _NEAR:
                self.near[-1] = self.near[-1][0], rowid
            else:
                self.near.append((rowid, rowid))
        if len(self.near) > _MOST_SPANS:
            self.near = None

    def sums(self) -> RowSums:
        spans = self.coarse if self.near is None else tuple(self.near)
        return RowSums(self.inserted, self.updated, self.deleted, self.total, spans)


def _parts(old: Iterator[_Row], new: Iterator[_Row]) -> Iterator[tuple[list[_Row], list[_Row]]]:
    """The rows of both, a few hundred at a time, cut at the same rowid."""
    before: list[_Row] = []
    after: list[_Row] = []
    while True:
        before += islice(old, _AT_ONCE - len(before))
        after += islice(new, _AT_ONCE - len(after))
        if not before and not after:
            return
        # One with fewer rows than asked for has come to its end.
        ends = [rows[-1][0] for rows in (before, after) if len(rows) == _AT_ONCE]
        cuts = [
            bisect_right(rows, min(ends), key=itemgetter(0)) if ends else len(rows)
            for rows in (before, after)
        ]
        yield before[: cuts[0]], after[: cuts[1]]
        del before[: cuts[0]], after[: cuts[1]]


def _rows(con: sqlite3.Connection, table: str) -> Generator[_Row]:
    """The rows in the ranges of `ranged`, each after its rowid, in order."""
    rowid = rowid_name(con, table)
    if rowid is None:
        raise sqlite3.OperationalError(f"the rowid of {table} cannot be named")
    sql = (
        f"SELECT t.{rowid}, t.* FROM {RANGES} AS r CROSS JOIN main.{quote(table)} AS t"
        f" WHERE t.{rowid} BETWEEN r.low AND r.high"
    )
    with closing(con.execute(sql)) as cursor:
        yield from cursor


@contextmanager
def ranged(con: sqlite3.Connection, spans: Spans) -> Iterator[None]:
    """Keep ranges of rowids in the temporary table `RANGES` (low, high) during the block.

    One statement that joins them to a table is quicker than one for each.
    """
    con.execute("PRAGMA temp_store = MEMORY")
    con.execute(f"CREATE TABLE {RANGES} (low INTEGER PRIMARY KEY, high INTEGER)")
    try:
        con.executemany(f"INSERT INTO {RANGES} VALUES (?, ?)", spans)
        yield
    finally:
        con.execute(f"DROP TABLE {RANGES}")
