"""Which part of an Excel file is which sheet, and the texts in a sheet's cells."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The parts of a workbook, for a block that reads them.

    Raises
    ------
    ValueError
        The file is no Excel file, or what the block reads of it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, LookupError, SyntaxError) as error:
        raise ValueError(f"{path.name} is no Excel file, or damaged ({error})") from error


def sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Give the part of each sheet, by the sheet's name."""
    links = {
        link.get("Id"): posixpath.normpath(posixpath.join("/xl", link.get("Target", ""))).lstrip("/")
        for link in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    }
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    return {str(sheet.get("name")): links[sheet.get(f"{_LINK}id")] for sheet in book.iter(f"{_MAIN}sheet")}


def sheet_texts(archive: zipfile.ZipFile, part: str) -> Iterator[list[str]]:
    """Give the texts of each row of a sheet, as XlsxWriter or Excel stores them."""
    shared: list[str] = []
    if "xl/sharedStrings.xml" in archive.namelist():
        table = ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
        shared = [_text(item) for item in table.iter(f"{_MAIN}si")]
    for row in ElementTree.fromstring(archive.read(part)).iter(f"{_MAIN}row"):
        yield [
            shared[int(cell.findtext(f"{_MAIN}v", "0"))] if cell.get("t") == "s" else _text(cell)
            for cell in row.iter(f"{_MAIN}c")
        ]


def _text(node: ElementTree.Element) -> str:
    return "".join(piece.text or "" for piece in node.iter(f"{_MAIN}t"))
