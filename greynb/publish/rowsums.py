"""Counting and summing what changed within ranges of rowids, from both versions side by side.

A row is known by its rowid here, so a row that was replaced under another rowid counts as one deleted and one
inserted; ``greynb changes`` looks at declared keys.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from greynb.databases.identifiers import literal, quote
from greynb.publish.content import decoding, number_of

ROWIDS: Final = ("rowid", "_rowid_", "oid")
Spans = tuple[tuple[int, int], ...]
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class RowSums:
    """What changed in one table: numbers of rows, and what the sum of its content hash grew by."""

    inserted: int
    updated: int
    deleted: int
    total: int


def rowid_name(con: sqlite3.Connection, table: str) -> str | None:
    """A name by which the rowid can be asked for; None where columns have taken all of them."""
    rows = con.execute(f"SELECT lower(name) FROM pragma_table_xinfo({literal(table)}, 'main')").fetchall()
    columns = {name for (name,) in rows}
    return next((name for name in ROWIDS if name not in columns), None)


def row_sums(
    old: sqlite3.Connection,
    new: sqlite3.Connection,
    table: str,
    spans: Spans,
    told: Callable[[float], None] = lambda _: None,
) -> RowSums:
    """Compare the rows of a table in ranges of rowids (both ends included, in order, apart).

    Holds a few hundred rows at a time, however many there are.

    Raises
    ------
    sqlite3.Error
        The table cannot be read, or its rowid cannot be named.
    """

    def compared() -> RowSums:
        return _compared(_rows(old, table, spans, told), _rows(new, table, spans, lambda _: None))

    return decoding(old, lambda: decoding(new, compared))


def _compared(old: Iterator[tuple[Any, ...]], new: Iterator[tuple[Any, ...]]) -> RowSums:
    inserted = updated = deleted = total = 0
    before, after = next(old, None), next(new, None)
    while before is not None or after is not None:
        if before is not None and (after is None or before[0] < after[0]):
            deleted += 1
            total -= number_of(before[1:])
            before = next(old, None)
        elif after is not None and (before is None or after[0] < before[0]):
            inserted += 1
            total += number_of(after[1:])
            after = next(new, None)
        elif before is not None and after is not None:
            gone, come = number_of(before[1:]), number_of(after[1:])
            updated += gone != come  # the values alone will not do: 1 == 1.0 in Python
            total += come - gone
            before, after = next(old, None), next(new, None)
    return RowSums(inserted, updated, deleted, total)


def _rows(
    con: sqlite3.Connection, table: str, spans: Spans, told: Callable[[float], None]
) -> Iterator[tuple[Any, ...]]:
    rowid = rowid_name(con, table)
    if rowid is None:
        raise sqlite3.OperationalError(f"the rowid of {table} cannot be named")
    sql = f"SELECT {rowid}, * FROM main.{quote(table)} WHERE {rowid} BETWEEN ? AND ? ORDER BY {rowid}"
    for number, span in enumerate(spans):
        told(number / len(spans))
        cursor = con.execute(sql, span)
        while chunk := list(islice(cursor, _AT_ONCE)):
            told(number / len(spans))
            yield from chunk
