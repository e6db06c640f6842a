"""A workbook whose sheets of data are streamed.

XlsxWriter takes 39 s for a million rows of eight values, nearly all of it Python called once a value. So it
writes a workbook in which each sheet of data has one row that holds nothing but the formats of the columns,
and the file is then copied with the rows in place of that one. These are made by whole columns. Only the
public file format (ECMA-376, part 1, 18.3.1) is relied on, nothing inside XlsxWriter.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from greynb.errors import UsageError
from greynb.report.exports.excel.parts import sheet_parts

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format

MOST_ROWS: Final = 1_048_576
MOST_COLUMNS: Final = 16_384
_ZIP64_CELLS: Final = 20_000_000  # beyond, a sheet may take more than 2 GB before it is compressed
_LEVEL: Final = 4  # of zlib: 6 takes twice as long for 4 % less


@dataclass(frozen=True, slots=True)
class Stream:
    """The rows of one sheet, which come when the file is written.

    Attributes
    ----------
    row
        The number, from 1, of the row that holds the columns' formats and is replaced; the row after it
        holds the formats of texts, and is replaced too.
    dimension
        The range of the whole sheet, ``A1:H100``.
    cells
        How many there are at most.
    rows
        Called with the numbers of the formats of these two rows; writes the rows to a file.
    """

    row: int
    dimension: str
    cells: int
    rows: Callable[[list[int], list[int], Any], None]


@dataclass(slots=True)
class Book:
    """A workbook under construction.

    Attributes
    ----------
    xlsx
        XlsxWriter's workbook, for sheets of any other kind.
    streams
        The rows to come, by name of the sheet.
    told
        Called with the rows written so far, of all sheets; may raise to stop.
    written
        The rows of the sheets that are whole.
    """

    xlsx: Workbook
    streams: dict[str, Stream] = field(default_factory=dict)
    told: Callable[[int], None] = lambda _rows: None
    written: int = 0
    _formats: dict[tuple[tuple[str, Any], ...], Format] = field(default_factory=dict)

    def format(self, **properties: Any) -> Format:
        """Give the format with these properties, made once."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.xlsx.add_format(properties)
        return self._formats[key]

    def sheet_name(self, wanted: str) -> str:
        """Make a name that Excel allows and the book does not have."""
        taken = {sheet.name.lower() for sheet in self.xlsx.worksheets()}
        plain = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", wanted).strip().strip("'")[:31].rstrip("'") or "Sheet"
        plain = f"{plain} data"[:31] if plain.lower() == "history" else plain
        name, number = plain, 1
        while name.lower() in taken:
            number += 1
            name = f"{plain[: 31 - len(f' ({number})')]} ({number})"
        return name


@contextmanager
def workbook(path: Path, told: Callable[[int], None] = lambda _rows: None) -> Iterator[Book]:
    """Make a workbook, which is written to a path when the block ends without an error.

    Parameters
    ----------
    path
        Where; a file there is replaced.
    told
        Called with the rows written so far; may raise to stop, after which the file is not whole.

    Raises
    ------
    UsageError
        XlsxWriter is not installed.
    """
    try:
        from xlsxwriter import Workbook
    except ImportError as error:
        raise UsageError("Excel files need XlsxWriter", hint='pip install "greynb[report]"') from error

    frame = BytesIO()
    # Text stays text: no formula, link or number is made of what looks like one.
    plain = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
    book = Book(Workbook(frame, {"in_memory": True, **plain}), told=told)
    yield book
    book.xlsx.close()
    with zipfile.ZipFile(frame) as source:
        _copy(source, path, book)


def _copy(source: zipfile.ZipFile, path: Path, book: Book) -> None:
    parts = sheet_parts(source)
    streamed = {parts[name]: stream for name, stream in book.streams.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as target:
        for part in source.infolist():
            stream = streamed.get(part.filename)
            if stream is None:
                target.writestr(part, source.read(part), zipfile.ZIP_DEFLATED, _LEVEL)
                continue
            with target.open(part.filename, "w", force_zip64=stream.cells > _ZIP64_CELLS) as file:
                _fill(source.read(part).decode(), stream, file)


def _fill(sheet: str, stream: Stream, file: Any) -> None:
    rows = [_row(sheet, stream.row), _row(sheet, stream.row + 1)]
    columns, texts = ([int(style) for style in re.findall(r' s="(\d+)"', row[0])] for row in rows)
    head = sheet[: rows[0].start()]
    file.write(re.sub(r'<dimension ref="[^"]*"', f'<dimension ref="{stream.dimension}"', head).encode())
    stream.rows(columns, texts, file)
    file.write(sheet[rows[1].end() :].encode())


def _row(sheet: str, number: int) -> re.Match[str]:
    found = re.search(rf'<row r="{number}"[^>]*>.*?</row>', sheet, re.S)
    assert found is not None, f"row {number} of formats is not in the sheet"
    return found
