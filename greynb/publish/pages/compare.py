"""Which pages of two SQLite files hold the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from greynb.publish.pages.format import Bytes, PageFile, fill

Words = npt.NDArray[np.uint32]

_PART: Final = 256 << 10
"""Bytes read at once of each file: what was read is then still in the nearest cache when it is compared."""


@dataclass(frozen=True, slots=True)
class PageTotals:
    """How much of a file differs from another.

    Attributes
    ----------
    total
        Pages of the new file.
    changed
        Those that the old file does not have, or not with the same bytes.
    page_size
        Bytes of a page of the new file.
    """

    total: int
    changed: int
    page_size: int

    @property
    def bytes(self) -> int:
        """Bytes of the changed pages."""
        return self.changed * self.page_size


@dataclass(frozen=True, slots=True)
class PageComparison:
    """The pages of two files with the same page size, side by side; each list is by page number.

    Attributes
    ----------
    same
        Whether both files have the page and it holds the same bytes. Index 0 stands for no page.
    old_words, new_words
        The first four bytes of each page as a number: a b-tree page's first byte is its kind, an overflow
        page's four are the number of the next one.
    """

    same: npt.NDArray[np.bool_]
    old_words: Words
    new_words: Words

    @property
    def changed(self) -> int:
        """How many pages of the new file differ."""
        return int(np.count_nonzero(~self.same[1 : len(self.new_words)]))

    @property
    def identical(self) -> bool:
        """Whether both files hold the same."""
        return bool(self.same[1:].all())


def compare_pages(old: PageFile, new: PageFile) -> PageComparison:
    """Read both files once, side by side, a bounded part at a time."""
    same = np.zeros(max(old.pages, new.pages) + 1, np.bool_)
    words = np.zeros(old.pages + 1, np.uint32), np.zeros(new.pages + 1, np.uint32)
    step = max(1, _PART // new.page_size)
    buffers = [np.empty((step, new.page_size), np.uint8) for _ in words]
    for file in (old, new):
        file.file.seek(0)
    for begin in range(0, len(same) - 1, step):
        parts = [
            _part(file, each, buffer, begin)
            for file, each, buffer in zip((old, new), words, buffers, strict=True)
        ]
        common = min(len(part) for part in parts)
        left, right = (part[:common].view(np.uint64) for part in parts)
        same[begin + 1 : begin + 1 + common] = (left == right).all(axis=1)
    # Nobody ever writes to the page that locks are taken on; what a copy leaves in it means nothing.
    same[new.lock_page : new.lock_page + 1] = True
    return PageComparison(same, *words)


def _part(file: PageFile, words: Words, buffer: Bytes, begin: int) -> Bytes:
    """Read the pages after `begin` that fit into the buffer, and note how each begins."""
    part = buffer[: max(0, min(len(buffer), file.pages - begin))]
    if len(part):
        fill(file.file, part.reshape(-1).data, file.path)
        words[begin + 1 : begin + 1 + len(part)] = part[:, :4].copy().view(">u4")[:, 0]
    return part
