"""Tables of a SQLite file made in PostgreSQL, filled and compared, all in one transaction of the caller."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.identifiers import quote
from greynb.errors import DatabaseError, UsageError
from greynb.migration.servers.batches import batches
from greynb.migration.servers.census import Held
from greynb.migration.servers.comparing import check_rows, same_view
from greynb.migration.servers.definitions import PLAIN, computed, create, extras, too_long
from greynb.migration.servers.parts import Extra, Left
from greynb.migration.servers.sqliteschema import Schema, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from greynb.publish.steps import Told

_THERE: Final = """
    SELECT relname, relkind FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relname = ANY(%s) ORDER BY relname
"""
_KINDS: Final = {"v": "a view", "m": "a view", "i": "an index", "S": "a sequence"}
_HIDDEN: Final = """
    SELECT name FROM unnest(%s::text[]) name
    WHERE NOT pg_table_is_visible(format('%%I.%%I', current_schema(), name)::regclass)
"""


@dataclass(slots=True)
class Making:
    """A migration into one database, step by step.

    Attributes
    ----------
    con
        Inside a transaction; see `session.writing`.
    schema, held
        What is to be made.
    lefts
        What could not be.
    computed
        The columns that PostgreSQL computes, by table.
    """

    con: psycopg.Connection[Any]
    schema: Schema
    held: Held
    lefts: list[Left] = field(default_factory=list)
    computed: dict[str, dict[str, str]] = field(default_factory=dict)

    def tables(self) -> None:
        """Make the tables, without rows.

        Raises
        ------
        UsageError
            PostgreSQL cannot hold what is there, or has relations of these names already.
        """
        refusals = [*too_long(self.schema), *self.held.refusals]
        if refusals:
            raise refused(refusals)
        self._check_free()
        for table in self.schema.tables:
            self.computed[table.name] = computed(table, self.held.columns[table.name], self.lefts)
            try:
                self._table(table)
            except Refused as error:
                refusals.append(f"{table.name}: {error}")
        if refusals:
            raise refused(refusals)
        for (name,) in self.con.execute(_HIDDEN, ([each.name for each in self.schema.tables],)):
            refusals.append(f"{name}: PostgreSQL has a table of its own of this name")
        if refusals:
            raise refused(refusals)

    def rows(self, lite: sqlite3.Connection, told: Told) -> None:
        """Copy all rows by COPY; raises `psycopg.Error`."""
        total = sum(self.held.rows.values()) + 1
        done = 0
        for table in self.schema.tables:
            for number in self._copy(lite, table):
                done += number
                told(done / total)

    def rest(self, lite: sqlite3.Connection | None, told: Told = lambda _: None) -> None:
        """Make keys, indexes, constraints, defaults and views, as far as PostgreSQL accepts them.

        Parameters
        ----------
        lite
            The file, to compare what views give; None where there are no rows yet.
        told
            Told the part done.

        Raises
        ------
        DatabaseError
            A key cannot be made.
        """
        made = extras(self.schema, self.held, self.lefts)
        for number, each in enumerate(made):
            told(number / len(made))
            try:
                with self._attempt():
                    self.con.execute(each.sql)
                    if each.kind == "view" and lite is not None and not same_view(self.con, lite, each.name):
                        raise Refused("it gives other rows there")
            except Refused as error:
                self._missed(each, error)
        self._counters(lite)

    def compare(self, content: Mapping[str, str | None], told: Told) -> None:
        """Read all rows back, and compare them with what was copied; raises `DatabaseError`."""
        check_rows(self.con, self.schema, self.held, content, told)

    def _check_free(self) -> None:
        names = [each.name for each in self.schema.tables] + list(self.schema.views)
        names += [index.name for each in self.schema.tables for index in each.indexes if index.name]
        if self.con.execute("SELECT current_schema()").fetchall() == [(None,)]:
            raise UsageError("none of the schemas on the search path is there", hint="CREATE SCHEMA public")
        found = self.con.execute(_THERE, (names,)).fetchall()
        if found:
            raise occupied([self._there(name, kind) for name, kind in found])

    def _there(self, name: str, kind: str) -> str:
        if kind not in "rp":
            return f"{name} ({_KINDS.get(kind, 'something else')})"
        ((filled,),) = self.con.execute(f"SELECT EXISTS (SELECT FROM {quote(name)})").fetchall()
        return f"{name} (a table {'with rows' if filled else 'without rows'})"

    def _table(self, table: Table) -> None:
        kept = self.held.columns[table.name]
        expressions = self.computed[table.name]
        try:
            with self._attempt():
                self.con.execute(create(table, kept, expressions))
        except Refused as error:
            if not expressions:
                raise
            names = ", ".join(f"{table.name}.{each}" for each in expressions)
            self.lefts.append(Left(f"{names} is computed", f"{error}; {PLAIN}"))
            self.computed[table.name] = {}
            with self._attempt():
                self.con.execute(create(table, kept, {}))

    def _copy(self, lite: sqlite3.Connection, table: Table) -> Iterator[int]:
        columns = [
            each for each in self.held.columns[table.name] if each.name not in self.computed[table.name]
        ]
        names = ", ".join(quote(each.name) for each in columns)
        cursor = lite.execute(f"SELECT {names} FROM main.{quote(table.name)}")
        copied = f"COPY {quote(table.name)} ({names}) FROM STDIN"
        with self.con.cursor() as target, target.copy(copied) as copy:
            for batch in batches(cursor.fetchmany):
                by_column = zip(columns, zip(*batch, strict=True), strict=True)
                for row in zip(*(each.sent(values) for each, values in by_column), strict=True):
                    copy.write_row(row)
                yield len(batch)
        self.con.execute(f"ANALYZE {quote(table.name)}")

    def _missed(self, extra: Extra, error: Refused) -> None:
        if extra.kind == "key":
            raise DatabaseError(f"{extra.what} cannot be made in PostgreSQL: {error}")
        self.lefts.append(Left(extra.what, str(error)))

    def _counters(self, lite: sqlite3.Connection | None) -> None:
        """Let columns that count by themselves go on behind the greatest number."""
        for table in self.schema.tables if lite is not None else ():
            if table.rowid is None or lite is None:
                continue
            column, name = quote(table.rowid), quote(table.name)
            ((last,),) = lite.execute(f"SELECT max({column}) FROM main.{name}").fetchall()
            last = max(last or 0, self.schema.counters.get(table.name, 0))
            if last > 0:
                self.con.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, %s), %s)", (name, table.rowid, last)
                )

    @contextmanager
    def _attempt(self) -> Iterator[None]:
        """A part of the transaction that PostgreSQL may refuse; raises `Refused`."""
        import psycopg
        from psycopg import errors

        self.con.execute("SAVEPOINT part")
        try:
            yield
        except Refused:
            self.con.execute("ROLLBACK TO SAVEPOINT part")
            raise
        except psycopg.Error as error:
            of_the_server = errors.LockNotAvailable, errors.QueryCanceled, errors.DiskFull, errors.OutOfMemory
            if self.con.closed or isinstance(error, (errors.InsufficientPrivilege, *of_the_server)):
                raise
            self.con.execute("ROLLBACK TO SAVEPOINT part")
            raise Refused(error.diag.message_primary or str(error)) from error
        self.con.execute("RELEASE SAVEPOINT part")


class Refused(Exception):
    """PostgreSQL does not take a part; the argument says why."""


def occupied(found: Sequence[str]) -> UsageError:
    """The error for relations of these names that the database has already."""
    more = f"\nand {len(found) - 10} more" if len(found) > 10 else ""
    return UsageError(
        "the database has these already, and would have to be empty of them",
        detail="\n".join(found[:10]) + more,
        hint="choose another database (createdb makes one), or drop them there",
    )


def refused(refusals: Sequence[str]) -> UsageError:
    """The error for what PostgreSQL cannot hold."""
    more = f"\nand {len(refusals) - 20} more" if len(refusals) > 20 else ""
    return UsageError(
        "PostgreSQL cannot hold all that is in the file, and nothing was written",
        detail="\n".join(refusals[:20]) + more,
        hint="change these in the file first: values of one kind in a column, names of up to 63 bytes",
    )
