"""The rows of an exported workbook, read from the XML of its sheet."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

from greynb.report.exports.excel.parts import opened, sheet_parts
from greynb.report.exports.excel.single import DATA

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_EPOCH: Final = dt.datetime(1899, 12, 30)
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_MILLISECOND: Final = dt.timedelta(milliseconds=1)


def values_of(path: Path, types: Sequence[str]) -> list[list[Any]]:
    """Give the rows of the one table in an exported workbook, the columns' names first.

    Numbers of columns that hold dates become dates and times, to the millisecond.

    Parameters
    ----------
    path
        The workbook.
    types
        The dtype of each column.

    Raises
    ------
    ValueError
        It cannot be read.
    """
    moments = [each.startswith("datetime64") for each in types]
    with opened(path) as archive:
        part = sheet_parts(archive)[DATA]
        shared = list(_shared(archive))
        rows = [_row(row, len(moments), shared) for row in _rows(archive, part)]
    body = [
        [_moment(value) if moment else value for value, moment in zip(row, moments, strict=True)]
        for row in rows[1:]
    ]
    return [*rows[:1], *body]


def _rows(archive: zipfile.ZipFile, part: str) -> Iterator[ElementTree.Element]:
    with archive.open(part) as file:
        for _, node in ElementTree.iterparse(file):
            if node.tag == f"{_MAIN}row":
                yield node
                node.clear()


def _shared(archive: zipfile.ZipFile) -> Iterator[str]:
    if "xl/sharedStrings.xml" in archive.namelist():
        for item in ElementTree.fromstring(archive.read("xl/sharedStrings.xml")).iter(f"{_MAIN}si"):
            yield _text(item)


def _row(node: ElementTree.Element, width: int, shared: list[str]) -> list[Any]:
    row: list[Any] = [None] * width
    for cell in node.iter(f"{_MAIN}c"):
        place = _column(cell.get("r", ""))
        if place >= width:
            raise ValueError("a cell beside the table")
        row[place] = _value(cell, shared)
    return row


def _column(reference: str) -> int:
    """0 for ``A7``, 27 for ``AB7``."""
    number = 0
    for letter in reference.rstrip("0123456789"):
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _value(cell: ElementTree.Element, shared: list[str]) -> Any:
    kind, content = cell.get("t"), cell.findtext(f"{_MAIN}v")
    if kind == "inlineStr":
        return _text(cell)
    if content is None:
        return None
    if kind == "s":
        return shared[int(content)]
    if kind == "str":
        return content
    return bool(int(content)) if kind == "b" else float(content)


def _text(node: ElementTree.Element) -> str:
    text = "".join(piece.text or "" for piece in node.iter(f"{_MAIN}t"))
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _moment(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return _EPOCH + round(dt.timedelta(days=value) / _MILLISECOND) * _MILLISECOND
