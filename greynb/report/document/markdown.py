"""A document as GitHub-flavoured Markdown; its charts as SVG files in a folder beside it.

GitHub and most other readers show no pictures that are written into the text, hence the folder
``NAME_files``. The record of the sources stands in ``NAME.md.meta.json``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from greynb.databases.filehash import sha256_of
from greynb.report.document import blocks
from greynb.report.document.appendix import entries
from greynb.report.document.document import Document, origins
from greynb.report.document.formatting import signs
from greynb.report.document.html import made_by
from greynb.report.document.prose import escaped
from greynb.report.document.records import as_json, record
from greynb.report.exports.records import beside

_TICKS = re.compile(r"`+")


def companions(path: Path) -> tuple[Path, ...]:
    """What goes along with a text: the folder of its pictures, and its record."""
    return path.with_name(f"{path.stem}_files"), beside(path)


def write(document: Document, path: Path) -> None:
    """Write the text to `path`, and what goes with it beside it."""
    pictures = _Pictures(path)
    parts = [f"# {escaped(document.title)}"]
    if document.subtitle:
        parts.append(escaped(document.subtitle))
    numbers = document.numbers
    for block in document.blocks:
        parts.append(_BLOCKS[type(block)](block, pictures))
        lines = [getattr(block, "cut", "")]
        for text, number in origins(getattr(block, "sources", ()), numbers):
            lines.append(f"{escaped(text)} · [SQL {number}](#sql-{number})")
        if small := "<br>".join(line for line in lines if line):
            parts.append(f"<sub>{small}</sub>")
    parts += [_appendix(document), "---", escaped(made_by(document))]
    text = "\n\n".join(part for part in parts if part) + "\n"
    path.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    kept = record(document) | {"report": {"sha256": sha256_of(path)}}
    beside(path).write_text(as_json(kept), encoding="utf-8")


class _Pictures:
    """Writes pictures into the folder beside the text, and gives the text that shows them."""

    def __init__(self, path: Path) -> None:
        self._folder = companions(path)[0]
        self._count = 0

    def add(self, data: bytes, suffix: str, alt: str) -> str:
        self._folder.mkdir(exist_ok=True)
        self._count += 1
        name = f"chart-{self._count}{suffix}"
        (self._folder / name).write_bytes(data)
        return f"![{escaped(alt)}]({quote(self._folder.name)}/{name})"


def _heading(block: blocks.Heading, pictures: _Pictures) -> str:
    return f"{'#' * block.level} {escaped(block.text)}"


def _text(block: blocks.Text, pictures: _Pictures) -> str:
    return block.markdown


def _note(block: blocks.Note, pictures: _Pictures) -> str:
    return f"> {escaped(signs(block.text))}"


def _code(block: blocks.Code, pictures: _Pictures) -> str:
    return _fenced(block.text, block.language)


def _fenced(text: str, language: str) -> str:
    longest = max((len(found) for found in _TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _tiles(block: blocks.Tiles, pictures: _Pictures) -> str:
    heads = [escaped(tile.label) for tile in block.tiles]
    values = [f"**{escaped(signs(tile.value))}**" for tile in block.tiles]
    remarks = [escaped(signs(tile.remark)) for tile in block.tiles]
    return _grid(heads, ["---"] * len(heads), [values, remarks] if any(remarks) else [values])


def _table(block: blocks.Table, pictures: _Pictures) -> str:
    if not block.columns:
        return "*A table without columns.*"
    over = {place: text for text, first, count in block.spanners for place in range(first, first + count)}
    heads = [
        " ".join(part for part in (f"{over[place]}:" if place in over else "", column.label, unit) if part)
        for place, column in enumerate(block.columns)
        for unit in [f"({column.unit})" if column.unit else ""]
    ]
    sides = ["--:" if column.number else "---" for column in block.columns]
    rows = [[escaped(text) for text in row] for row in zip(*(c.texts for c in block.columns), strict=True)]
    grid = _grid([escaped(head) for head in heads], sides, rows)
    return f"**{escaped(block.caption)}**\n\n{grid}" if block.caption else grid


def _grid(heads: list[str], sides: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, sides, *rows))


def _chart(block: blocks.Chart, pictures: _Pictures) -> str:
    shown = pictures.add(block.svg.encode("utf-8", "replace"), ".svg", block.alt)
    return f"{shown}\n\n*{escaped(block.caption)}*" if block.caption else shown


def _picture(block: blocks.Picture, pictures: _Pictures) -> str:
    return pictures.add(block.data, ".png", block.alt)


def _foreign(block: blocks.Foreign, pictures: _Pictures) -> str:
    return _fenced(block.text, "")


_BLOCKS: dict[type, Callable[[Any, _Pictures], str]] = {
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


def _appendix(document: Document) -> str:
    found = entries(document)
    parts = ["## How the numbers are made"] if found else []
    for entry in found:
        parts += [f"### SQL {entry.number}", escaped(entry.where)]
        parts += [_fenced(code, "sql") for code in entry.codes]
        parts += [escaped(entry.values)] if entry.values else []
    return "\n\n".join(parts)
