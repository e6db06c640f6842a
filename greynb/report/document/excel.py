"""A document as a workbook: a summary to read, a sheet per table with every row typed, and the sources."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from greynb.report.document import blocks, prose
from greynb.report.document.document import Document
from greynb.report.document.formatting import signs
from greynb.report.document.html import made_by
from greynb.report.document.pictures import png_of
from greynb.report.document.scales import SCALES
from greynb.report.document.summary import ACCENT, FAINT, Summary
from greynb.report.exports.excel import Book, SheetWritten, about_sheet, workbook, write_sheet

_PATTERN = re.compile(r"\{:([+]?)(,?)(?:\.(\d+))?([f%d]?)\}$")


def write(document: Document, path: Path) -> None:
    """Write the workbook.

    Raises
    ------
    UsageError
        The extra ``greynb[report]`` is not installed, or a table has more columns than a sheet.
    """
    with workbook(path) as book:
        made = document.made.astimezone(dt.UTC).replace(tzinfo=None)
        facts = {"title": document.title, "comments": made_by(document), "created": made}
        book.xlsx.set_properties(facts)
        book.xlsx.set_size(2400, 1600)
        summary = Summary(book, document)
        for block in document.blocks:
            _BLOCKS[type(block)](summary, block)
            summary.origins(getattr(block, "sources", ()))
        summary.end(made_by(document))
        records = [source.as_dict() for source in document.sources]
        about_sheet(book, records, notices=tuple(dict.fromkeys(summary.notices)))


def _heading(summary: Summary, block: blocks.Heading) -> None:
    summary.section = block.text
    summary.gap()
    summary.line(block.text, bold=True, font_size={2: 15, 3: 12}.get(block.level, 11))


def _text(summary: Summary, block: blocks.Text) -> None:
    for paragraph in prose.lines(block.markdown):
        summary.line(paragraph)


def _note(summary: Summary, block: blocks.Note) -> None:
    summary.line(signs(block.text), left=5, left_color=ACCENT, indent=1)


def _code(summary: Summary, block: blocks.Code) -> None:
    summary.line(block.text, font_name="Consolas", font_size=9)


def _tiles(summary: Summary, block: blocks.Tiles) -> None:
    summary.tiles(block.tiles)


def _table(summary: Summary, block: blocks.Table) -> None:
    import pandas as pd

    if not block.columns:
        return
    name = block.caption or summary.section or "Table"
    frame = block.frame.copy(deep=False)
    names = [f"{each.label} ({each.unit})" if each.unit else each.label for each in block.columns]
    frame.columns = pd.Index(_unique(names))
    formats = {
        head: pattern
        for head, column in zip(frame.columns, block.columns, strict=True)
        if column.format and (pattern := _number_format(column.format, whole=frame[head].dtype.kind in "iu"))
    }
    written = write_sheet(summary.book, name, frame, formats=formats)
    _scales(summary.book, written, block)
    summary.notices.extend(written.notices)
    rows = f"{block.total:,} row{'' if block.total == 1 else 's'}"
    held = "" if len(frame) == block.total else f", of them the first {len(frame):,} here"
    summary.link(written, f"{name}: {rows}{held}, in sheet {written.names[0]}")


def _unique(names: list[str]) -> list[str]:
    taken: set[str] = set()
    made = []
    for name in names:
        number, each = 1, name
        while each in taken:
            number += 1
            each = f"{name} ({number})"
        taken.add(each)
        made.append(each)
    return made


def _number_format(pattern: str, *, whole: bool) -> str | None:
    """Say a Python format in Excel's words, where it is one of plain numbers: ``{:+,.1%}``."""
    match = _PATTERN.match(pattern)
    if match is None:
        return None
    plus, thousands, decimals, kind = match.groups()
    if not kind and not whole:  # as many decimals as each value has: Excel cannot
        return None
    digits = int(decimals) if decimals is not None else (6 if kind in ("f", "%") else 0)
    number = (
        ("#,##0" if thousands else "0")
        + (f".{'0' * digits}" if digits else "")
        + ("%" if kind == "%" else "")
    )
    return f"+{number};-{number};{number}" if plus else number


def _scales(book: Book, written: SheetWritten, block: blocks.Table) -> None:
    """Colour as the page does, by Excel's own rules, which follow the numbers when they are edited."""
    for name in written.names:
        sheet = book.xlsx.get_worksheet_by_name(name)
        for place, column in enumerate(block.columns):
            if sheet is None or column.scale is None:
                continue
            below, above = SCALES[column.scale]
            look: dict[str, Any] = {
                "type": "2_color_scale",
                "min_color": "#FFFFFF",
                "max_color": _pale(above),
            }
            if column.scale == "diverging":
                look = {
                    **{"type": "3_color_scale", "mid_type": "num", "mid_value": 0, "mid_color": "#FFFFFF"},
                    **{"min_color": _pale(below), "max_color": _pale(above)},
                }
            sheet.conditional_format(1, place, len(block.frame), place, look)


def _pale(colour: str) -> str:
    """Mix a colour with white, as a tint on a page looks."""
    return "#" + "".join(f"{round(int(colour[i : i + 2], 16) * 0.42 + 255 * 0.58):02X}" for i in (1, 3, 5))


def _chart(summary: Summary, block: blocks.Chart) -> None:
    summary.picture(png_of(block.svg), block.alt, 144)
    if block.caption:
        summary.line(block.caption, font_color=FAINT)


def _picture(summary: Summary, block: blocks.Picture) -> None:
    summary.picture(block.data, block.alt, 96)


def _foreign(summary: Summary, block: blocks.Foreign) -> None:
    summary.line(block.text, font_name="Consolas", font_size=9)


_BLOCKS: dict[type, Callable[[Summary, Any], None]] = {
    blocks.Heading: _heading,
    blocks.Text: _text,
    blocks.Note: _note,
    blocks.Code: _code,
    blocks.Tiles: _tiles,
    blocks.Table: _table,
    blocks.Chart: _chart,
    blocks.Picture: _picture,
    blocks.Foreign: _foreign,
}
