"""What PostgreSQL holds, hashed as SQLite would store it: the same hash as that of the file's table."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.identifiers import quote
from greynb.errors import DatabaseError
from greynb.migration.servers.batches import batches
from greynb.migration.servers.census import Held
from greynb.migration.servers.columns import Back, Kept
from greynb.migration.servers.sqliteschema import Schema
from greynb.postgres.columns import planned
from greynb.publish.content import Content, number_of

if TYPE_CHECKING:
    import psycopg

    from greynb.publish.steps import Told

_VIEW: Final = """
    SELECT a.attname, t.typname, t.typcategory::text FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = %s::regclass AND a.attnum > 0 ORDER BY a.attnum
"""


def check_rows(
    con: psycopg.Connection[Any],
    schema: Schema,
    held: Held,
    content: Mapping[str, str | None],
    told: Told,
) -> None:
    """Compare all tables with what was copied.

    Parameters
    ----------
    con
        Inside the transaction that copied.
    schema, held
        Of the file.
    content
        The content hash of each table of the file.
    told
        Told the part done; may raise.

    Raises
    ------
    DatabaseError
        A table holds something else.
    """
    total = sum(held.rows.values()) + 1
    done = 0

    def count(rows: int) -> None:
        nonlocal done
        done += rows
        told(done / total)

    different = [
        each.name
        for each in schema.tables
        if hash_of(con, each.name, held.columns[each.name], count) != content.get(each.name)
    ]
    if different:
        raise DatabaseError(
            f"PostgreSQL does not give back what was copied: {', '.join(different[:5])} differ",
            hint="nothing was kept; `greynb doctor` looks at the file",
        )


def hash_of(
    con: psycopg.Connection[Any],
    table: str,
    columns: Sequence[Kept],
    told: Callable[[int], None] = lambda _: None,
) -> str:
    """The content hash of a table of PostgreSQL as SQLite would store it.

    Parameters
    ----------
    con
        Inside a transaction.
    table
        Its name, on the search path.
    columns
        How its columns are kept.
    told
        Told the rows of each batch; may raise.
    """
    return _hash(con, quote(table), [each.back() for each in columns], told)


def same_view(con: psycopg.Connection[Any], lite: sqlite3.Connection, name: str) -> bool:
    """Whether a view gives the same rows in both, 1 and 1.0 alike; raises `psycopg.Error`."""
    listed = con.execute(_VIEW, (quote(name),)).fetchall()
    plans = [planned(column, kind, category, None, exact=False) for column, kind, category in listed]
    backs = [Back(each.name, each.select, each.convert) for each in plans]
    there, here = empty(backs), empty(backs)
    for batch in rows(con, quote(name), backs):
        there = with_rows(there, [_numbers(row) for row in batch])
    try:
        cursor = lite.execute(f"SELECT * FROM main.{quote(name)}")
        for batch in batches(cursor.fetchmany):
            here = with_rows(here, [_numbers(row) for row in batch])
    except sqlite3.Error:
        return False
    return [each[0] for each in cursor.description] == [each.name for each in backs] and here == there


def rows(con: psycopg.Connection[Any], table: str, backs: Sequence[Back]) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a table, which is given as written in SQL, as SQLite stores them, in batches."""
    select = ", ".join(each.select for each in backs)
    with con.cursor(name="greynb_rows") as cursor:
        cursor.execute(f"SELECT {select} FROM {table}")
        for batch in batches(cursor.fetchmany):
            by_column = zip(backs, zip(*batch, strict=True), strict=True)
            yield list(zip(*(each.stored(values) for each, values in by_column), strict=True))


def empty(columns: Sequence[Back]) -> Content:
    """The content of a table with these columns and no rows."""
    names = "\0".join(each.name for each in columns)
    return Content(blake2b(names.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest(), 0, 0)


def with_rows(content: Content, batch: Sequence[tuple[Any, ...]]) -> Content:
    """The same with more rows."""
    return content.changed(len(batch), sum(map(number_of, batch)))


def _hash(
    con: psycopg.Connection[Any], table: str, backs: Sequence[Back], told: Callable[[int], None]
) -> str:
    content = empty(backs)
    for batch in rows(con, table, backs):
        content = with_rows(content, batch)
        told(len(batch))
    return str(content)


def _numbers(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(int(value) if isinstance(value, float) and value.is_integer() else value for value in row)
