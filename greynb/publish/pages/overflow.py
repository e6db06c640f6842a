"""Rows that are too long for their leaf, and go on in a chain of overflow pages.

An UPDATE that keeps a row's length may write to an overflow page alone. The leaf is then unchanged, and only
the chain leads from it to the change. See "Cell Payload Overflow Pages" in
https://www.sqlite.org/fileformat2.html.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from greynb.publish.pages.btrees import cells_of
from greynb.publish.pages.format import (
    INDEX_INTERIOR,
    TABLE_LEAF,
    Ints,
    MalformedFile,
    PageFile,
    numbers_at,
    varints_at,
)

_SMALLEST_KIND: Final = 2 << 24
"""No file with fewer pages has an overflow page whose first byte could be the kind of a b-tree page."""


def suspects(
    old: PageFile,
    new: PageFile,
    same: npt.NDArray[np.bool_],
    old_words: npt.NDArray[np.uint32],
    new_words: npt.NDArray[np.uint32],
) -> npt.NDArray[np.bool_]:
    """Which changed pages may be overflow pages in both files; by page number.

    Where an unchanged leaf has a changed row, the first changed page on the row's chain is such a page: all
    before it are the same, so both files reach it. An overflow page begins with the number of the next one.
    """
    common = min(old.pages, new.pages)
    found = np.zeros(max(old.pages, new.pages) + 1, np.bool_)
    numbers = np.flatnonzero(~same[: common + 1]).astype(np.int64)
    numbers = numbers[numbers >= 2]
    numbers = numbers[(old_words[numbers] <= old.pages) & (new_words[numbers] <= new.pages)]
    if max(old.pages, new.pages) < _SMALLEST_KIND:
        numbers = numbers[(old_words[numbers] < _SMALLEST_KIND) & (new_words[numbers] < _SMALLEST_KIND)]
    numbers = numbers[~(old.is_pointer_map(numbers) & new.is_pointer_map(numbers))]
    found[numbers] = True
    return found


def touched(
    file: PageFile,
    leaves: Ints,
    words: npt.NDArray[np.uint32],
    suspect: npt.NDArray[np.bool_],
) -> Ints:
    """The pages among `leaves` with a row whose chain meets a suspect page."""
    found = []
    for some in file.chunks_of(leaves):
        for kind in np.unique(words[some] >> 24).tolist():
            pages = some[words[some] >> 24 == kind]
            owner, head = heads(file, pages, kind)
            met = meets(file, head, words, suspect)
            found.append(pages[np.unique(owner[met])])
    return np.concatenate(found) if found else np.empty(0, np.int64)


def heads(file: PageFile, pages: Ints, kind: int) -> tuple[Ints, Ints]:
    """For each chain that begins in these pages: which of them, and the first overflow page."""
    content = file.read(pages)
    flat = content.reshape(-1)
    owner, at = cells_of(file, content, 12 if kind == INDEX_INTERIOR else 8)
    if kind == INDEX_INTERIOR:
        at = at + 4  # the number of the child comes first
    payload, length = varints_at(flat, at)
    at = at + length
    if kind == TABLE_LEAF:
        at = at + varints_at(flat, at)[1]
    limit, local = local_bytes(file.usable, kind, payload)
    over = payload > limit
    owner, place = owner[over], at[over] + local[over]
    if (place - owner * content.shape[1] > file.usable - 4).any():
        raise MalformedFile("a row goes on outside of its page", path=file.path)
    return owner, numbers_at(flat, place, 4)


def local_bytes(usable: int, kind: int, payload: Ints) -> tuple[int, Ints]:
    """The longest payload without overflow, and how many bytes of a longer one stay in the page."""
    limit = usable - 35 if kind == TABLE_LEAF else (usable - 12) * 64 // 255 - 23
    least = (usable - 12) * 32 // 255 - 23
    wanted = least + (payload - least) % (usable - 4)
    return limit, np.where(wanted <= limit, wanted, least)


def meets(
    file: PageFile, head: Ints, words: npt.NDArray[np.uint32], suspect: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Which chains meet a suspect page; all chains take one step at a time."""
    met = np.zeros(len(head), np.bool_)
    going = np.arange(len(head))
    at = head
    for _ in range(file.pages):
        if not len(going):
            return met
        if at.min() < 2 or at.max() > file.pages:
            raise MalformedFile("a row goes on outside of the file", path=file.path)
        hit = suspect[at]
        met[going[hit]] = True
        following = words[at].astype(np.int64)
        on = ~hit & (following != 0)
        going, at = going[on], following[on]
    if len(going):
        raise MalformedFile("a row's pages lead in circles", path=file.path)
    return met
