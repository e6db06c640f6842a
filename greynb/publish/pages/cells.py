"""Which rows of changed leaves differ, told by the bytes of their cells before any row is decoded.

A leaf differs as a whole where one of its rows does: of the rows in changed leaves, few differ. A cell is
what a leaf holds of one row: how long the row is, its rowid, its values or the first part of them, and where
the rest is. Two cells of the same bytes are the same row, unless the rest changed on its overflow pages. See
"B-tree Cell Format" in https://www.sqlite.org/fileformat2.html.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from greynb.publish.pages.btrees import cells_of
from greynb.publish.pages.format import (
    TABLE_LEAF,
    Bytes,
    Ints,
    MalformedFile,
    PageFile,
    numbers_at,
    opened,
    varints_at,
)
from greynb.publish.pages.overflow import local_bytes, meets

Flags = npt.NDArray[np.bool_]
Spans = tuple[tuple[int, int], ...]

_HEADER: Final = 8
_NEAR: Final = 8
"""Rowids between two ranges that are sooner read than left out."""

_MOST: Final = 200_000
"""Ranges of one table; more are joined, to be kept in memory."""


@dataclass(frozen=True, slots=True)
class _Cells:
    """Cells of flattened pages: where each begins and ends, its rowid, and whether it goes on elsewhere."""

    begin: Ints
    end: Ints
    rowid: Ints
    long: Flags

    def only(self, which: Flags | Ints) -> _Cells:
        return _Cells(self.begin[which], self.end[which], self.rowid[which], self.long[which])


@dataclass(frozen=True, slots=True)
class Leaves:
    """The changed leaves of one rowid table, and what is needed to tell which of their rows differ.

    Attributes
    ----------
    pages
        Numbers of pages that are leaves of the table in both files.
    first, last
        The rowids that each of the other leaves may hold, both included.
    words
        The first four bytes of each page of the new file as a number.
    suspect
        Which changed pages may be overflow pages in both files; by page number.
    """

    pages: Ints
    first: Ints
    last: Ints
    words: npt.NDArray[np.uint32]
    suspect: Flags


def spans_of(old: Path, new: Path, leaves: Leaves, told: Callable[[float], None] = lambda _: None) -> Spans:
    """Ranges of rowids, both ends included, in order and apart, with every row that differs and few others.

    Parameters
    ----------
    old, new
        The two files that were compared.
    told
        Told the part done; may raise.

    Raises
    ------
    MalformedFile
        A file is damaged, or not still.
    """
    parts, done = [(leaves.first, leaves.last)], 0
    with opened(old) as before, opened(new) as after:
        for some in after.chunks_of(leaves.pages):
            told(done / len(leaves.pages))
            rowids = _differing(before, after, some, leaves)
            parts.append(joined(rowids, rowids, _NEAR))
            done += len(some)
    first, last = (np.concatenate(each) for each in zip(*parts, strict=True))
    near = _NEAR
    first, last = joined(first, last, near)
    while len(first) > _MOST:
        near *= 4
        first, last = joined(first, last, near)
    return tuple(zip(first.tolist(), last.tolist(), strict=True))


def joined(first: Ints, last: Ints, near: int) -> tuple[Ints, Ints]:
    """Ranges with both ends included, in order, those that begin at most `near` after others end as one."""
    if not len(first):
        return first, last
    order = np.argsort(first, kind="stable")
    first, last = first[order], np.maximum.accumulate(last[order])
    # Without a sign, because rowids may be further apart than the largest of them.
    gaps = first[1:].view(np.uint64) - last[:-1].view(np.uint64)
    apart = np.flatnonzero((first[1:] > last[:-1]) & (gaps > near)) + 1
    return first[np.append(0, apart)], last[np.append(apart - 1, len(last) - 1)]


def _differing(old: PageFile, new: PageFile, pages: Ints, leaves: Leaves) -> Ints:
    """The rowids of the rows that are not on these pages of both files, or may differ on overflow pages."""
    before, after = old.read(pages), new.read(pages)
    left, right = before.reshape(-1), after.reshape(-1)
    starts = cells_of(old, before, _HEADER)[1]
    come = _cells(new, after, cells_of(new, after, _HEADER)[1])
    heads = numbers_at(right, come.end[come.long] - 4, 4)
    rest = come.rowid[come.long][meets(new, heads, leaves.words, leaves.suspect)]
    stayed = _flags(len(left), starts)[come.begin] & _untouched(left, right, come)
    gone = _cells(old, before, starts[~_flags(len(left), come.begin[stayed])[starts]])
    gone, come = _in_order(old, gone), _in_order(new, come.only(~stayed))
    found = _different(left.tobytes(), right.tobytes(), gone, come)
    return np.concatenate([*found, rest])


def _cells(file: PageFile, content: Bytes, begin: Ints) -> _Cells:
    """Read what the cells at these places of flattened pages say of themselves."""
    flat = content.reshape(-1)
    payload, length = varints_at(flat, begin)
    rowid, more = varints_at(flat, begin + length)
    limit, local = local_bytes(file.usable, TABLE_LEAF, payload)
    long = payload > limit
    end = begin + length + more + np.where(long, local + 4, payload)
    page = begin // content.shape[1] * content.shape[1]
    if ((payload < 0) | (end - page > file.usable)).any():
        raise MalformedFile("a row goes on outside of its page", path=file.path)
    return _Cells(begin, end, rowid, long)


def _flags(size: int, places: Ints) -> Flags:
    found = np.zeros(size, np.bool_)
    found[places] = True
    return found


def _untouched(left: Bytes, right: Bytes, cells: _Cells) -> Flags:
    """Within which cells no byte differs."""
    unequal = np.flatnonzero(left != right)
    return np.asarray(np.searchsorted(unequal, cells.begin) == np.searchsorted(unequal, cells.end))


def _in_order(file: PageFile, cells: _Cells) -> _Cells:
    """The same cells by rowid."""
    cells = cells.only(np.argsort(cells.rowid, kind="stable"))
    if (cells.rowid[1:] == cells.rowid[:-1]).any():
        raise MalformedFile("two rows of a table have the same rowid", path=file.path)
    return cells


def _different(left: bytes, right: bytes, gone: _Cells, come: _Cells) -> tuple[Ints, Ints]:
    """The rowids of cells, in order, that are not on the other side with the same bytes at another place."""
    other = np.searchsorted(come.rowid, gone.rowid)
    other[other == len(come.rowid)] = 0
    both = np.flatnonzero(come.rowid[other] == gone.rowid) if len(come.rowid) else other[:0]
    other = other[both]
    places = zip(
        gone.begin[both].tolist(),
        gone.end[both].tolist(),
        come.begin[other].tolist(),
        come.end[other].tolist(),
        strict=True,
    )
    same = np.fromiter((left[a:b] == right[c:d] for a, b, c, d in places), np.bool_, len(both))
    return np.delete(gone.rowid, both[same]), np.delete(come.rowid, other[same])
