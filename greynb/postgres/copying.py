"""A PostgreSQL snapshot written to a SQLite file: all of it, or onto the version before only what changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from greynb.databases.identifiers import quote
from greynb.errors import PublishError
from greynb.postgres.columns import ColumnPlan, TooExact
from greynb.postgres.relations import Relation, relations
from greynb.postgres.snapshot import ServerLook, look

if TYPE_CHECKING:
    import psycopg

Told = Callable[[float], None]
_BATCH: Final = 10_000
_SHOWN: Final = 5
_WITHOUT_VIEWS: Final = "views are not published, as SQLite does not know their language: {}"
_AS_TEXT: Final = "{}.{} has numbers of more than 15 digits, so it is published as text"


@dataclass(slots=True)
class Copied:
    """What was copied, for the manifest of the version.

    Attributes
    ----------
    seen
        What the transaction saw.
    tables
        By name: what it is (`Relation.identity`), and its numeric columns that are text.
    whole, changed, same
        The tables that were read whole, in part, and not at all.
    reason
        Why nothing could be taken from the version before; empty where something was.
    notices
        What the user should know.
    """

    seen: ServerLook
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    whole: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    reason: str = ""
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Before:
    """The version before, a copy of whose file is carried on.

    Attributes
    ----------
    seen, tables
        As `Copied` has them.
    """

    seen: ServerLook
    tables: Mapping[str, Mapping[str, Any]]


def copy(con: psycopg.Connection[Any], database: Path, told: Told, before: Before | None = None) -> Copied:
    """Write what a transaction sees to a SQLite file, in ``journal_mode=DELETE``.

    Parameters
    ----------
    con
        From `greynb.postgres.snapshot.snapshot`.
    database
        The file; it does not exist, or is a copy of the version before.
    told
        Told the part done; may raise.
    before
        The version before, where its file is to be carried on; only tables that are still what they were, and
        rows that no transaction wrote since, are kept.
    """
    done = Copied(look(con))
    known = {name: tuple(each.get("exact", ())) for name, each in (before.tables if before else {}).items()}
    found, views = relations(con, known)
    if views:
        done.notices.append(_WITHOUT_VIEWS.format(_listed(views)))
    with closing(sqlite3.connect(database, isolation_level=None)) as lite:
        # The file is new: what a crash leaves of it is swept.
        lite.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN")
        _drop_others(lite, {each.name for each in found})
        for number, relation in enumerate(found):
            told(number / len(found))
            try:
                _Table(con, lite, relation, done, before).copy()
            except sqlite3.Error as error:
                raise PublishError(f"table {relation.name} cannot be stored in SQLite: {error}") from error
        lite.execute("COMMIT")
        lite.execute("PRAGMA journal_mode = DELETE")
    told(1.0)
    return done


@dataclass(slots=True)
class _Table:
    con: psycopg.Connection[Any]
    lite: sqlite3.Connection
    relation: Relation
    done: Copied
    before: Before | None

    def copy(self) -> None:
        """Bring one table up to date, or write it anew."""
        name = self.relation.name
        try:
            kept = self._carried_on()
        except TooExact:
            kept = ""  # it is found again, and then the column is text
        if not kept:
            self._write()
        getattr(self.done, kept or "whole").append(name)
        exact = sorted(self.relation.exact)
        self.done.tables[name] = {"identity": self.relation.identity, "exact": exact}
        self.done.notices += [_AS_TEXT.format(name, column) for column in exact]

    def _write(self) -> None:
        """Write the whole table; once more where a number needs its column to be text."""
        name = quote(self.relation.name)
        while True:
            self.lite.execute(f"DROP TABLE IF EXISTS {name}")
            self.lite.execute(self.relation.create)
            order = ", ".join(map(quote, self.relation.key))
            try:
                self._bring(f"ORDER BY {order}" if order else "", over=False)
            except TooExact as error:
                self.relation = self.relation.with_text(*error.args)
                continue
            self._index()
            return

    def _carried_on(self) -> Literal["same", "changed", ""]:
        """Keep the version before and bring what changed since; empty where that cannot be."""
        name, before = self.relation.name, self.before
        known = before.tables.get(name) if before else None
        if before is None or known is None or not self.relation.traced:
            return ""
        made = self.lite.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (name,)).fetchone()
        if known.get("identity") != self.relation.identity or made != (self.relation.create,):
            return ""
        # A row's number has 32 bits of the transaction's 64: the distance from the old snapshot counts.
        since = before.seen.ended
        recent = f"((xmin::text::bigint - {since}) & 4294967295) < {self.done.seen.next - since}"
        ((total, written),) = self.con.execute(
            f"SELECT count(*), count(*) FILTER (WHERE {recent}) FROM {self.relation.qualified}"
        ).fetchall()
        if not written and total == self._count():
            self._index()
            return "same"
        if not self.relation.key:
            return ""
        self._bring(f"WHERE {recent}", over=True)
        if self._count() != total:
            self._delete_gone()
        self._index()
        return "changed" if self._count() == total else ""

    def _bring(self, which: str, *, over: bool) -> None:
        """Insert rows, into an empty table or `over` those of the same key."""
        columns = ", ".join(quote(each.name) for each in self.relation.columns)
        marks = ", ".join("?" * len(self.relation.columns))
        insert = f"INSERT INTO {quote(self.relation.name)} ({columns}) VALUES ({marks})"
        if over:
            written = [
                f"{quote(each.name)} = excluded.{quote(each.name)}"
                for each in self.relation.columns
                if each.name not in self.relation.key
            ]
            what = f"UPDATE SET {', '.join(written)}" if written else "NOTHING"
            insert += f" ON CONFLICT ({', '.join(map(quote, self.relation.key))}) DO {what}"
        for batch in rows(self.con, self.relation, self.relation.columns, which):
            self.lite.executemany(insert, batch)

    def _delete_gone(self) -> None:
        """Delete the rows whose keys are no longer in staging."""
        keys = self.relation.keys
        names = ", ".join(quote(each.name) for each in keys)
        self.lite.execute(f"CREATE TEMP TABLE greynb_keys ({names}, PRIMARY KEY ({names})) WITHOUT ROWID")
        marks = ", ".join("?" * len(keys))
        for batch in rows(self.con, self.relation, keys, ""):
            self.lite.executemany(f"INSERT INTO greynb_keys VALUES ({marks})", batch)
        table = quote(self.relation.name)
        same = " AND ".join(f"k.{quote(each.name)} = {table}.{quote(each.name)}" for each in keys)
        self.lite.execute(
            f"DELETE FROM {table} WHERE NOT EXISTS (SELECT 1 FROM greynb_keys AS k WHERE {same})"
        )
        self.lite.execute("DROP TABLE greynb_keys")

    def _index(self) -> None:
        """Have the indexes that staging has."""
        made = self.lite.execute(
            "SELECT sql, name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
            (self.relation.name,),
        ).fetchall()
        wanted = self.relation.create_indexes
        for sql, name in made:
            if sql not in wanted:
                self.lite.execute(f"DROP INDEX {quote(name)}")
        for sql in wanted:
            if sql not in dict(made):
                self.lite.execute(sql)

    def _count(self) -> int:
        ((number,),) = self.lite.execute(f"SELECT count(*) FROM {quote(self.relation.name)}").fetchall()
        return int(number)


def rows(
    con: psycopg.Connection[Any], relation: Relation, columns: Sequence[ColumnPlan], which: str = ""
) -> Iterator[list[tuple[Any, ...]]]:
    """Read rows as SQLite stores them, in batches.

    Parameters
    ----------
    con
        A connection inside a transaction.
    relation, columns
        The table, and which of its columns.
    which
        A ``WHERE`` or ``ORDER BY``.

    Raises
    ------
    TooExact
        A numeric does not fit its column.
    """
    select = ", ".join(each.select for each in columns)
    with con.cursor(name="greynb_rows") as cursor:
        cursor.execute(f"SELECT {select} FROM {relation.qualified} {which}")
        while batch := cursor.fetchmany(_BATCH):
            by_column = zip(columns, zip(*batch, strict=True), strict=True)
            yield list(zip(*(each.stored(values) for each, values in by_column), strict=True))


def _drop_others(lite: sqlite3.Connection, kept: set[str]) -> None:
    """Drop the tables of the version before that staging no longer has, and the planner's statistics."""
    for (name,) in lite.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        if name not in kept:
            lite.execute(f"DROP TABLE {quote(name)}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
