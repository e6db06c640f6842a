"""A document as PDF by typst: tagged, with real tables, bundled fonts, and the record of its queries inside.

The look is in ``pdf.typ``, which reads the document as JSON. No text is ever written as Typst markup, so
there is nothing to escape.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from greynb.errors import GreynbError
from greynb.report.document import blocks, prose
from greynb.report.document.appendix import entries
from greynb.report.document.document import Document, moment, origins
from greynb.report.document.formatting import signs
from greynb.report.document.html import made_by
from greynb.report.document.pictures import data_uri, fonts, typst
from greynb.report.document.records import as_json, record

_LONG_WORD = re.compile(r"(\S{30})(?=\S)")
_WIDTH = 88
"""Characters that fit side by side in a table on A4."""
_ROOM = 6.0
"""Letters added at most at each side of a column: wider apart, a row is no longer read as one."""


def write(document: Document, path: Path) -> None:
    """Write the PDF to a file; raises what `pdf` does."""
    path.write_bytes(pdf(document))


def pdf(document: Document) -> bytes:
    """Give a document as PDF, with the record of its sources attached as ``greynb.json``.

    It is made as PDF/UA-1, which promises to screen readers that everything can be read, unless a character
    is not in the fonts that come along.

    Raises
    ------
    UsageError
        The extra ``greynb[report]`` is not installed.
    """
    module = typst()
    template = (files("greynb.report.document") / "pdf.typ").read_bytes()
    inputs = {"document": _json(document), "sources": as_json(record(document))}

    def compiled(standards: list[str]) -> bytes:
        made = module.compile(
            template,
            format="pdf",
            sys_inputs=inputs,
            pdf_standards=standards,
            timestamp=document.made.replace(microsecond=0),
            **fonts(),
        )
        assert isinstance(made, bytes)
        return made

    try:
        return compiled(["ua-1"])
    except module.TypstError:
        try:
            return compiled([])
        except module.TypstError as error:
            raise GreynbError("the PDF could not be made", detail=f"  {error.message}") from error


def _json(document: Document) -> str:
    numbers = document.numbers

    def shown(block: Any) -> Mapping[str, Any]:
        fields = _BLOCKS[type(block)](block)
        found = getattr(block, "sources", ())
        return fields | {
            "sources": [{"where": text, "number": number} for text, number in origins(found, numbers)]
        }

    tree = {
        "title": document.title,
        "subtitle": document.subtitle,
        "byline": moment(document.made),
        "date": f"{document.made.day} {document.made:%B %Y}",
        "footer": made_by(document),
        "blocks": [shown(block) for block in document.blocks],
        "appendix": [
            {"number": each.number, "where": each.where, "codes": list(each.codes), "values": each.values}
            for each in entries(document)
        ],
    }
    # A lone surrogate is no character, and JSON readers refuse it.
    return json.dumps(tree, ensure_ascii=False).encode("utf-8", "replace").decode("utf-8")


def _heading(block: blocks.Heading) -> dict[str, Any]:
    return {"kind": "heading", "level": block.level, "text": block.text}


def _text(block: blocks.Text) -> dict[str, Any]:
    return {"kind": "text", "tree": prose.as_tree(block.markdown)}


def _note(block: blocks.Note) -> dict[str, Any]:
    return {"kind": "note", "text": signs(block.text)}


def _code(block: blocks.Code) -> dict[str, Any]:
    return {"kind": "code", "text": block.text, "language": block.language}


def _tiles(block: blocks.Tiles) -> dict[str, Any]:
    tiles = [
        {"label": tile.label, "value": signs(tile.value), "remark": signs(tile.remark)}
        for tile in block.tiles
    ]
    return {"kind": "tiles", "tiles": tiles}


def _table(block: blocks.Table) -> dict[str, Any]:
    columns = block.columns
    rows = zip(*([_breakable(text) for text in column.texts] for column in columns), strict=True)
    return {
        "kind": "table",
        "caption": block.caption,
        "columns": [
            {"label": _breakable(each.label), "unit": each.unit, "number": each.number} for each in columns
        ],
        "rows": [list(row) for row in rows],
        "shades": [list(column.shades) for column in columns],
        "spanners": [{"text": text, "first": first, "count": count} for text, first, count in block.spanners],
        "room": _room(columns),
        "cut": block.cut,
    }


def _room(columns: tuple[blocks.Column, ...]) -> float:
    """Share what a line has left among its columns: letters to add at both sides of each."""
    longest = [max(map(len, (each.label + each.unit, *each.texts))) + 2 for each in columns]
    return min(max(_WIDTH - sum(longest), 0) / (2 * max(1, len(columns))), _ROOM)


def _breakable(text: str) -> str:
    """Let a word break that is too long for a cell."""
    return _LONG_WORD.sub("\\1\u200b", text)


def _chart(block: blocks.Chart) -> dict[str, Any]:
    return {"kind": "chart", "svg": block.svg, "alt": block.alt, "caption": block.caption, "width": 1}


def _picture(block: blocks.Picture) -> dict[str, Any]:
    """Wrap a PNG as SVG, the one kind of picture that JSON carries as it is; 96 pixels are an inch."""
    width, height = struct.unpack(">II", block.data[16:24])
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<image width="{width}" height="{height}" href="{data_uri(block.data, "png")}"/></svg>'
    )
    return {"kind": "chart", "svg": svg, "alt": block.alt, "caption": "", "width": min(1, width / 640)}


def _foreign(block: blocks.Foreign) -> dict[str, Any]:
    return {"kind": "code", "text": block.text, "language": ""}


_BLOCKS: dict[type, Callable[[Any], dict[str, Any]]] = {
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
