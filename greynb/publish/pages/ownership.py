"""Which tables are to be checked for damage, where the version before is known to have none.

In a sound file each page belongs to one b-tree, to one row's overflow chain or to the list of free pages, and
to nothing else. A tree all of whose pages hold the same bytes as before is sound as before. What a check of
the other trees does not tell is whether a page is claimed twice or by nobody. That is counted here, over the
whole file, without reading the rows that are the same: in the version before, their overflow pages are those
that are left when all other claims are taken off, and where these hold the same bytes, the rows claim them
still.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from greynb.databases.sqlite import database_uri
from greynb.publish.pages.btrees import Walker
from greynb.publish.pages.compare import PageComparison, Words
from greynb.publish.pages.format import (
    TABLE_INTERIOR,
    Ints,
    MalformedFile,
    PageFile,
    fill,
    numbers_at,
    opened,
)
from greynb.publish.pages.overflow import heads

Flags = npt.NDArray[np.bool_]

MOSTLY: Final = 0.5
"""The part of a file from which checking the whole of it is as quick."""


class _Object(NamedTuple):
    """A row of ``sqlite_schema`` with a b-tree."""

    kind: str
    name: str
    table: str
    root: int
    sql: str | None


_SCHEMA: Final = _Object("table", "sqlite_schema", "sqlite_schema", 1, None)


def to_check(old: Path, new: Path, pages: PageComparison, mostly: float = MOSTLY) -> set[str] | None:
    """The tables that a check of the new file cannot leave out; None where it has to be of the whole file.

    Parameters
    ----------
    old
        A still file without damage.
    new
        A still file.
    pages
        Their comparison.
    mostly
        The part of the new file that the tables may have.
    """
    try:
        with opened(old) as before, opened(new) as after:
            # Pointer maps tell of the pages of other trees; and nothing else checks the settings.
            if after.auto_vacuum or _settings(before) != _settings(after):
                return None
            now = _Claims(after, pages.new_words)
            # Known before all claims are counted, which would be for nothing where most is to be checked.
            if now.size_of(now.unlike(pages.same)) > mostly * after.pages:
                return None
            found = _unlike(_Claims(before, pages.old_words), now, pages.same)
    except (MalformedFile, sqlite3.Error):
        return None
    return None if found is None or now.size_of(found) > mostly * after.pages else found


def _settings(file: PageFile) -> bytes:
    """What the header of a file says of how the others of its bytes are to be read."""
    head = bytearray(100)
    file.file.seek(0)
    fill(file.file, memoryview(head), file.path)
    return bytes(head[16:24] + head[44:60] + head[64:68] + head[72:92])


def _unlike(old: _Claims, new: _Claims, same: Flags) -> set[str] | None:
    """The tables with a tree that is not as it was; None unless each page is claimed exactly once."""
    was, now = old.in_trees(len(same)), new.in_trees(len(same))
    kept = same & was & now
    # Overflow pages of rows on pages that are kept, as the version before has them.
    rest = old.all(len(same)) & ~was
    rest[old.free()] = False
    rest[old.chains(np.flatnonzero(was & ~kept))] = False
    if not same[rest].all():
        return None
    claims = rest.astype(np.int64) + now
    for pages in (new.free(), new.chains(np.flatnonzero(now & ~kept))):
        np.add.at(claims, pages, 1)
    if (claims != new.all(len(same))).any():
        return None
    return new.unlike(same) | {each.table for each in new.trees if each not in old.trees}


class _Claims:
    """What claims the pages of one file: the pages of each tree, and the others on request."""

    def __init__(self, file: PageFile, words: Words) -> None:
        self.file = file
        self._words = words.copy()
        self._words[1] = int(file.read(np.array([1]))[0, 0]) << 24  # the kind of a page, as in all others
        walker = Walker(file, self._words)
        self.trees: Mapping[_Object, Ints] = {
            each: walker.walk(each.root).pages for each in _objects(file.path)
        }

    def unlike(self, same: Flags) -> set[str]:
        """The tables with a page that is not as it was, and the schema."""
        return {_SCHEMA.table, *(each.table for each, tree in self.trees.items() if not same[tree].all())}

    def size_of(self, tables: set[str]) -> int:
        """The pages of tables and their indexes."""
        return sum(len(tree) for each, tree in self.trees.items() if each.table in tables)

    def all(self, size: int) -> Flags:
        """The pages that are to be claimed."""
        found = np.zeros(size, np.bool_)
        found[1 : self.file.pages + 1] = True
        found[self.file.lock_page : self.file.lock_page + 1] = False
        return found

    def in_trees(self, size: int) -> Flags:
        found = np.zeros(size, np.bool_)
        for tree in self.trees.values():
            found[tree] = True
        return found

    def free(self) -> Ints:
        """The pages of the list of free ones, as often as they are on it."""
        head = bytearray(8)
        self.file.file.seek(32)
        fill(self.file.file, memoryview(head), self.file.path)
        trunk, count = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
        found = [np.empty(0, np.int64)]
        for _ in range(self.file.pages):
            if not trunk:
                break
            self._check([*found[-1:], np.array([trunk])])
            page = self.file.read(np.array([trunk]))[0]
            following, leaves = (int(numbers_at(page, np.array([at]), 4)[0]) for at in (0, 4))
            if leaves > self.file.usable // 4 - 2:
                raise MalformedFile("a list of free pages is too long", path=self.file.path)
            found.append(np.append(trunk, numbers_at(page, 8 + 4 * np.arange(leaves), 4)))
            trunk = following
        self._check(found)
        free = np.concatenate(found)
        if trunk or len(free) != count:
            raise MalformedFile("the free pages are not as many as the header says", path=self.file.path)
        return free

    def chains(self, pages: Ints) -> Ints:
        """The overflow pages of rows on these pages of trees, as often as rows lead to them."""
        found = [np.empty(0, np.int64)]
        for some in self.file.chunks_of(pages):
            kinds = self._words[some] >> 24
            for kind in set(kinds.tolist()) - {TABLE_INTERIOR}:
                at, steps = heads(self.file, some[kinds == kind], kind)[1], 0
                while len(at):
                    steps += 1
                    self._check([at])
                    if steps > self.file.pages:
                        raise MalformedFile("a row's pages lead in circles", path=self.file.path)
                    found.append(at)
                    at = self._words[at].astype(np.int64)
                    at = at[at != 0]
        return np.concatenate(found)

    def _check(self, parts: Iterable[Ints]) -> None:
        for each in parts:
            if len(each) and (each.min() < 2 or each.max() > self.file.pages):
                raise MalformedFile("a page outside of the file is used", path=self.file.path)


def _objects(path: Path) -> list[_Object]:
    """What has a b-tree in a still file."""
    with closing(sqlite3.connect(database_uri(path.absolute(), "ro&immutable=1"), uri=True)) as con:
        found = con.execute(
            "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE rootpage > 0"
        ).fetchall()
    return [_SCHEMA, *(_Object(*each) for each in found)]
