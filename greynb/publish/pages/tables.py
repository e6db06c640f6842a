"""From changed pages to tables: which rows may differ between two versions of a SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from greynb.databases.copying import mapped
from greynb.databases.sqlite import database_uri
from greynb.errors import DatabaseError
from greynb.publish.pages.btrees import Tree, Walker
from greynb.publish.pages.cells import Leaves, joined
from greynb.publish.pages.compare import PageComparison, PageTotals, compare_pages
from greynb.publish.pages.format import Ints, MalformedFile, PageFile, opened
from greynb.publish.pages.overflow import suspects, touched

Flags = npt.NDArray[np.bool_]
Kind = Literal["same", "ranges", "whole", "added", "dropped"]

_VIRTUAL: Final = "a virtual table: its rows come from other tables"
_WITHOUT_ROWID: Final = "a table without rowids"
_REDEFINED: Final = "its definition changed"


@dataclass(frozen=True, slots=True)
class TableChange:
    """What may differ in one table.

    Attributes
    ----------
    kind
        ``"same"``: no row differs. ``"ranges"``: every row that was inserted, updated or deleted has a rowid
        in `ranges`, beside others that did not change. ``"whole"``: any row may differ, see `reason`.
        ``"added"``, ``"dropped"``: only the new, or only the old file has a table of this name.
    ranges
        Rowids greater than the first and up to the second number of each pair, in order and apart from each
        other. The first may be −2**63 − 1, which SQLite cannot bind: `spans` always can.
    pages
        Pages with rows that differ, in the old and the new file together.
    leaves
        Those pages of a table with `ranges`, from which `spans_of` tells which rows differ.
    """

    name: str
    kind: Kind
    ranges: tuple[tuple[int, int], ...] = ()
    reason: str = ""
    pages: int = 0
    leaves: Leaves | None = field(default=None, compare=False, repr=False)

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """`ranges` with both ends included, as ``BETWEEN`` takes them."""
        return tuple((low + 1, high) for low, high in self.ranges)


@dataclass(frozen=True, slots=True)
class FileChange:
    """What may differ between two files: by table, and in pages; `compared` is None where these cannot be."""

    tables: dict[str, TableChange]
    pages: PageTotals
    compared: PageComparison | None = None


@dataclass(frozen=True, slots=True)
class _Table:
    """A row of ``sqlite_schema``; `root` is 0 for a virtual table."""

    root: int
    sql: str


def changed_tables(old: Path, new: Path) -> dict[str, TableChange]:
    """Say for each table of either file which rows may differ, exactly enough to miss none.

    Finds the changes of any writer, from the pages alone. SQLite's own tables (``sqlite_sequence``,
    ``sqlite_stat1`` …) are left out: they hold no data of the user. A virtual table's shadow tables are
    tables like others.

    Parameters
    ----------
    old, new
        Two still SQLite files in ``journal_mode=DELETE``: published, or private to the caller.

    Raises
    ------
    MalformedFile
        A file is damaged, or not still; then every row must be taken as changed. A `PublishError`.
    """
    return changed_file(old, new).tables


def changed_file(old: Path, new: Path) -> FileChange:
    """`changed_tables`, together with the number of pages that differ."""
    try:
        with opened(old) as before, opened(new) as after:
            tables = _tables(old) if before.pages else {}, _tables(new) if after.pages else {}
            return _changed_file(before, after, *tables)
    except OSError as error:
        raise MalformedFile(f"the file cannot be read ({error.strerror})", path=error.filename) from error


def _changed_file(
    old: PageFile, new: PageFile, before: Mapping[str, _Table], after: Mapping[str, _Table]
) -> FileChange:
    found = {name: TableChange(name, "added") for name in after if name not in before}
    found |= {name: TableChange(name, "dropped") for name in before if name not in after}
    common = [name for name in after if name in before]
    if reason := _incomparable(old, new):
        found |= {name: TableChange(name, "whole", reason=reason) for name in common}
        return FileChange(found, PageTotals(new.pages, new.pages, new.page_size))
    pages = compare_pages(old, new)
    totals = PageTotals(new.pages, pages.changed, new.page_size)
    finder = _Finder(old, new, pages)
    for name in common:
        found[name] = finder.find(name, before[name], after[name])
    changed = any(each.kind != "same" for each in found.values())
    for name in common:
        if not after[name].root and changed:
            found[name] = TableChange(name, "whole", reason=_VIRTUAL)
    return FileChange(found, totals, pages)


def _incomparable(old: PageFile, new: PageFile) -> str:
    """Why no page of one file can be taken for a page of the other; empty where it can."""
    if not old.pages or not new.pages:
        return "one of the files is empty"
    if old.page_size != new.page_size:
        return f"the page size changed from {old.page_size} to {new.page_size}"
    if old.usable != new.usable:
        return "the reserved space of the pages changed"
    if old.encoding != new.encoding:
        return "the text encoding changed"
    return ""


class _Finder:
    """Compares the trees of one table after the other."""

    def __init__(self, old: PageFile, new: PageFile, pages: PageComparison) -> None:
        self._new = new
        self._pages = pages
        self._identical = pages.identical
        if not self._identical:
            self._walkers = Walker(old, pages.old_words), Walker(new, pages.new_words)
            self._suspect = suspects(old, new, pages.same, pages.old_words, pages.new_words)
            self._suspected = bool(self._suspect.any())

    def find(self, name: str, before: _Table, after: _Table) -> TableChange:
        if self._identical:
            return TableChange(name, "same")
        if before.sql != after.sql or bool(before.root) != bool(after.root):
            return TableChange(name, "whole", reason=_REDEFINED)
        if not after.root:
            return TableChange(name, "same")  # until another table turns out to have changed
        old, new = (
            walker.walk(table.root) for walker, table in zip(self._walkers, (before, after), strict=True)
        )
        if old.keyed != new.keyed:
            return TableChange(name, "whole", reason=_REDEFINED)
        gone, come = self._changed(old, new)
        pages = int(np.count_nonzero(gone)) + int(np.count_nonzero(come))
        if not pages:
            return TableChange(name, "same")
        if not new.keyed:
            return TableChange(name, "whole", reason=_WITHOUT_ROWID, pages=pages)
        first = np.concatenate([old.first[gone], new.first[come]])
        last = np.concatenate([old.last[gone], new.last[come]])
        return TableChange(
            name, "ranges", _ranges(first, last), "", pages, self._leaves(old, new, gone, come)
        )

    def _leaves(self, old: Tree, new: Tree, gone: Flags, come: Flags) -> Leaves:
        """The changed leaves, apart by whether they are leaves of the table in both files."""
        was, now = (np.zeros(len(self._pages.same), np.bool_) for _ in (old, new))
        was[old.leaves[gone]] = True
        now[new.leaves[come]] = True
        left, entered = gone & ~now[old.leaves], come & ~was[new.leaves]
        return Leaves(
            np.flatnonzero(was & now),
            np.concatenate([old.first[left], new.first[entered]]),
            np.concatenate([old.last[left], new.last[entered]]),
            self._pages.new_words,
            self._suspect,
        )

    def _changed(self, old: Tree, new: Tree) -> tuple[Flags, Flags]:
        """Which leaves of the old and of the new tree hold rows that differ."""
        same = self._pages.same
        was, now = np.zeros(len(same), np.bool_), np.zeros(len(same), np.bool_)
        was[old.leaves] = True
        now[new.leaves] = True
        kept = same & was & now
        if self._suspected:
            kept[touched(self._new, np.flatnonzero(kept), self._pages.new_words, self._suspect)] = False
        return ~kept[old.leaves], ~kept[new.leaves]


def _ranges(first: Ints, last: Ints) -> tuple[tuple[int, int], ...]:
    """Ranges in order, those that touch as one."""
    begins, ends = joined(first, last, 1)
    return tuple((begin - 1, end) for begin, end in zip(begins.tolist(), ends.tolist(), strict=True))


def _tables(path: Path) -> dict[str, _Table]:
    """The tables in a still file; neither views nor SQLite's own tables."""
    try:
        uri = database_uri(path.absolute(), "ro&immutable=1")
        with mapped(path), closing(sqlite3.connect(uri, uri=True)) as con:
            rows = con.execute(
                "SELECT name, coalesce(rootpage, 0), coalesce(sql, '') FROM sqlite_schema"
                " WHERE type = 'table' AND name NOT LIKE 'sqlite|_%' ESCAPE '|' ORDER BY name"
            ).fetchall()
        return {str(name): _Table(int(root), str(sql)) for name, root, sql in rows}
    except DatabaseError as error:
        raise MalformedFile(error.message, path=path) from error
    except ValueError as error:  # a name that is not valid UTF-8, a root page that is no number
        raise MalformedFile("the schema is damaged", path=path) from error
