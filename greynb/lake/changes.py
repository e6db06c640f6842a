"""What changed between two versions of a lake: counted per table, and the rows themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from greynb.databases.identifiers import fold, quote
from greynb.databases.relations import first_line, stop_if_interrupted
from greynb.errors import PublishError
from greynb.lake.contents import LakeContents, read_contents
from greynb.lake.rowsums import columns_of
from greynb.lake.silence import connected
from greynb.lake.snapshots import LakeSnapshot, named, snapshots, table_at, tables_at
from greynb.lake.storage import trouble
from greynb.publish.changeset import Changes, Event, SchemaChange, TableCounts, framed
from greynb.routing import Server

if TYPE_CHECKING:
    import pandas as pd

_KEYLESS = "rows without a key: an update counts as a deletion and an insertion"


def changes(lake: Server, old: str | int | None = None, new: str | int | None = None) -> Changes:
    """Count what changed between two versions of a lake.

    A row is known by the primary key that staging declares, where `greynb.lake.keys` has it for both
    versions, else by its rowid in staging. Rows are compared over the columns that both versions have; values
    of columns whose type differs, as text.

    Parameters
    ----------
    lake
        The lake.
    old, new
        ``"lake-000042"``, ``"42"`` or 42; by default the version before the newest, and the newest.

    Raises
    ------
    DatabaseError
        The lake is not there, has no such version, or cannot be read.
    PublishError
        There are no two versions.
    """
    with _both(lake, old, new) as both:
        found = [both.compared(name) for name in both.names]
        tables = tuple(counts for counts, _ in found)
        schema = tuple(change for _, change in found if change is not None)
        return Changes(both.old.id, both.new.id, tables, schema)


def changed_rows(
    lake: Server,
    table: str,
    old: str | int | None = None,
    new: str | int | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """The rows of one table that differ, before and after.

    Parameters
    ----------
    lake, old, new
        As in `changes`.
    table
        Its name, as the lake spells it.
    limit
        At most so many changed rows.

    Returns
    -------
    DataFrame
        As `greynb.publish.changes.changed_rows` gives, with the values that the lake's types have in Python.

    Raises
    ------
    PublishError
        There is no such table.
    """
    with _both(lake, old, new) as both:
        if table not in both.names:
            raise PublishError(
                f"neither version has a table {table!r}", hint=f"tables: {', '.join(both.names)}"
            )
        pair = both.pair(table)
        return framed(pair.events(both.con, limit), pair.names)


@dataclass(frozen=True, slots=True)
class _Pair:
    """One table in two versions.

    Attributes
    ----------
    was, now
        Queries for its rows; of a version that has no such table, for none.
    columns
        What both versions have, without rowids; and whether the two types are one.
    key
        The columns that tell its rows apart; none where nothing does.
    redefined
        Whether the two have other columns, or other types.
    """

    was: str
    now: str
    columns: Mapping[str, bool]
    key: Sequence[str]
    redefined: bool

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns)

    def counts(self, con: duckdb.DuckDBPyConnection) -> tuple[int, int, int]:
        """Inserted, updated and deleted rows."""
        if not self.key:
            come, gone = (
                con.execute(f"SELECT count(*) FROM ({rows})").fetchall()[0][0]
                for rows in (self._only(self.now, self.was), self._only(self.was, self.now))
            )
            return come, 0, gone
        k = quote(self.key[0])
        ((inserted, updated, deleted),) = con.execute(
            f"SELECT count(*) FILTER (w.{k} IS NULL), count(*) FILTER (w.{k} = n.{k}),"
            f" count(*) FILTER (n.{k} IS NULL) {self._joined()}"
        ).fetchall()
        return inserted, updated, deleted

    def events(self, con: duckdb.DuckDBPyConnection, limit: int | None) -> Iterator[Event]:
        """Each row that differs, before and after; None where it is not there."""
        most = "" if limit is None else f"LIMIT {limit}"
        if not self.key:
            gone = f"SELECT true AS gone, * FROM ({self._only(self.was, self.now)})"
            come = f"SELECT false, * FROM ({self._only(self.now, self.was)})"
            for is_gone, *row in con.execute(f"{gone} UNION ALL {come} ORDER BY ALL {most}").fetchall():
                shown = tuple(row[: len(self.columns)])
                yield (shown, None) if is_gone else (None, shown)
            return
        k, width = quote(self.key[0]), len(self.columns)
        asked = ", ".join(
            [f"w.{k} IS NULL", f"n.{k} IS NULL", *(f"{side}.{quote(c)}" for side in "wn" for c in self.names)]
        )
        order = ", ".join(f"coalesce(w.{each}, n.{each})" for each in map(quote, self.key))
        for no_was, no_now, *row in con.execute(
            f"SELECT {asked} {self._joined()} ORDER BY {order} {most}"
        ).fetchall():
            yield None if no_was else tuple(row[:width]), None if no_now else tuple(row[width:])

    def _joined(self) -> str:
        k = quote(self.key[0])
        same = " AND ".join(f"w.{each} = n.{each}" for each in map(quote, self.key))
        differ = [
            f"w.{quote(name)} IS DISTINCT FROM n.{quote(name)}"
            if alike
            else f"CAST(w.{quote(name)} AS VARCHAR) IS DISTINCT FROM CAST(n.{quote(name)} AS VARCHAR)"
            for name, alike in self.columns.items()
        ]
        where = " OR ".join([f"w.{k} IS NULL", f"n.{k} IS NULL", *differ])
        return f"FROM ({self.was}) AS w FULL JOIN ({self.now}) AS n ON {same} WHERE {where}"

    def _only(self, one: str, other: str) -> str:
        chosen = ", ".join(
            quote(name) if alike else f"CAST({quote(name)} AS VARCHAR) AS {quote(name)}"
            for name, alike in self.columns.items()
        )
        chosen = chosen or "NULL"
        return f"SELECT {chosen} FROM ({one}) EXCEPT ALL SELECT {chosen} FROM ({other})"


@dataclass(frozen=True, slots=True)
class _Both:
    """Two versions of an attached lake."""

    con: duckdb.DuckDBPyConnection
    old: LakeSnapshot
    new: LakeSnapshot
    had: LakeContents
    has: LakeContents
    before: frozenset[str]
    after: frozenset[str]

    @property
    def names(self) -> list[str]:
        """The tables of either."""
        return sorted(self.before | self.after)

    def compared(self, name: str) -> tuple[TableCounts, SchemaChange | None]:
        """What changed in a table, and of it."""
        total = self.has.sums.get(name)
        if total is not None and total == self.had.sums.get(name):
            return TableCounts(name, "same"), None
        pair = self.pair(name)
        counts = pair.counts(self.con)
        for there, change in ((self.before, "added"), (self.after, "dropped")):
            if name not in there:
                return TableCounts(name, change, *counts), SchemaChange("table", name, change)
        found = TableCounts(name, "whole", *counts, "" if pair.key else _KEYLESS)
        redefined = SchemaChange("table", name, "changed") if pair.redefined else None
        return found if found.changed else TableCounts(name, "same"), redefined

    def pair(self, name: str) -> _Pair:
        """A table as both versions have it."""
        was, now = (f"FROM {table_at(name, each.number)}" for each in (self.old, self.new))
        if name not in self.before:
            was = f"{now} WHERE false"
        if name not in self.after:
            now = f"{was} WHERE false"
        here, there = (columns_of(self.con, f"({each})") for each in (was, now))
        types = {fold(column): kind for column, kind in here}
        rowids = self._rowids(name)
        columns = {
            column: types[fold(column)] == kind
            for column, kind in there
            if fold(column) in types and column not in rowids
        }
        return _Pair(was, now, columns, self._declared(name, columns) or rowids, here != there)

    def _rowids(self, name: str) -> list[str]:
        """The column of rowids, where all versions that have the table have one of this name."""
        known = [
            dict(zip(each.shown.values(), each.tables.values(), strict=True)).get(name)
            for each, there in ((self.had, self.before), (self.has, self.after))
            if name in there
        ]
        keys = {each.key if each is not None else None for each in known}
        return [key for key in keys if key is not None] if len(keys) == 1 else []

    def _declared(self, name: str, columns: Mapping[str, bool]) -> Sequence[str]:
        """The primary key that all versions that have the table declare, if its columns are in both alike."""
        (key, *others) = (
            each.keys.get(name, ())
            for each, there in ((self.had, self.before), (self.has, self.after))
            if name in there
        )
        alike = all(other == key for other in others) and all(map(columns.get, key))
        return key if alike else ()


@contextmanager
def _both(lake: Server, old: str | int | None, new: str | int | None) -> Iterator[_Both]:
    with connected(lake) as con:
        try:
            before, after = _chosen(snapshots(con, lake), lake, old, new)
            had, has = (read_contents(con, each.number) or LakeContents({}) for each in (before, after))
            names = (frozenset(tables_at(con, each.number)) for each in (before, after))
            yield _Both(con, before, after, had, has, *names)
        except duckdb.Error as error:
            stop_if_interrupted(error)
            raise trouble(error, lake) or PublishError(
                f"the versions cannot be compared ({first_line(error)})", path=lake.name
            ) from error


def _chosen(
    found: list[LakeSnapshot], lake: Server, old: str | int | None, new: str | int | None
) -> tuple[LakeSnapshot, LakeSnapshot]:
    """The snapshots of two versions, the newest of each."""
    published = [each for each in found if each.version is not None]
    if not published:
        raise PublishError("analytics is no published version", path=lake.name, hint="run `greynb sync`")
    after = published[0] if new is None else named(found, str(new).strip(), lake)
    if old is not None:
        return named(found, str(old).strip(), lake), after
    for each in published:
        if each.number < after.number and each.id != after.id:
            return each, after
    names = ", ".join(dict.fromkeys(each.id for each in published))
    raise PublishError(f"there is no version before {after.id}", path=lake.name, hint=f"versions: {names}")
