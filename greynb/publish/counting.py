"""The census of a new version: of what is the same it is kept, of what differs in places it is carried on."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain

from greynb.databases.census import Run, TableCensus, count
from greynb.databases.identifiers import quote
from greynb.databases.relations import list_relations, same_columns
from greynb.publish.comparing import Comparison
from greynb.publish.recount import recount
from greynb.publish.rowsums import RowSums


class Counting:
    """Counts what tables and views hold.

    Parameters
    ----------
    con, old
        The new version, and the one before where something can be taken over from it.
    comparison
        Of the two.
    """

    def __init__(
        self, con: sqlite3.Connection, old: sqlite3.Connection | None, comparison: Comparison
    ) -> None:
        self._con = con
        self._old = old
        self._changes = (comparison.changes or {}) if old else {}
        manifest = comparison.manifest
        self._before = (manifest.tables() or {}) if manifest else {}
        self._listed = list_relations(running(con))

    def each(self, moved: Mapping[str, RowSums], tables: Iterable[str]) -> Iterator[tuple[str, TableCensus]]:
        """Count each table, and then each view.

        Parameters
        ----------
        moved
            Where tables differ, for each of `tables` when it is its turn, as far as it is known.
        tables
            The names of all tables.
        """
        run = running(self._con)
        kept = self.same()
        kept |= self.unmoved_views(kept)
        for name in chain(tables, self._views):  # one after the other, as they come
            listed = self._listed[name]
            if name in kept:
                yield name, self._kept(name, listed, run)
            else:
                yield name, self._counted(name, listed, run, moved.get(name))

    def same(self) -> set[str]:
        """The tables whose rows are the same."""
        return {name for name, each in self._changes.items() if each.kind == "same"}

    def unmoved_views(self, same: set[str]) -> set[str]:
        """The views whose rows are the same; none where any is defined otherwise, which others may read."""
        if self._old is None or not self._changes or _definitions(self._old) != _definitions(self._con):
            return set()
        return {name for name in self._views if self._unmoved(name, same)}

    @property
    def _views(self) -> list[str]:
        return [name for name, each in self._listed.items() if each.kind == "view"]

    def _kept(self, name: str, listed: TableCensus, run: Run) -> TableCensus:
        before = self._before.get(name)
        same = before is not None and same_columns(before, listed)
        return before if before is not None and same else count(run, listed)

    def _counted(self, name: str, listed: TableCensus, run: Run, moved: RowSums | None) -> TableCensus:
        change, before = self._changes.get(name), self._before.get(name)
        found = None
        if self._old is not None and before is not None and change is not None and change.kind == "ranges":
            spans = moved.spans if moved else change.spans
            found = recount(self._old, self._con, before, listed, spans)
        return found or count(run, listed)

    def _unmoved(self, view: str, same: Collection[str]) -> bool:
        """Whether a view reads nothing but tables that are the same, and other views."""
        if view not in self._before or self._before[view].problem:
            return False
        read = _read_by(self._con, view)
        return read is not None and read <= {*same, *self._views}


def running(con: sqlite3.Connection) -> Run:
    """What runs a statement on a connection and gives its rows."""
    return lambda sql: con.execute(sql).fetchall()


def _definitions(con: sqlite3.Connection) -> list[tuple[str, str]]:
    """The views of a file, as they are defined."""
    return con.execute(
        "SELECT hex(name), hex(sql) FROM sqlite_schema WHERE type = 'view' ORDER BY 1"
    ).fetchall()


def _read_by(con: sqlite3.Connection, view: str) -> set[str] | None:
    """The tables and views that reading a view touches, as SQLite's authorizer is asked; None if unknown."""
    found: set[str] = set()

    def note(action: int, name: str | None, _b: str | None, _c: str | None, _d: str | None) -> int:
        if action == sqlite3.SQLITE_READ and name:
            found.add(name)
        return sqlite3.SQLITE_OK

    con.set_authorizer(note)
    try:
        con.execute(f"EXPLAIN SELECT * FROM main.{quote(view)}").fetchall()
    except sqlite3.Error:
        return None
    finally:
        con.set_authorizer(None)
    return found
