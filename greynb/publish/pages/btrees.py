"""Walking the b-trees of a SQLite file level by level, reading interior pages only.

All leaves of one of SQLite's trees are equally deep, so the pages of a level are of one kind, and the kind of
a page (the first byte of it) is known from the comparison of the files. See "B-tree Pages" in
https://www.sqlite.org/fileformat2.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from greynb.publish.pages.format import (
    INDEX_INTERIOR,
    INDEX_LEAF,
    TABLE_INTERIOR,
    TABLE_LEAF,
    Bytes,
    Ints,
    MalformedFile,
    PageFile,
    numbers_at,
    varints_at,
)

FIRST_ROWID: Final = -(1 << 63)
LAST_ROWID: Final = (1 << 63) - 1
_MAX_DEPTH: Final = 60


@dataclass(frozen=True, slots=True)
class Tree:
    """The pages of one table.

    Attributes
    ----------
    keyed
        Whether it is a rowid table; else its rows lie in an index b-tree (``WITHOUT ROWID``).
    pages
        All of them.
    leaves
        The pages that hold rows; of an index b-tree all pages.
    first, last
        The smallest and largest rowid that each leaf may hold, both included; meaningless if not `keyed`.
    """

    keyed: bool
    pages: Ints
    leaves: Ints
    first: Ints
    last: Ints


class Walker:
    """Walks the trees of one file; a page that is met twice makes it refuse the file.

    Parameters
    ----------
    file
        The open file.
    words
        The first four bytes of each page as a number, by page number.
    """

    def __init__(self, file: PageFile, words: npt.NDArray[np.uint32]) -> None:
        self._file = file
        self._words = words
        self._seen = np.zeros(file.pages + 1, np.bool_)

    def walk(self, root: int) -> Tree:
        """Find the pages of the tree with this root page."""
        level = np.array([root], np.int64)
        least = min(root, 2)  # the first page is that of the schema, and of no other tree
        first, last = np.array([FIRST_ROWID]), np.array([LAST_ROWID])
        above: list[Ints] = []
        for _ in range(_MAX_DEPTH):
            kind = self._kind(level, least)
            if kind in (TABLE_LEAF, INDEX_LEAF):
                keyed = kind == TABLE_LEAF
                pages = np.concatenate([*above, level])
                return Tree(keyed, pages, level if keyed else pages, first, last)
            above.append(level)
            level, first, last = self._below(level, first, last, kind)
        raise MalformedFile("a table's pages lead in circles", path=self._file.path)

    def _kind(self, level: Ints, least: int) -> int:
        """The one kind of all pages of a level, none of which may come before `least`."""
        if level.min() < max(least, 1) or level.max() > self._file.pages or self._seen[level].any():
            raise MalformedFile("a table uses a page that is not its own", path=self._file.path)
        self._seen[level] = True
        kinds = self._words[level] >> 24
        kind = int(kinds[0])
        if kind not in (INDEX_INTERIOR, TABLE_INTERIOR, INDEX_LEAF, TABLE_LEAF) or (kinds != kind).any():
            raise MalformedFile("a table uses a page of another kind", path=self._file.path)
        return kind

    def _below(self, level: Ints, first: Ints, last: Ints, kind: int) -> tuple[Ints, Ints, Ints]:
        """The children of interior pages in order, and the rowids that each may hold."""
        parts, begin = [], 0
        for some in self._file.chunks_of(level):
            end = begin + len(some)
            parts.append(_children(self._file, some, first[begin:end], last[begin:end], kind))
            begin = end
        pages, firsts, lasts = (np.concatenate(each) for each in zip(*parts, strict=True))
        if kind == TABLE_INTERIOR and (firsts > lasts).any():
            raise MalformedFile("a table's rowids are not in order", path=self._file.path)
        if len(np.unique(pages)) < len(pages):
            raise MalformedFile("a table uses a page twice", path=self._file.path)
        return pages, firsts, lasts


def _children(file: PageFile, pages: Ints, first: Ints, last: Ints, kind: int) -> tuple[Ints, Ints, Ints]:
    content = file.read(pages)
    flat = content.reshape(-1)
    base = np.arange(len(pages)) * content.shape[1]
    cells, at = cells_of(file, content, 12)
    right = base + 8
    counts = np.bincount(cells, minlength=len(pages))
    # A page's children are those of its cells, then the right-most one.
    starts = np.cumsum(counts + 1) - (counts + 1)
    of_cells = np.arange(len(cells)) + cells
    of_right = starts + counts
    children = np.empty(len(cells) + len(pages), np.int64)
    children[of_cells] = numbers_at(flat, at, 4)
    children[of_right] = numbers_at(flat, right, 4)
    lasts = np.empty_like(children)
    if kind == TABLE_INTERIOR:
        lasts[of_cells] = varints_at(flat, at + 4)[0]
    lasts[of_right] = last
    firsts = np.empty_like(children)
    firsts[1:] = lasts[:-1] + 1
    firsts[starts] = first
    return children, firsts, lasts


def cells_of(file: PageFile, content: Bytes, header: int) -> tuple[Ints, Ints]:
    """Where the cells of b-tree pages begin.

    Parameters
    ----------
    content
        Pages as `PageFile.read` gives them; not the first page of the file.
    header
        Bytes of the pages' header: 8 for leaves, 12 for interior pages.

    Returns
    -------
    tuple
        For each cell the row of `content` it is in, and its place in the flattened `content`.
    """
    flat = content.reshape(-1)
    base = np.arange(len(content)) * content.shape[1]
    counts = numbers_at(flat, base + 3, 2)
    if (counts * 2 + header > file.usable).any():
        raise MalformedFile("a page names more cells than fit", path=file.path)
    rows = np.repeat(np.arange(len(content)), counts)
    numbers = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    offsets = numbers_at(flat, base[rows] + header + 2 * numbers, 2)
    if ((offsets < header) | (offsets > file.usable - 4)).any():
        raise MalformedFile("a page names a cell outside of it", path=file.path)
    return rows, base[rows] + offsets
