"""What PostgreSQL holds written to a SQLite file: tables that came from one as they were, others derived."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.identifiers import quote
from greynb.errors import DatabaseError
from greynb.migration.servers.comparing import empty, rows, with_rows
from greynb.migration.servers.derived import Wanted, derived, formatted, is_as_it_was
from greynb.migration.servers.record import SCHEMA, Record, read_record
from greynb.postgres.columns import TooExact
from greynb.postgres.relations import Relation, relations

if TYPE_CHECKING:
    import psycopg

    from greynb.publish.steps import Told

_HIDDEN: Final = (2, 3)
_ELSEWHERE: Final = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
        AND NOT pg_table_is_visible(c.oid) AND n.nspname NOT LIKE 'pg|_%%' ESCAPE '|'
        AND n.nspname NOT IN ('information_schema', %s)
    ORDER BY 1
"""


@dataclass(slots=True)
class Restored:
    """What was written.

    Attributes
    ----------
    content
        The content hash of each table as PostgreSQL has it.
    notices
        What the file does not get, or otherwise.
    """

    content: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def restore(con: psycopg.Connection[Any], path: Path, told: Told) -> Restored:
    """Write what a transaction sees to a new SQLite file.

    Parameters
    ----------
    con
        From `greynb.postgres.snapshot.snapshot`.
    path
        A file that does not exist yet.
    told
        Told the part done; may raise.

    Raises
    ------
    DatabaseError
        The rows break a constraint that they had in SQLite, or a table cannot be made there.
    """
    done = Restored()
    record = read_record(con)
    wanted = _wanted(con, record, done.notices)
    with closing(sqlite3.connect(path, isolation_level=None)) as lite:
        lite.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN")
        for number, each in enumerate(wanted):
            told(number / len(wanted))
            try:
                done.content[each.name] = _Filling(con, lite, each).filled()
            except sqlite3.IntegrityError as error:
                raise DatabaseError(
                    f"the rows of {each.name} break what SQLite demands of them: {error}",
                    hint="PostgreSQL has lost that constraint: mend the rows there, or drop the schema"
                    " greynb_migration to have the tables as PostgreSQL defines them",
                ) from error
            except sqlite3.Error as error:
                raise DatabaseError(f"table {each.name} cannot be stored in SQLite: {error}") from error
        if record is not None:
            _finish(con, lite, record, {each.name for each in wanted if each.relation is None}, done.notices)
        lite.execute("COMMIT")
    return done


def hashes(con: psycopg.Connection[Any], told: Told) -> dict[str, str]:
    """The content hash of each table that `restore` would write, without writing it."""
    wanted = _wanted(con, read_record(con), [])
    found = {}
    for number, each in enumerate(wanted):
        told(number / len(wanted))
        while True:
            content = empty(each.columns)
            try:
                for batch in rows(con, each.source, each.columns):
                    content = with_rows(content, batch)
                break
            except TooExact as error:
                each = _with_text(con, each, error)
        found[each.name] = str(content)
    return found


def _wanted(con: psycopg.Connection[Any], record: Record | None, notices: list[str]) -> list[Wanted]:
    # Otherwise rows that the role may not see would be missing without a word.
    con.execute("SET LOCAL row_security = off")
    found, views = relations(con, {})
    there = formatted(con)
    tables = record.tables if record else {}
    statements = {name: sql for kind, name, _, sql in record.statements if kind == "table"} if record else {}
    order = {name: number for number, name in enumerate(statements)}
    wanted = []
    for relation in sorted(found, key=lambda each: order.get(each.name, len(order))):
        kept = tables.get(relation.name, ())
        if kept and is_as_it_was(there.get(relation.name), kept):
            wanted.append(_as_it_was(relation, statements[relation.name], [each.back() for each in kept]))
            continue
        if kept:
            notices.append(f"{relation.name} was changed in PostgreSQL: it is made as it is defined there")
        each, more = derived(con, relation)
        wanted.append(each)
        if more:
            notices.append(f"SQLite does not get {', '.join(more)}")
    notices += [
        f"{name} is not on the search path, and stays there"
        for (name,) in con.execute(_ELSEWHERE, (SCHEMA,)).fetchall()
    ]
    gone = sorted(set(tables) - {each.name for each in wanted})
    notices += [f"{name} is not in PostgreSQL any more" for name in gone]
    known = {name for kind, name, _, _ in record.statements if kind == "view"} if record else set()
    notices += [
        f"the view {name} was made in PostgreSQL, and stays there" for name in views if name not in known
    ]
    notices += (
        [f"the virtual table {name} was left in {record.source}" for name in record.virtual] if record else []
    )
    return wanted


