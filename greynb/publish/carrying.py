"""Census, content hashes and mirror of a new version: carried on from the one before, or made anew.

===========================  =====================================================================
a table whose pages          gets
===========================  =====================================================================
are the same                 the numbers of the version before
differ in ranges of rowids   those, less the rows that went, with the rows that came
differ as a whole            new ones
===========================  =====================================================================
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from greynb.databases.census import TableCensus, count
from greynb.databases.relations import list_relations
from greynb.mirror.refreshing import Changed
from greynb.publish import mirrors
from greynb.publish.aside import Aside
from greynb.publish.checking import watched
from greynb.publish.comparing import Comparison, still
from greynb.publish.content import Content, content_of
from greynb.publish.counting import Counting, running
from greynb.publish.result import TableResult
from greynb.publish.rowsums import RowSums, Spans, row_sums, rowid_name
from greynb.publish.steps import Steps

if TYPE_CHECKING:
    from greynb.publish.pages import TableChange

SAME: Final = RowSums()


@dataclass(frozen=True, slots=True)
class Carried:
    """What a version holds, by name of table."""

    census: dict[str, TableCensus] = field(default_factory=dict)
    content: dict[str, str | None] = field(default_factory=dict)
    tables: dict[str, TableResult] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    mirror_sha256: str = ""


def carried_on(
    con: sqlite3.Connection,
    database: Path,
    comparison: Comparison,
    steps: Steps,
    aside: Aside,
    *,
    mirrored: bool,
) -> Carried:
    """Take the census and the hashes, and make the mirror, as little anew as possible.

    Parameters
    ----------
    con, database
        An open connection to the new version, and its file, which nobody writes to.
    comparison
        Of the new version with the one before.
    steps
        Where time is noted.
    aside
        Mirrors, or counts, on another thread what is hashed on this one, where neither is carried on.
    mirrored
        Whether to make a mirror.

    Raises
    ------
    sqlite3.Error
        A file cannot be read.
    """
    with ExitStack() as stack:
        old = None
        if comparison.previous is not None:
            old = stack.enter_context(closing(still(comparison.previous.database)))
            old.text_factory = con.text_factory
        work = _Work(con, old, comparison)
        anew = mirrored and old is None
        name, task = ("mirror", work.mirror_anew) if anew else ("census", work.count_beside)
        beside = aside.begin(name, partial(task, database))
        with steps.step("content") as told, watched(con, told):
            work.hash_all(told)
        beside()
        if mirrored and not anew:
            with steps.step("mirror") as told:
                work.mirror_changes(database, told)
    return Carried(work.census, work.content, work.results(), work.notices, work.mirror_sha256)


class _Work:
    def __init__(
        self, con: sqlite3.Connection, old: sqlite3.Connection | None, comparison: Comparison
    ) -> None:
        self._con = con
        self._old = old
        self._comparison = comparison
        self._changes: Mapping[str, TableChange] = comparison.changes or {} if old else {}
        manifest = comparison.manifest
        self._before = (manifest.tables() or {}) if manifest else {}
        self._hashes = manifest.content if manifest else {}
        self._listed = list_relations(running(con))
        self._moved: dict[str, RowSums] = {}
        self.census: dict[str, TableCensus] = {}
        self.content: dict[str, str | None] = {}
        self.notices: tuple[str, ...] = ()
        self.mirror_sha256 = ""
        # The largest first, so that little is left to count when all is hashed; None at the end.
        tables = [each for each in self._listed.values() if each.kind != "view"]
        self._tables = sorted((each.name for each in tables), key=self._rows_before, reverse=True)
        self._hashed: SimpleQueue[str | None] = SimpleQueue()

    def _rows_before(self, name: str) -> int:
        return (self._before[name].rows or 0) if name in self._before else 0

    def hash_all(self, told: Callable[[float], None]) -> None:
        try:
            for number, name in enumerate(self._tables):

                def part(fraction: float, number: int = number) -> None:
                    told((number + fraction) / len(self._tables))

                part(0.0)
                self.content[name] = self._content(name, part)
                self._hashed.put(name)
        finally:
            self._hashed.put(None)

    def _content(self, name: str, told: Callable[[float], None]) -> str | None:
        before = Content.read(self._hashes.get(name) or "")
        change = self._changes.get(name)
        if before is not None and change is not None and self._old is not None:
            if change.kind == "same":
                self._moved[name] = SAME
                return str(before)
            if change.kind == "ranges" and rowid_name(self._con, name) is not None:
                moved = row_sums(self._old, self._con, name, self._spans(change), told)
                self._moved[name] = moved
                return str(before.changed(moved.inserted - moved.deleted, moved.total))
        try:
            return str(content_of(self._con, name, lambda _rows: told(0.5)))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR:
                raise
            return None  # an unknown collation or module

    def _spans(self, change: TableChange) -> Spans:
        """Where the rows that differ are, as closely as the bytes of the pages tell."""
        from greynb.publish.pages import MalformedFile, spans_of

        files = self._comparison.files
        if files is None or change.leaves is None:
            return change.spans
        try:
            return spans_of(*files, change.leaves)
        except MalformedFile:  # harmless here: each row in the changed pages is read instead
            return change.spans

    def mirror_anew(self, database: Path, told: Callable[[float], None]) -> None:
        """Build the mirror, which counts all on the way."""
        made = mirrors.built(database, told)
        if isinstance(made, str):
            self.notices = (mirrors.WITHOUT.format(made),)
            return self.count_beside(database, told)
        self.mirror_sha256 = made.sha256
        self.census = made.contents.census()
        missed = [each for each in self._listed.values() if _misses(self.census.get(each.name), each)]
        if missed:
            with closing(still(database)) as con, watched(con, told):
                con.text_factory = self._con.text_factory
                self.census |= {each.name: count(running(con), each) for each in missed}

    def mirror_changes(self, database: Path, told: Callable[[float], None]) -> None:
        """Carry the mirror on, once what changed has been found and counted."""
        counting = Counting(self._con, self._old, self._comparison)
        same = counting.same()
        spans = {name: moved.spans for name, moved in self._moved.items() if name not in same}
        changed = Changed(same | counting.unmoved_views(same), spans, self.census)
        made = mirrors.refreshed(database, changed, told)
        if isinstance(made, str):
            self.notices = (mirrors.WITHOUT.format(made),)
        else:
            self.mirror_sha256 = made.sha256

    def count_beside(self, database: Path, told: Callable[[float], None]) -> None:
        """Count each table once it is known where it differs.

        Where nothing is carried on, all of it is counted at once.
        """
        names = iter(self._hashed.get, None) if self._old else iter(self._tables)
        previous = self._comparison.previous
        with ExitStack() as stack:
            con, *others = (
                stack.enter_context(closing(still(each)))
                for each in (database, *([previous.database] if previous else []))
            )
            for each in (con, *others):
                each.text_factory = self._con.text_factory
            stack.enter_context(watched(con, told))
            counting = Counting(con, others[0] if others else None, self._comparison)
            counted = dict(counting.each(self._moved, names))
        self.census = {name: counted[name] for name in self._listed}

    def results(self) -> dict[str, TableResult]:
        """What changed per table, those that are gone included."""
        found = {}
        for name, listed in self.census.items():
            if listed.kind != "view":
                found[name] = self._result(name, None if listed.problem else listed.rows)
        for name, change in self._changes.items():
            if change.kind == "dropped" and name in self._before:
                found[name] = TableResult(None, 0, 0, self._before[name].rows)
        return found

    def _result(self, name: str, rows: int | None) -> TableResult:
        moved = self._moved.get(name)
        if moved is not None:
            return TableResult(rows, moved.inserted, moved.updated, moved.deleted)
        if name in self._changes and self._changes[name].kind == "added":
            return TableResult(rows, rows, 0, 0)
        if self._changes and self._hashes.get(name) == self.content[name] is not None:
            return TableResult(rows, 0, 0, 0)
        return TableResult(rows)


def _misses(found: TableCensus | None, listed: TableCensus) -> bool:
    """Whether a mirror does not say what a table holds; what a view holds may be left open."""
    return listed.kind != "view" and (found is None or found.rows is None)
