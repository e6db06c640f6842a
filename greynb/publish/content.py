"""A hash of a table's rows that does not depend on where and in which order they are stored.

Definition, version 1. A row is the tuple of its values as ``SELECT *`` gives them: None, int, float, str
and bytes for SQLite's storage classes, so 1, 1.0, '1' and x'31' differ, and generated columns count. Text
is decoded as UTF-8, with each invalid byte as a lone surrogate (PEP 383). The row's number is the 128-bit
BLAKE2b digest, little-endian, of the tuple in the marshal format, version 2
(https://docs.python.org/3/library/marshal.html), which gives equal tuples equal bytes and different ones
different bytes. The table's number is the sum over its rows modulo 2**128. The hash is written as ::

    1:<BLAKE2b-64 of the column names in order>:<rows>:<sum as 32 hex digits>

A sum, because it does not depend on the order, counts equal rows (an exclusive or would cancel pairs), and
can be carried on: subtract the rows that went, add those that came. Two different tables that do not know of
each other agree by chance once in 2**128. Somebody who may choose many rows can construct two tables of equal
sums (D. Wagner, "A Generalized Birthday Problem", 2002): against tampering there is the sha256 of the file.

The number of a rowid that is no column of the table is not content: VACUUM may change it.
"""

from __future__ import annotations

import marshal
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from itertools import islice, repeat
from typing import Any, Final, TypeVar

from greynb.databases.identifiers import quote

T = TypeVar("T")

VERSION: Final = "1"
_MODULUS: Final = 1 << 128
MARSHAL: Final = 2
"""The version of the marshal format: newer ones write equal values in different ways."""

_AT_ONCE: Final = 500
"""Rows held at once: few enough for their objects to stay in the processor's cache."""

_DIGEST: Final = type(blake2b()).digest


@dataclass(frozen=True, slots=True)
class Content:
    """The parts of a content hash: see above; `total` is the sum."""

    names: str
    rows: int
    total: int

    def __str__(self) -> str:
        return f"{VERSION}:{self.names}:{self.rows}:{self.total:032x}"

    @classmethod
    def read(cls, text: str) -> Content | None:
        """The parts of a hash; None where it is of another version."""
        version, *parts = text.split(":")
        if version != VERSION or len(parts) != 3:
            return None
        return cls(parts[0], int(parts[1]), int(parts[2], 16))

    def changed(self, rows: int, total: int) -> Content:
        """The same table after rows came and went.

        Parameters
        ----------
        rows
            How many more there are.
        total
            The sum of the numbers of those that came minus that of those that went.
        """
        return replace(self, rows=self.rows + rows, total=(self.total + total) % _MODULUS)


def content_hash(
    con: sqlite3.Connection, table: str, told: Callable[[int], None] = lambda _rows: None
) -> str:
    """Hash the rows of a table, virtual table or view in the main database.

    Parameters
    ----------
    con
        An open connection; its ``text_factory`` is changed for the time of the call.
    table
        The name.
    told
        Told now and then how many rows are done; may raise.

    Raises
    ------
    sqlite3.Error
        The table cannot be read.
    """
    return str(content_of(con, table, told))


def content_of(
    con: sqlite3.Connection, table: str, told: Callable[[int], None] = lambda _rows: None
) -> Content:
    """The parts of `content_hash`."""
    return decoding(con, lambda: _content_of(con, table, told))


def decoding(con: sqlite3.Connection, work: Callable[[], T]) -> T:
    """Do something with texts decoded in C, and once more with the slower, tolerant way if one is invalid."""
    before = con.text_factory
    try:
        for factory in (str, _tolerant):
            con.text_factory = factory
            try:
                return work()
            except sqlite3.OperationalError as error:
                if factory is _tolerant or not str(error).startswith("Could not decode"):
                    raise
    finally:
        con.text_factory = before
    raise AssertionError


def number_of(row: tuple[Any, ...]) -> int:
    """The number of one row, below 2**128."""
    return int.from_bytes(blake2b(marshal.dumps(row, MARSHAL), digest_size=16).digest(), "little")


def _tolerant(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def _content_of(con: sqlite3.Connection, table: str, told: Callable[[int], None]) -> Content:
    cursor = con.execute(f"SELECT * FROM main.{quote(table)}")
    names = [each[0] for each in cursor.description]
    rows = total = 0
    while chunk := list(islice(cursor, _AT_ONCE)):
        total += sum(_numbers(chunk))
        rows += len(chunk)
        told(rows)
    digest = blake2b("\0".join(names).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    return Content(digest, rows, total % _MODULUS)


def _numbers(rows: Iterable[tuple[Any, ...]]) -> Iterable[int]:
    """`number_of` for many rows, without a Python frame for each: half the time."""
    packed = map(marshal.dumps, rows, repeat(MARSHAL))
    digests = map(_DIGEST, map(partial(blake2b, digest_size=16), packed))
    return map(partial(int.from_bytes, byteorder="little"), digests)