def _as_it_was(relation: Relation, sql: str, backs: Sequence[Any]) -> Wanted:
    return Wanted(relation.name, relation.qualified, sql, tuple(backs))


def _with_text(con: psycopg.Connection[Any], wanted: Wanted, error: TooExact) -> Wanted:
    """The same with a numeric column as text, which has too many digits for SQLite's numbers."""
    assert wanted.relation is not None
    return derived(con, wanted.relation.with_text(*error.args))[0]


@dataclass(slots=True)
class _Filling:
    con: psycopg.Connection[Any]
    lite: sqlite3.Connection
    wanted: Wanted

    def filled(self) -> str:
        """Make and fill the table; gives the hash of what PostgreSQL has."""
        while True:
            self.lite.execute(self.wanted.create)
            try:
                found = self._bring()
            except TooExact as error:
                self.lite.execute(f"DROP TABLE {quote(self.wanted.name)}")
                self.wanted = _with_text(self.con, self.wanted, error)
                continue
            for sql in self.wanted.indexes:
                self.lite.execute(sql)
            return found

    def _bring(self) -> str:
        columns = self.wanted.columns
        computed = {
            each[1]
            for each in self.lite.execute(f"PRAGMA table_xinfo({quote(self.wanted.name)})")
            if each[6] in _HIDDEN
        }
        stored = [number for number, each in enumerate(columns) if each.name not in computed]
        names = ", ".join(quote(columns[number].name) for number in stored)
        marks = ", ".join("?" * len(stored))
        insert = f"INSERT INTO {quote(self.wanted.name)} ({names}) VALUES ({marks})"
        content = empty(columns)
        for batch in rows(self.con, self.wanted.source, columns):
            content = with_rows(content, batch)
            self.lite.executemany(insert, self._cut(batch, stored) if computed else batch)
        return str(content)

    def _cut(self, batch: Sequence[tuple[Any, ...]], stored: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        return (tuple(row[number] for number in stored) for row in batch)


def _finish(
    con: psycopg.Connection[Any],
    lite: sqlite3.Connection,
    record: Record,
    tables: set[str],
    notices: list[str],
) -> None:
    """Make the indexes, triggers and views that the file had, and its counters."""
    for kind, name, table, sql in record.statements:
        if kind == "table" or (kind != "view" and table not in tables and table in record.tables):
            continue
        try:
            lite.execute(sql)
        except sqlite3.Error as error:
            notices.append(f"the {kind} {name} cannot be made any more: {error}")
    for table in record.counters:
        if table in tables:
            _count_on(con, lite, table, record.counters[table])
    lite.execute(f"PRAGMA user_version = {record.numbers[0]:d}")
    lite.execute(f"PRAGMA application_id = {record.numbers[1]:d}")


def _count_on(con: psycopg.Connection[Any], lite: sqlite3.Connection, table: str, counter: int) -> None:
    """Let AUTOINCREMENT go on where PostgreSQL has counted to."""
    sequences = con.execute(
        "SELECT pg_get_serial_sequence(%s, attname) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attidentity <> ''",
        (quote(table), quote(table)),
    ).fetchall()
    for (sequence,) in sequences:
        ((last, called),) = con.execute(f"SELECT last_value, is_called FROM {sequence}").fetchall()
        counter = max(counter, last if called else 0)
    changed = lite.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (counter, table))
    if not changed.rowcount:
        lite.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, counter))
