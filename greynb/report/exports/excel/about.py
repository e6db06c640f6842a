"""The sheet that says where the numbers of a workbook come from, for people and for ``greynb verify``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from greynb.report.exports.excel.book import Book
from greynb.report.exports.excel.parts import opened, sheet_parts, sheet_texts
from greynb.report.exports.excel.sheets import checked

NAME: Final = "About"
_RECORD: Final = "greynb record"
_PIECE: Final = 32_000
_SHOWN: Final = {
    "role": "role",
    "file": "database",
    "version": "version",
    "time": "computed (UTC)",
    "rows": "rows",
    "hash": "content hash (SHA-256)",
    "greynb": "greynb",
}


def about_sheet(
    book: Book, sources: Sequence[Mapping[str, Any]], *, notices: Sequence[str] = (), name: str = NAME
) -> None:
    """Add the sheet: readable rows for each source, the notices, and the records themselves as JSON.

    Parameters
    ----------
    book
        From `greynb.report.exports.excel.workbook`.
    sources
        ``Source.as_dict()`` of each result in the book.
    notices
        What a reader must know of the sheets.
    name
        The sheet's.
    """
    sheet = book.xlsx.add_worksheet(book.sheet_name(name))
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 110)
    label = book.format(bold=True, valign="top")
    text = book.format(text_wrap=True, valign="top", quote_prefix=True)
    for row, (left, right) in enumerate(_rows(sources, notices)):
        checked(sheet.write_string(row, 0, left, label), "a label")
        checked(sheet.write_string(row, 1, right, text), left)
        if left.startswith(_RECORD):
            sheet.set_row(row, 15)  # one line: it is for programs


def _rows(sources: Sequence[Mapping[str, Any]], notices: Sequence[str]) -> Iterator[tuple[str, str]]:
    for notice in notices:
        yield "note", notice[:_PIECE]
    for number, source in enumerate(sources, 1):
        yield (f"source {number}", str(source.get("kind", "")))
        for key, shown in _SHOWN.items():
            if source.get(key) not in (None, ""):
                yield shown, str(source[key])[:_PIECE]
        sql = str(source.get("sql") or "no query known")
        for start in range(0, len(sql), _PIECE):
            yield "SQL", sql[start : start + _PIECE]
        if source.get("parameters"):
            yield "parameters", json.dumps(source["parameters"], ensure_ascii=False)[:_PIECE]
    # ASCII alone: a piece of 32,000 characters is then as many of Excel's.
    record = json.dumps(list(sources))
    for number, start in enumerate(range(0, len(record), _PIECE), 1):
        yield f"{_RECORD} {number}", record[start : start + _PIECE]


def sources(path: Path) -> list[dict[str, Any]]:
    """Read back the records of the workbook at a path; none where it has no such sheet.

    Raises
    ------
    ValueError
        The file is no Excel file, or what it keeps is damaged.
    """
    with opened(path) as archive:
        part = sheet_parts(archive).get(NAME)
        rows = list(sheet_texts(archive, part)) if part else []
    pieces = [row[1] for row in rows if len(row) > 1 and row[0].startswith(f"{_RECORD} ")]
    return list(json.loads("".join(pieces))) if pieces else []
