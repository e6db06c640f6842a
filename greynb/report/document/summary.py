"""The summary of a workbook: texts, tiles and charts from top to bottom, and links to the tables' sheets."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from greynb.report.document.blocks import Tile
from greynb.report.document.document import Document, origins
from greynb.report.document.formatting import signs
from greynb.report.exports.excel import Book, SheetWritten
from greynb.report.exports.excel.sheets import checked

if TYPE_CHECKING:
    from greynb.report.recording import Source

FAINT: Final = "#5d6776"
ACCENT: Final = "#1c6e8c"
_WASH: Final = "#f4f6f8"
_COLUMNS: Final = 8
_WIDTH: Final = 15
"""Of a column of the summary, in characters; eight of them fit a page across."""
_LINE: Final = _COLUMNS * _WIDTH
_LONGEST: Final = 16_000
"""Characters of a cell, each at most two of the 32,767 units that Excel counts."""
_SCREEN: Final = 96
"""Pixels that Excel takes for an inch."""
_ROW: Final = 20
"""Pixels of a row."""


class Summary:
    """The first sheet: the document from top to bottom, its tables as links to their sheets."""

    def __init__(self, book: Book, document: Document) -> None:
        self.book = book
        self.notices: list[str] = []
        self.section = ""
        self._numbers = document.numbers
        self._sheet = book.xlsx.add_worksheet(book.sheet_name("Summary"))
        self._sheet.hide_gridlines(2)
        self._sheet.set_column(0, _COLUMNS - 1, _WIDTH)
        self._sheet.set_paper(9)  # A4
        self._sheet.fit_to_pages(1, 0)
        self._row = 0
        self.line(document.title, bold=True, font_size=20)
        if document.subtitle:
            self.line(document.subtitle, font_size=12, font_color=FAINT)

    def origins(self, sources: tuple[Source, ...]) -> None:
        """Say under a block where its data come from."""
        for text, number in origins(sources, self._numbers):
            self.line(f"{text} · SQL {number}", font_color=FAINT, font_size=9)

    def end(self, text: str) -> None:
        """Write the last line."""
        self.gap()
        self.line(text, font_color=FAINT, font_size=9)

    def gap(self) -> None:
        """Leave a row empty."""
        self._row += 1

    def line(self, text: str, **look: Any) -> None:
        """Write one text across the sheet, as high as it needs to be; one too long for a cell in several."""
        shown, rest = text[:_LONGEST], text[_LONGEST:]
        form = self.book.format(text_wrap=True, valign="top", quote_prefix=True, **look)
        size = look.get("font_size", 11)
        across = _LINE * 11 / size
        lines = sum(max(1, -(-len(part) // int(across))) for part in shown.split("\n"))
        self._sheet.merge_range(self._row, 0, self._row, _COLUMNS - 1, "", form)
        checked(self._sheet.write_string(self._row, 0, shown, form), shown)
        self._sheet.set_row(self._row, min(lines * size * 1.45, 400))
        self._row += 1
        if rest:
            self.line(rest, **look)

    def tile(self, place: int, tile: Tile) -> None:
        """Write a tile into the three rows from here, two columns wide."""
        left, texts = place * 2, (tile.label, signs(tile.value), signs(tile.remark))
        looks: tuple[dict[str, Any], ...] = (
            {"font_color": FAINT},
            {"bold": True, "font_size": 15},
            {"font_color": FAINT, "font_size": 9},
        )
        for down, (text, look) in enumerate(zip(texts, looks, strict=True)):
            form = self.book.format(text_wrap=True, valign="top", bg_color=_WASH, quote_prefix=True, **look)
            self._sheet.merge_range(self._row + down, left, self._row + down, left + 1, "", form)
            checked(self._sheet.write_string(self._row + down, left, text[:_LONGEST], form), text)

    def tiles(self, found: tuple[Tile, ...]) -> None:
        """Write tiles, four side by side."""
        self.gap()
        across = _COLUMNS // 2
        for begin in range(0, len(found), across):
            for place, tile in enumerate(found[begin : begin + across]):
                self.tile(place, tile)
            self._sheet.set_row(self._row + 1, 22)
            self._sheet.set_row(self._row + 2, 26)
            self._row += 4

    def picture(self, data: bytes, alt: str, pixels_per_inch: int) -> None:
        """Put a PNG in, in its own size or as wide as the sheet."""
        width, height = struct.unpack(">II", data[16:24])
        scale = min(_SCREEN / pixels_per_inch, _COLUMNS * (_WIDTH * 7 + 5) / width)
        how = {"x_scale": scale, "y_scale": scale, "description": alt, "object_position": 1}
        self.gap()
        checked(
            self._sheet.insert_image(self._row, 0, "chart.png", {"image_data": BytesIO(data), **how}), alt
        )
        self._row += int(height * scale / _ROW) + 2

    def link(self, written: SheetWritten, text: str) -> None:
        """Write a line that leads to the sheet of a table."""
        target = written.names[0].replace("'", "''")
        form = self.book.format(font_color=ACCENT, underline=1)
        self._sheet.write_url(self._row, 0, f"internal:'{target}'!A1", form, text[:255])
        self._row += 1
