"""SQLite's file format as far as a comparison of two files needs it, read with plain file reads.

Source: https://www.sqlite.org/fileformat2.html. The file must be still: published, or private to the caller,
in ``journal_mode=DELETE``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from greynb.databases.descriptors import open_still
from greynb.errors import PublishError

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

INDEX_INTERIOR: Final = 2
TABLE_INTERIOR: Final = 5
INDEX_LEAF: Final = 10
TABLE_LEAF: Final = 13

CHUNK: Final = 1 << 20
"""Bytes read at once: small enough for a processor's cache, large enough for few system calls."""

_MAGIC: Final = b"SQLite format 3\x00"
_PENDING_BYTE: Final = 1 << 30
_PADDING: Final = 24
"""Bytes behind each page in memory, so that a number at its end can be read without looking for the end."""


class MalformedFile(PublishError):
    """The pages of a file do not form the trees that SQLite would have written."""


@dataclass(frozen=True, slots=True)
class PageFile:
    """An open SQLite file and the parts of its header that decide how pages are read.

    Attributes
    ----------
    pages
        Their number; page numbers begin at 1. Zero for the empty file, which is a valid empty database.
    page_size, usable
        Bytes of a page, and of its part that is not reserved for extensions.
    encoding
        Of texts: 1 UTF-8, 2 UTF-16le, 3 UTF-16be; 0 before anything was created.
    auto_vacuum
        Whether the file has pointer-map pages.
    """

    path: Path
    file: RawIOBase
    pages: int
    page_size: int
    usable: int
    encoding: int
    auto_vacuum: bool

    def read(self, numbers: Ints) -> Bytes:
        """The named pages as rows of bytes, each followed by zeros.

        The first page of a file begins with the header of the file. It is given as if it were a page like
        others: with its own header and the list of its cells moved to the front.
        """
        found = np.zeros((len(numbers), self.page_size + _PADDING), np.uint8)
        for row, number in zip(found, numbers.tolist(), strict=True):
            self.file.seek((number - 1) * self.page_size)
            fill(self.file, row.data[: self.page_size], self.path)
            if number == 1:
                moved = min(12 + 2 * int.from_bytes(row[103:105].tobytes(), "big"), self.page_size - 100)
                row[:moved] = row[100 : 100 + moved].copy()
        return found

    def chunks_of(self, numbers: Ints) -> Iterator[Ints]:
        """Cut a list of pages so that one part of it fits into `CHUNK` bytes or so."""
        step = max(1, 4 * CHUNK // self.page_size)
        for begin in range(0, len(numbers), step):
            yield numbers[begin : begin + step]

    def is_pointer_map(self, numbers: Ints) -> npt.NDArray[np.bool_]:
        """Which pages hold the pointer map of ``auto_vacuum``; never true for a page of content."""
        if not self.auto_vacuum:
            return np.zeros(len(numbers), np.bool_)
        return np.asarray((numbers - 2) % (self.usable // 5 + 1) == 0)

    @property
    def lock_page(self) -> int:
        """The page of the byte at 1 GiB that locks are taken on; SQLite never stores anything there."""
        return _PENDING_BYTE // self.page_size + 1


@contextmanager
def opened(path: Path) -> Iterator[PageFile]:
    """Open a still SQLite file and read its header.

    Raises
    ------
    MalformedFile
        It is no SQLite file, is shorter than it says, or a journal or log beside it holds part of it.
    """
    for ending in ("-wal", "-journal"):
        beside = Path(f"{path}{ending}")
        if beside.exists() and beside.stat().st_size:
            raise MalformedFile(f"part of the database is in {beside.name}", path=path)
    with open_still(path) as file:
        yield _with_header(path, file)


def fill(file: RawIOBase, buffer: memoryview, path: Path) -> None:
    """Read exactly as many bytes as the buffer holds."""
    done = 0
    while done < len(buffer):
        got = file.readinto(buffer[done:])
        if not got:
            raise MalformedFile("the file is shorter than its header says", path=path)
        done += got


def _with_header(path: Path, file: RawIOBase) -> PageFile:
    size = path.stat().st_size
    if size == 0:
        return PageFile(path, file, 0, 4096, 4096, 0, False)
    head = file.read(100)
    if len(head) < 100 or not head.startswith(_MAGIC):
        raise MalformedFile("the file is not a SQLite database", path=path)
    page_size = _big_endian(head[16:18])
    page_size = 65_536 if page_size == 1 else page_size
    if page_size < 512 or page_size > 65_536 or page_size & (page_size - 1):
        raise MalformedFile(f"the header names a page size of {page_size}", path=path)
    pages = _big_endian(head[28:32])
    if pages == 0 or head[24:28] != head[92:96]:  # written by a SQLite before 3.7.0
        pages = size // page_size
    if pages * page_size > size:
        raise MalformedFile("the file is shorter than its header says", path=path)
    return PageFile(
        path,
        file,
        pages,
        page_size,
        page_size - head[20],
        _big_endian(head[56:60]),
        head[52:56] != bytes(4),
    )


def _big_endian(data: bytes) -> int:
    return int.from_bytes(data, "big")


def numbers_at(flat: Bytes, at: Ints, size: int) -> Ints:
    """The big-endian unsigned numbers of two or four bytes at the given places."""
    value = flat[at].astype(np.int64)
    for step in range(1, size):
        value = (value << 8) | flat[at + step]
    return value


def varints_at(flat: Bytes, at: Ints) -> tuple[Ints, Ints]:
    """The variable-length numbers at the given places, as signed 64-bit values, and their bytes' number."""
    value = np.zeros(len(at), np.uint64)
    length = np.zeros(len(at), np.int64)
    open_ones: npt.NDArray[Any] = np.arange(len(at))
    for step in range(9):
        byte = flat[at[open_ones] + step]
        bits = 8 if step == 8 else 7
        mask = np.uint8(0xFF if step == 8 else 0x7F)
        value[open_ones] = (value[open_ones] << np.uint64(bits)) | (byte & mask)
        length[open_ones] = step + 1
        open_ones = open_ones[byte >= 0x80]
        if not len(open_ones):
            break
    return value.view(np.int64), length
