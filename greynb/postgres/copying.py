"""A PostgreSQL snapshot written to a SQLite file: all of it, or onto the version before only what changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from greynb.databases.identifiers import quote
from greynb.errors import PublishError
from greynb.postgres.columns import TooExact
from greynb.postgres.relations import Relation, with_views
from greynb.postgres.rows import rows
from greynb.postgres.snapshot import ServerLook, look
from greynb.postgres.views import make_views

if TYPE_CHECKING:
    import psycopg

Told = Callable[[float], None]
_SHOWN: Final = 5
_WITHOUT_VIEWS: Final = "views that SQLite might read in another way are not published: {}"
_WITHOUT_CONSTRAINTS: Final = "what staging demands of its rows and the published file does not: {}"
_HIDDEN: Final = "row policies of PostgreSQL may hide rows of these tables from the user that publishes: {}"
_AS_TEXT: Final = "{}.{} has numbers of more than 15 digits, so it is published as text"


@dataclass(slots=True)
class Copied:
    """What was copied, for the manifest of the version.

    Attributes
    ----------
    seen
        What the transaction saw.
    tables
        By name: what it is (`Relation.identity`), its numeric columns that are text, and the CHECKs and
        unique indexes that SQLite did not bear.
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
    if con.execute("SELECT current_schema()").fetchall() == [(None,)]:
        raise PublishError(
            "none of the schemas on the search path is there, so no table would be published",
            hint="?options=-csearch_path%3Dschema at the end of the address sets the path",
        )
    known = {name: tuple(each.get("exact", ())) for name, each in (before.tables if before else {}).items()}
    found, views = with_views(con, known)
    with closing(sqlite3.connect(database, isolation_level=None)) as lite:
        # What a crash leaves of the file is swept. The journal takes back a statement that fails.
        lite.executescript("PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; BEGIN")
        _drop_others(lite, {each.name for each in found})
        copied = []
        for number, relation in enumerate(found):
            told(number / len(found))
            try:
                copied.append(_Table(con, lite, relation, done, before).copy())
            except sqlite3.Error as error:
                raise PublishError(f"table {relation.name} cannot be stored in SQLite: {error}") from error
        without = make_views(lite, views, {each.name: each.kinds for each in copied})
        done.notices += _left_out(copied, without)
        lite.execute("COMMIT")
    told(1.0)
    return done


@dataclass(slots=True)
class _Table:
    con: psycopg.Connection[Any]
    lite: sqlite3.Connection
    relation: Relation
    done: Copied
    before: Before | None
    _unborne: list[str] = field(default_factory=list)

    def copy(self) -> Relation:
        """Bring one table up to date, or write it anew; gives it as it is then."""
        name = self.relation.name
        known = self.before.tables.get(name, {}) if self.before else {}
        self._unborne = [str(each) for each in known.get("unborne", ())]
        for each in self._unborne:
            self.relation = self.relation.without(each)
        try:
            kept = self._carried_on()
        except (TooExact, sqlite3.IntegrityError):
            kept = ""  # it is found again, and then the column is text, or the CHECK is left out
        if not kept:
            self._write()
        getattr(self.done, kept or "whole").append(name)
        exact = sorted(self.relation.exact)
        self.done.tables[name] = {
            "identity": self.relation.identity,
            "exact": exact,
            "unborne": self._unborne,
        }
        self.done.notices += [_AS_TEXT.format(name, column) for column in exact]
        return self.relation

    def _write(self) -> None:
        """Write the whole table; once more where a number needs its column to be text."""
        name = quote(self.relation.name)
        while True:
            self.lite.execute(f"DROP TABLE IF EXISTS {name}")
            self.lite.execute(self.relation.create)
            order = ", ".join(map(quote, self.relation.key))
            try:
                self._bring(f"ORDER BY {order}" if order else "", over=False)
                self._index()
            except TooExact as error:
                self.relation = self.relation.with_text(*error.args)
            except sqlite3.IntegrityError as error:
                self._leave_out(error)
            else:
                return

    def _leave_out(self, error: sqlite3.IntegrityError) -> None:
        """Do without the CHECK that rows of PostgreSQL do not fulfil here; any other fault is raised."""
        name = str(error).removeprefix("CHECK constraint failed: ")
        if name not in self.relation.constraints.checks:
            raise error
        self.relation = self.relation.without(name)
        self._unborne.append(name)

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
        try:
            self._bring(f"WHERE {recent}", over=True)
        except sqlite3.IntegrityError:
            # Rows that change places, or follow one that goes, are in each other's way for a moment.
            self._drop_unique()
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
        wanted = self.relation.create_indexes
        made = self._indexes()
        for name in made:
            if made[name] != wanted.get(name):
                self.lite.execute(f"DROP INDEX {quote(name)}")
        for name, sql in wanted.items():
            if made.get(name) == sql:
                continue
            try:
                self.lite.execute(sql)
            except sqlite3.IntegrityError:
                # Values that differ in PostgreSQL may be one text here, such as arrays of other bounds.
                self.relation = self.relation.without(name)
                self._unborne.append(name)
                self.lite.execute(self.relation.create_indexes[name])

    def _drop_unique(self) -> None:
        """Drop what lets no value come twice, but for the key."""
        for name in self._indexes().keys() & self.relation.unique:
            self.lite.execute(f"DROP INDEX {quote(name)}")

    def _indexes(self) -> dict[str, str]:
        """The statements that made the indexes that are there, by name."""
        sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
        return dict(self.lite.execute(sql, (self.relation.name,)).fetchall())

    def _count(self) -> int:
        ((number,),) = self.lite.execute(f"SELECT count(*) FROM {quote(self.relation.name)}").fetchall()
        return int(number)


def _drop_others(lite: sqlite3.Connection, kept: set[str]) -> None:
    """Drop the tables of the version before that staging no longer has, and the planner's statistics."""
    for (name,) in lite.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        if name not in kept:
            lite.execute(f"DROP TABLE {quote(name)}")


def _left_out(copied: Sequence[Relation], views: Sequence[str]) -> list[str]:
    """Name the views and constraints that the file does not have, and tables that may lack rows."""
    others = [f"{each.name}.{other}" for each in copied for other in each.constraints.others]
    hidden = [each.name for each in copied if each.hides]
    said = ((_WITHOUT_VIEWS, views), (_WITHOUT_CONSTRAINTS, others), (_HIDDEN, hidden))
    return [words.format(_listed(names)) for words, names in said if names]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
