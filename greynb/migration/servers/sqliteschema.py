"""The schema of a SQLite file as far as another database can have it; what it cannot have, by name."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from greynb.databases.identifiers import fold, quote
from greynb.databases.relations import list_relations
from greynb.databases.sqltext import Token
from greynb.migration.servers.tabletext import TableText, read_table

_OWN: Final = "sqlite_"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    name, declared
        As the schema spells them; `declared` is empty where no type is declared.
    required
        Whether it is NOT NULL.
    default
        The text of its default; None without one.
    generated
        The expression it is computed by; None where it is stored as it was written.
    collation
        Empty where it is SQLite's usual one.
    """

    name: str
    declared: str
    required: bool
    default: str | None
    generated: tuple[Token, ...] | None
    collation: str


@dataclass(frozen=True, slots=True)
class Index:
    """One index or UNIQUE constraint.

    Attributes
    ----------
    name
        Empty where SQLite named it by itself.
    unique
        Whether it refuses equal rows.
    columns
        Name, whether descending, and collation; a name is None where it is an expression.
    expressions
        The tokens of each part, and those of its WHERE (empty without one), where it is made by a statement.
    """

    name: str
    unique: bool
    columns: tuple[tuple[str | None, bool, str], ...]
    expressions: tuple[tuple[Token, ...], ...] = ()
    where: tuple[Token, ...] = ()


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A reference to another table; `parents` is empty where it means the primary key."""

    columns: tuple[str, ...]
    parent: str
    parents: tuple[str, ...]
    on_update: str
    on_delete: str
    deferred: bool


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes
    ----------
    key
        The columns of the primary key.
    rowid
        The column that is the row's number and counts by itself (``INTEGER PRIMARY KEY``); None without one.
    checks
        The expression of each CHECK.
    strict
        Whether SQLite keeps to the declared types.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rowid: str | None
    indexes: tuple[Index, ...]
    foreign: tuple[ForeignKey, ...]
    checks: tuple[tuple[Token, ...], ...]
    strict: bool


@dataclass(frozen=True, slots=True)
class Schema:
    """A file's schema.

    Attributes
    ----------
    tables
        In the order of their names.
    views, triggers
        Statement by name.
    virtual
        The names of virtual tables.
    statements
        Kind, name, table and SQL of everything that was made by a statement, in the order it was made.
    counters
        What ``AUTOINCREMENT`` counted to, by table.
    numbers
        ``user_version`` and ``application_id``.
    """

    tables: tuple[Table, ...]
    views: dict[str, str]
    triggers: dict[str, str]
    virtual: tuple[str, ...]
    statements: tuple[tuple[str, str, str, str], ...]
    counters: dict[str, int]
    numbers: tuple[int, int]

    @property
    def spellings(self) -> dict[str, set[str]]:
        """How tables and columns are spelled, by their names without case."""
        found: dict[str, set[str]] = {}
        for table in self.tables:
            for name in (table.name, *(each.name for each in table.columns)):
                found.setdefault(fold(name), set()).add(name)
        return found


def read_schema(con: sqlite3.Connection) -> Schema:
    """Read the schema of the main database; raises `sqlite3.Error`."""
    listed = list_relations(lambda sql: con.execute(sql).fetchall())
    statements = con.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
        " AND name NOT LIKE 'sqlite|_%' ESCAPE '|' ORDER BY rowid"
    ).fetchall()
    sql = {(kind, name): text for kind, name, _, text in statements}
    shadows = {
        name
        for (name,) in con.execute("SELECT name FROM pragma_table_list WHERE type IN ('shadow', 'virtual')")
    }
    numbers = [
        int(con.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("user_version", "application_id")
    ]
    return Schema(
        tables=tuple(_table(con, name, sql) for name, each in listed.items() if each.kind == "table"),
        views={name: text for (kind, name), text in sql.items() if kind == "view"},
        triggers={name: text for (kind, name), text in sql.items() if kind == "trigger"},
        virtual=tuple(name for name, each in listed.items() if each.kind == "virtual"),
        statements=tuple(each for each in statements if each[2] not in shadows),
        counters=_counters(con),
        numbers=(numbers[0], numbers[1]),
    )


def _counters(con: sqlite3.Connection) -> dict[str, int]:
    if not con.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone():
        return {}
    return {
        str(name): int(number)
        for name, number in con.execute("SELECT name, seq FROM sqlite_sequence WHERE typeof(seq) = 'integer'")
    }


def _table(con: sqlite3.Connection, name: str, sql: dict[tuple[str, str], str]) -> Table:
    text = read_table(sql["table", name])
    described = con.execute(f"PRAGMA main.table_xinfo({quote(name)})").fetchall()
    ((rowids, strict),) = con.execute(
        "SELECT wr = 0, strict FROM pragma_table_list WHERE schema = 'main' AND name = ?", (name,)
    ).fetchall()
    columns = tuple(_column(text, each) for each in described if each[6] != 1)
    key = tuple(each[1] for each in sorted(described, key=lambda each: int(each[5])) if each[5])
    listed = con.execute(f"PRAGMA main.index_list({quote(name)})").fetchall()
    own = any(origin == "pk" for _, _, _, origin, _ in listed)
    return Table(
        name=name,
        columns=columns,
        key=key,
        rowid=key[0] if len(key) == 1 and rowids and not own else None,
        indexes=tuple(_indexes(con, listed, sql)),
        foreign=tuple(_foreign(con, name, text)),
        checks=text.checks,
        strict=bool(strict),
    )


def _column(text: TableText, described: tuple[Any, ...]) -> Column:
    _, name, declared, required, default, _, hidden = described
    spelled = fold(name)
    generated = text.generated.get(spelled) if hidden in (2, 3) else None
    return Column(name, declared, bool(required), default, generated, text.collations.get(spelled, ""))


def _indexes(
    con: sqlite3.Connection, listed: list[tuple[int, str, int, str, int]], sql: dict[tuple[str, str], str]
) -> Iterator[Index]:
    # SQLite lists the newest first.
    for _, name, unique, origin, _ in reversed(listed):
        parts = con.execute(f"PRAGMA main.index_xinfo({quote(name)})").fetchall()
        columns = tuple(
            (column, bool(descending), "" if collation.upper() == "BINARY" else str(collation))
            for _, _, column, descending, collation, is_key in parts
            if is_key
        )
        if origin == "pk" and not any(collation for *_, collation in columns):
            continue  # the key itself says all
        made = read_table(sql["index", name]) if origin == "c" else None
        yield Index(
            name="" if name.startswith(_OWN) else name,
            unique=bool(unique),
            columns=columns,
            expressions=made.parts if made else (),
            where=made.where if made else (),
        )


def _foreign(con: sqlite3.Connection, name: str, text: TableText) -> Iterator[ForeignKey]:
    parts: dict[int, list[tuple[str, str, str | None, str, str]]] = {}
    for number, _, parent, column, to, on_update, on_delete, _ in con.execute(
        f"PRAGMA main.foreign_key_list({quote(name)})"
    ):
        parts.setdefault(number, []).append((parent, column, to, on_update, on_delete))
    for number in sorted(parts, reverse=True):
        columns = parts[number]
        parent, _, _, on_update, on_delete = columns[0]
        yield ForeignKey(
            columns=tuple(each[1] for each in columns),
            parent=parent,
            parents=tuple(each[2] for each in columns if each[2] is not None),
            on_update=on_update,
            on_delete=on_delete,
            deferred=text.deferred,
        )
