"""An executed notebook as a document: its texts and results, without its code, prints and warnings."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from greynb.report.document import prose
from greynb.report.document.blocks import Block, Chart, Code, Foreign, Heading, Picture
from greynb.report.document.codec import MIME, from_json
from greynb.report.document.document import Document
from greynb.report.document.pictures import svg_of
from greynb.report.recording import sources_of

if TYPE_CHECKING:
    from nbformat import NotebookNode

_SQL = re.compile(r"%%(analytics|staging)\b[^\n]*\n")
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_NO_OUTPUT: Final = frozenset(("remove-output", "remove-cell"))  # Jupyter Book's tags
_NO_INPUT: Final = frozenset(("remove-input", "hide-input", "remove-cell"))


def document_of(node: NotebookNode, *, show_code: bool = False, subtitle: str = "") -> Document:
    """Make a document of an executed notebook.

    The first heading is the title. Of the outputs, what greynb and matplotlib show keeps its structure;
    pictures stay pictures; the HTML of other libraries stays HTML on a page and is plain text elsewhere.
    Prints and warnings are left out, and so is the output of cells tagged ``remove-output``. The SQL of all
    results that the notebook made stands in the appendix.

    Parameters
    ----------
    node
        The notebook, as `greynb.report.execute_notebook` gives it.
    show_code
        Whether the code of the cells is shown too; cells tagged ``remove-input`` keep theirs hidden.
    subtitle
        A line under the title.
    """
    found = list(_cells(node, show_code))
    title = next((block for block in found if isinstance(block, Heading) and block.level == 1), None)
    return Document(
        title=title.text if title else "Report",
        blocks=tuple(block for block in found if block is not title),
        subtitle=subtitle,
        origin=node.metadata.get("greynb", {}).get("notebook", "a notebook"),
        silent=tuple(sources_of(node)),
    )


def _cells(node: NotebookNode, show_code: bool) -> Iterator[Block]:
    heading = "Result"
    for cell in node.cells:
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type == "markdown" and "remove-cell" not in tags:
            for block in prose.split(cell.source):
                heading = block.text if isinstance(block, Heading) else heading
                yield block
        elif cell.cell_type == "code":
            if show_code and cell.source.strip() and not tags & _NO_INPUT:
                yield Code(cell.source, "sql" if _SQL.match(cell.source) else "python")
            if not tags & _NO_OUTPUT:
                for output in _shown(cell):
                    yield from _blocks(output.data, heading)


def _shown(cell: NotebookNode) -> Iterator[Any]:
    return (each for each in cell.outputs if each.output_type in ("display_data", "execute_result"))


def _blocks(data: Mapping[str, Any], heading: str) -> Iterator[Block]:
    """Give one output in the best form that it comes in; what only widgets or programs read is left out."""
    plain = _joined(data.get("text/plain", ""))
    if MIME in data:
        yield from from_json(data[MIME])
    elif "image/svg+xml" in data:
        yield Chart(svg_of(_joined(data["image/svg+xml"])), f"Chart: {heading}")
    elif (png := base64.b64decode(_joined(data.get("image/png", "")))).startswith(_PNG):
        yield Picture(png, f"Picture: {heading}")
    elif "text/html" in data:
        yield Foreign(_joined(data["text/html"]), plain)
    elif "text/markdown" in data:
        yield from prose.split(_joined(data["text/markdown"]))
    elif plain and not any("widget" in kind for kind in data):
        yield Code(plain)


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
