"""What the columns of a SQLite file hold, and so how PostgreSQL can keep them; or why it cannot."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from greynb.databases.census import count, source
from greynb.databases.columns import choose
from greynb.databases.declared import promised
from greynb.databases.identifiers import quote
from greynb.databases.relations import ColumnCensus, TableCensus, list_relations
from greynb.migration.servers.batches import batches
from greynb.migration.servers.columns import Affinity, Kept, Type, affinity_of, exactly
from greynb.migration.servers.sqliteschema import Schema, Table
from greynb.migration.servers.stamps import way_of

_TYPES: Final[dict[str, Type]] = {
    "BIGINT": "bigint",
    "DOUBLE": "double precision",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "BLOB": "bytea",
    "VARCHAR": "text",
}
_NUMERIC: Final = ("INTEGER", "NUMERIC")
_MANY_WAYS: Final = "kept as text, as their times are not written in one way: "


@dataclass(frozen=True, slots=True)
class Held:
    """What the tables of a file hold.

    Attributes
    ----------
    columns
        By table.
    rows
        By table.
    loose
        Tables whose primary key holds NULL, as SQLite lets it.
    orphans
        How many rows have no parent, by table and the foreign key's place in it.
    refusals
        What PostgreSQL cannot hold, with the column's name.
    notices
        What is kept otherwise than it is declared.
    """

    columns: dict[str, tuple[Kept, ...]]
    rows: dict[str, int]
    loose: frozenset[str]
    orphans: dict[tuple[str, int], int]
    refusals: tuple[str, ...]
    notices: tuple[str, ...]


class _Refused(Exception):
    """The argument says what the column holds."""


def held(con: sqlite3.Connection, schema: Schema, told: Callable[[float], None] = lambda _: None) -> Held:
    """Look at all rows of all tables.

    Parameters
    ----------
    con
        A file that nobody writes to, or one inside a transaction.
    schema
        Of the same file.
    told
        Told the part done; may raise.

    Raises
    ------
    sqlite3.Error
        A table cannot be read.
    """
    listed = list_relations(run := lambda sql: con.execute(sql).fetchall())
    taken: dict[str, TableCensus] = {}
    columns: dict[str, tuple[Kept, ...]] = {}
    refusals: list[str] = []
    unlike: list[str] = []
    for place, table in enumerate(schema.tables):
        told(place / len(schema.tables))
        census = taken[table.name] = count(run, listed[table.name])
        if census.problem:
            refusals.append(f"{table.name} cannot be read: {census.problem}")
            continue
        kept = []
        for number, each in enumerate(census.columns):
            try:
                kept.append(_kept(con, table, census, number, unlike))
            except _Refused as error:
                refusals.append(f"{table.name}.{each.name} {error}")
        columns[table.name] = tuple(kept)
    return Held(
        columns=columns,
        rows={name: each.rows or 0 for name, each in taken.items()},
        loose=frozenset(each.name for each in schema.tables if _is_loose(each, taken[each.name])),
        orphans={key: n for each in schema.tables for key, n in _orphans(con, each).items()},
        refusals=tuple(refusals),
        notices=(_MANY_WAYS + ", ".join(unlike),) if unlike else (),
    )


def _is_loose(table: Table, census: TableCensus) -> bool:
    return any(each.nulls for each in census.columns if each.name in table.key and each.name != table.rowid)


def _orphans(con: sqlite3.Connection, table: Table) -> dict[tuple[str, int], int]:
    if not table.foreign:
        return {}
    try:
        found = con.execute(f"PRAGMA main.foreign_key_check({quote(table.name)})")
        # SQLite numbers them from the last to the first.
        return dict(Counter((table.name, len(table.foreign) - 1 - int(number)) for *_, number in found))
    except sqlite3.OperationalError:
        return {}  # it refers to what is no key, which PostgreSQL tells by itself


def _kept(con: sqlite3.Connection, table: Table, census: TableCensus, number: int, unlike: list[str]) -> Kept:
    column = census.columns[number]
    affinity = affinity_of(column.declared, strict=table.strict)
    if table.rowid == column.name:
        return Kept(column.name, "bigint", affinity)
    _check_texts(con, census, number)
    kinds = [bool(count) for count in (column.integers, column.reals, column.texts, column.blobs)]
    mixed = sum(kinds) > 1
    if mixed and (column.blobs or affinity == "BLOB"):
        raise _Refused(f"holds {_counted(column)}, which cannot be told apart in one column there")
    kind = _TYPES[choose(column)]
    if kind == "timestamp" and column.texts:
        way = way_of(con, census, number)
        if way is not None:
            return Kept(column.name, kind, affinity, way)
        unlike.append(f"{table.name}.{column.name}")
        kind = "text"
    if _has_decimals(column, affinity):
        kind = "double precision"
    kept = Kept(
        column.name, kind, affinity, mixed=kind == "text" and (mixed or affinity not in ("TEXT", "BLOB"))
    )
    if mixed or kept.mixed:
        _prove(con, census, number, kept)
    return kept


def _has_decimals(column: ColumnCensus, affinity: Affinity) -> bool:
    """Whether a column of integers is meant for other numbers, too: a bigint would round the next one."""
    if column.texts or column.blobs or column.reals or affinity not in _NUMERIC:
        return False
    return promised(column.declared) == "DOUBLE" and (not column.integers or exactly(column.low, column.high))


def _check_texts(con: sqlite3.Connection, census: TableCensus, number: int) -> None:
    column = census.columns[number]
    if not column.texts:
        return
    if column.encoding == "invalid":
        raise _Refused("holds text that is not valid UTF-8")
    c = f"c{number}"
    ((count,),) = con.execute(
        f"{source(census)}SELECT count(*) FROM __s WHERE typeof({c}) = 'text' AND instr({c}, char(0))"
    ).fetchall()
    if count:
        raise _Refused(f"holds {_number(count, 'text')} with a NUL character, which PostgreSQL cannot hold")


def _prove(con: sqlite3.Connection, census: TableCensus, number: int, kept: Kept) -> None:
    """Refuse a column of which a value would not come back as it is."""
    back = kept.back()
    for batch in _batches(con, census, number):
        stored = kept.sent(batch) if back.through is None else back.through.stored(kept.sent(batch))
        for before, after in zip(batch, stored, strict=True):
            if (type(before), before) != (type(after), after):
                column = census.columns[number]
                raise _Refused(f"holds {_counted(column)}; {before!r} would come back as {after!r}")


def _batches(con: sqlite3.Connection, census: TableCensus, number: int) -> Iterator[list[object]]:
    cursor = con.execute(f"{source(census)}SELECT c{number} FROM __s WHERE c{number} IS NOT NULL")
    for batch in batches(cursor.fetchmany):
        yield [value for (value,) in batch]


def _counted(column: ColumnCensus) -> str:
    counts = (
        (column.integers, "integer"),
        (column.reals, "real"),
        (column.texts, "text"),
        (column.blobs, "blob"),
    )
    return " and ".join(_number(count, kind) for count, kind in counts if count)


def _number(count: int, kind: str) -> str:
    return f"{count:,} {kind}{'' if count == 1 else 's'}"
