"""Which rows of one table differ between two still SQLite files, told by their identity, as a stream.

A row is known by the table's declared primary key where both versions declare the same one, else by its
rowid (``INTEGER PRIMARY KEY`` is the rowid). Two values are the same if their storage class is and SQL calls
them equal; 1, 1.0 and '1' differ, NULL is NULL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from greynb.databases.identifiers import fold, quote
from greynb.databases.sqlite import database_uri
from greynb.publish.changeset import Event

Row = tuple[Any, ...]

ALL: Final = ((-(1 << 63), (1 << 63) - 1),)
_COLUMNS_AT_ONCE: Final = 1_900  # SQLite gives at most 2,000 columns, and the rowid is one more


class NoIdentity(Exception):
    """The rows of two versions cannot be matched: neither a common key nor rowids in both."""


@dataclass(frozen=True, slots=True)
class Side:
    """A table in one of the two files.

    Attributes
    ----------
    columns
        Stored columns; generated ones follow from them.
    key
        Columns of the declared primary key with their collations; empty where the rowid is the key.
    alias
        A name for the rowid that no column has taken; None where there is none.
    """

    con: sqlite3.Connection
    name: str
    columns: tuple[str, ...]
    key: tuple[tuple[str, str], ...]
    alias: str | None


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a still file for reading, without locks or side files."""
    con = sqlite3.connect(database_uri(path.absolute(), "ro&immutable=1"), uri=True, isolation_level=None)
    con.text_factory = exact_text
    try:
        yield con
    finally:
        con.close()


def exact_text(data: bytes) -> str:
    """A text; bytes that are not UTF-8 are kept apart from each other and from blobs."""
    return data.decode("utf-8", "surrogateescape")


def side(con: sqlite3.Connection, name: str) -> Side:
    """Look up how a table's rows are told apart."""
    found = con.execute("SELECT name, hidden FROM pragma_table_xinfo(?)", (name,)).fetchall()
    taken = {fold(column) for column, _ in found}
    primary = con.execute("SELECT name FROM pragma_index_list(?) WHERE origin = 'pk'", (name,)).fetchone()
    key: list[tuple[str, str]] = []
    if primary is not None:
        key = con.execute(
            "SELECT name, coll FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno", primary
        ).fetchall()
    (without,) = con.execute(
        "SELECT max(wr) FROM pragma_table_list(?) WHERE schema = 'main'", (name,)
    ).fetchone()
    free = [alias for alias in ("rowid", "_rowid_", "oid") if alias not in taken]
    if not free and primary is None:  # an INTEGER PRIMARY KEY may itself be called rowid
        free = [
            column for (column,) in con.execute("SELECT name FROM pragma_table_info(?) WHERE pk", (name,))
        ]
    stored = tuple(column for column, hidden in found if not hidden)
    return Side(con, name, stored, tuple(key), free[0] if free and not without else None)


def events(
    old: Side, new: Side, columns: Sequence[str], spans: Sequence[tuple[int, int]] = ALL
) -> Iterator[Event]:
    """Each row that differs, before and after, over the given columns of both tables.

    Parameters
    ----------
    columns
        Columns that both tables store.
    spans
        Rowids to look at, both ends included; all others are known to be the same.

    Raises
    ------
    NoIdentity
        The rows cannot be matched.
    """
    names = set(map(fold, columns))
    keyed = bool(old.key) and old.key == new.key and all(fold(column) in names for column, _ in old.key)
    if old.alias and new.alias:
        found = _by_rowid(_ranged(old, columns, spans), _ranged(new, columns, spans))
        return _by_key(found, old, new, columns) if keyed else found
    if not keyed:
        raise NoIdentity("the two versions have no key in common")
    # Every row is taken for deleted and inserted, until its key is looked up on the other side.
    gone: Iterator[Event] = ((row, None) for row in rows(old, columns))
    come: Iterator[Event] = ((None, row) for row in rows(new, columns))
    return _by_key(chain(gone, come), old, new, columns)


