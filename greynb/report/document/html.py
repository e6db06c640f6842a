"""A document as one HTML file: no network, no scripts, light and dark, on screen and on paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from greynb import __version__
from greynb.report.charts import PAGE_VARIABLES
from greynb.report.document import blocks, prose, richtable
from greynb.report.document.appendix import entries
from greynb.report.document.cleaning import cleaned
from greynb.report.document.document import Document, moment, origins
from greynb.report.document.formatting import signs
from greynb.report.document.pictures import data_uri, is_passive, named
from greynb.report.document.records import as_scripts
from greynb.report.seal import seal


def write(document: Document, path: Path) -> None:
    """Write the page to a file."""
    path.write_text(page(document), encoding="utf-8", errors="replace", newline="\n")


def page(document: Document) -> str:
    """Give the whole page, sealed, with the records of its sources."""
    return seal(
        Template(_file("page.html")).substitute(
            title=escape(document.title),
            style=_file("page.css").strip(),
            body=_body(document),
            footer=escape(made_by(document)),
            records=as_scripts(document),
        )
    )


def preview(document: Document) -> str:
    """Write the page as a part of another one, such as a notebook's output."""
    return _styled(f'<div class="gn-page">{_body(document)}</div>')


def fragment(block: blocks.Block) -> str:
    """Write one block as a part of another page."""
    place = _Place("b0", Document("", (block,)).numbers, linked=False)
    return _styled(_BLOCKS[type(block)](block, place))


def _styled(html: str) -> str:
    return f'<div class="greynb"><style>{_file("page.css")}</style>{html}</div>'


def made_by(document: Document) -> str:
    """Say when and by what a document was made."""
    origin = f" from {document.origin}" if document.origin else ""
    return f"Made on {moment(document.made)} {document.made:%Z} by greynb {__version__}{origin}."


@cache
def _file(name: str) -> str:
    return (files("greynb.report.document") / name).read_text(encoding="utf-8")


def _body(document: Document) -> str:
    subtitle = f'<p class="gn-subtitle">{escape(document.subtitle)}</p>' if document.subtitle else ""
    parts = [f"<h1>{escape(document.title)}</h1>{subtitle}"]
    numbers = document.numbers
    for number, block in enumerate(document.blocks):
        parts.append(_BLOCKS[type(block)](block, _Place(f"b{number}", numbers)))
    parts.append(_appendix(document))
    return "\n".join(part for part in parts if part)


class _Place:
    """Where in its document a block stands: gives it ids of its own and the numbers of its sources."""

    def __init__(self, name: str, numbers: Mapping[str, int], *, linked: bool = True) -> None:
        self.id = name
        self._numbers = numbers
        self._linked = linked

    def small_print(self, sources: tuple[Any, ...]) -> str:
        lines = [
            escape(text) + (f' · <a href="#sql-{number}">SQL {number}</a>' if self._linked else "")
            for text, number in origins(sources, self._numbers)
        ]
        return f'<p class="gn-source">{"<br>".join(lines)}</p>' if lines else ""


def _heading(block: blocks.Heading, place: _Place) -> str:
    return f'<h{block.level} id="{place.id}">{escape(block.text)}</h{block.level}>'


def _text(block: blocks.Text, place: _Place) -> str:
    return prose.as_html(block.markdown).strip()


def _note(block: blocks.Note, place: _Place) -> str:
    return f'<p class="gn-note">{escape(signs(block.text))}</p>'


def _code(block: blocks.Code, place: _Place) -> str:
    return f'<pre class="gn-code" tabindex="0">{escape(block.text)}</pre>'


def _tiles(block: blocks.Tiles, place: _Place) -> str:
    tiles = "".join(
        f'<div class="gn-tile"><dt class="gn-label">{escape(tile.label)}</dt>'
        f'<dd class="gn-value">{escape(signs(tile.value))}</dd>'
        + (f'<dd class="gn-remark">{escape(signs(tile.remark))}</dd>' if tile.remark else "")
        + "</div>"
        for tile in block.tiles
    )
    return f'<dl class="gn-tiles">{tiles}</dl>{place.small_print(block.sources)}'


def _table(block: blocks.Table, place: _Place) -> str:
    if not block.columns:
        return '<p class="gn-source">A table without columns.</p>'
    cut = f'<p class="gn-source">{escape(block.cut)}</p>' if block.cut else ""
    table = richtable.as_html(block, place.id)
    # Scrolls where it is too wide, and can then be reached with the keyboard.
    return f'<div class="gn-scroll" tabindex="0">{table}</div>{cut}{place.small_print(block.sources)}'


def _chart(block: blocks.Chart, place: _Place) -> str:
    caption = f"<figcaption>{escape(block.caption)}</figcaption>" if block.caption else ""
    return f"<figure>{_drawing(block, place)}{caption}</figure>{place.small_print(block.sources)}"


def _drawing(block: blocks.Chart, place: _Place) -> str:
    """Put the SVG into the page with the page's own colours; what could run or load as a mere picture."""
    if not is_passive(block.svg):
        source = data_uri(block.svg.encode("utf-8", "replace"), "svg+xml")
        return f'<img src="{source}" alt="{escape(block.alt)}">'
    svg = named(block.svg, f"{place.id}-")
    for colour, variable in PAGE_VARIABLES.items():
        svg = svg.replace(colour, variable)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(block.alt)}"', 1)


def _picture(block: blocks.Picture, place: _Place) -> str:
    return f'<figure><img src="{data_uri(block.data, "png")}" alt="{escape(block.alt)}"></figure>'


def _foreign(block: blocks.Foreign, place: _Place) -> str:
    return f'<div class="gn-scroll" tabindex="0">{cleaned(block.html)}</div>'


_BLOCKS: dict[type, Callable[[Any, _Place], str]] = {
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
    if not found:
        return ""
    parts = [
        f'<section id="sql-{entry.number}"><h3>SQL {entry.number}</h3>'
        f'<p class="gn-source">{escape(entry.where)}</p>{"".join(map(_code_of, entry.codes))}'
        + (f'<p class="gn-source">{escape(entry.values)}</p>' if entry.values else "")
        + "</section>"
        for entry in found
    ]
    heading = '<h2 id="appendix">How the numbers are made</h2>'
    return f'<section class="gn-appendix">{heading}{"".join(parts)}</section>'


def _code_of(text: str) -> str:
    return f'<pre class="gn-code" tabindex="0">{escape(text)}</pre>'