def count(table: Side) -> int:
    """How many rows a table has."""
    return int(table.con.execute(f"SELECT count(*) FROM {quote(table.name)}").fetchone()[0])


def _by_rowid(old: Iterator[Row], new: Iterator[Row]) -> Iterator[Event]:
    """Merge two streams of (rowid, …) in order, without the rowids."""
    before, after = next(old, None), next(new, None)
    while before is not None or after is not None:
        if after is None or (before is not None and before[0] < after[0]):
            yield before[1:] if before else None, None
            before = next(old, None)
        elif before is None or after[0] < before[0]:
            yield None, after[1:]
            after = next(new, None)
        else:
            if _differ(before, after):
                yield before[1:], after[1:]
            before, after = next(old, None), next(new, None)


def _by_key(found: Iterator[Event], old: Side, new: Side, columns: Sequence[str]) -> Iterator[Event]:
    """Match rows by declared key that have another rowid than before; REPLACE, for one, moves them."""
    places = [list(map(fold, columns)).index(fold(column)) for column, _ in old.key]
    in_old, in_new = _Lookup(old, columns), _Lookup(new, columns)
    for before, after in found:
        was, now = _key(before, places), _key(after, places)
        if before is not None and after is not None and was == now:
            yield before, after
            continue
        if before is not None:
            moved = in_new.find(was)
            if moved is None:
                yield before, None
            elif _differ(before, moved):
                yield before, moved
        if after is not None and in_old.find(now) is None:
            yield None, after


class _Lookup:
    """Finds the row with a key."""

    def __init__(self, table: Side, columns: Sequence[str]) -> None:
        self._table = table
        self._columns = columns

    def find(self, key: Row) -> Row | None:
        if None in key:  # old tables may hold NULL in a primary key, several times
            return None
        values = [_bindable(value) for value in key]
        marks = [
            "CAST(? AS TEXT)" if exact is not value else "?" for exact, value in zip(values, key, strict=True)
        ]
        where = " AND ".join(
            f"{quote(column)} COLLATE {quote(collation)} = {mark}"
            for (column, collation), mark in zip(self._table.key, marks, strict=True)
        )
        return next(_select(self._table, self._columns, f"WHERE {where}", values), None)


def _bindable(value: Any) -> Any:
    """A text that is not valid UTF-8 as its bytes, anything else as it is."""
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        return value.encode("utf-8", "surrogateescape")
    return value


def _key(row: Row | None, places: Sequence[int]) -> Row:
    return () if row is None else tuple(row[place] for place in places)


def _differ(one: Row, other: Row) -> bool:
    return one != other or list(map(type, one)) != list(map(type, other))


def _ranged(table: Side, columns: Sequence[str], spans: Sequence[tuple[int, int]]) -> Iterator[Row]:
    assert table.alias is not None
    rowid = quote(table.alias)
    where = f"WHERE {rowid} BETWEEN ? AND ? ORDER BY {rowid}"
    return chain.from_iterable(_select(table, columns, where, span, first=rowid) for span in spans)


def rows(table: Side, columns: Sequence[str]) -> Iterator[Row]:
    """All rows of a table, in no particular order."""
    return _select(table, columns, "", ())


def _select(
    table: Side, columns: Sequence[str], rest: str, values: Sequence[object], *, first: str = ""
) -> Iterator[Row]:
    """Rows of the columns, `first` before them; wide tables are read by several cursors side by side."""
    lists = [
        ", ".join(map(quote, columns[at : at + _COLUMNS_AT_ONCE]))
        for at in range(0, max(1, len(columns)), _COLUMNS_AT_ONCE)
    ]
    lists[0] = ", ".join(filter(None, (first, lists[0]))) or "1"
    cursors = [table.con.execute(f"SELECT {each} FROM {quote(table.name)} {rest}", values) for each in lists]
    if len(cursors) == 1:
        return cursors[0]
    return (tuple(chain.from_iterable(parts)) for parts in zip(*cursors, strict=True))
