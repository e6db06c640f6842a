"""An executed notebook as one HTML file that needs nothing else: no network, no scripts."""

from __future__ import annotations

import datetime as dt
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from greynb import __version__
from greynb.report.charts import PAGE_VARIABLES

if TYPE_CHECKING:
    from nbformat import NotebookNode

_SVG_START = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_SVG_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_SCRIPT = re.compile(r"<script\b(?![^>]*application/json).*?</script>", re.DOTALL | re.IGNORECASE)
_SQL = re.compile(r"^%%(analytics|staging)\b[^\n]*\n")

_SILENT = "remove-output"  # Jupyter Book's tag for a cell whose output is not for readers


def write_html(node: NotebookNode, path: Path, *, hide_code: bool = True) -> None:
    """Write the page; it is written aside and renamed, so that a half page is never seen.

    Prints and warnings of the cells are left out, and so is the output of cells tagged
    ``remove-output``. Code is left out too, but the SQL of the cells stays in an appendix, so that a reader
    can see how each number was made.

    Parameters
    ----------
    node
        The executed notebook.
    path
        The file to write; replaced when it is there.
    hide_code
        Whether the code of the cells is left out.
    """
    page = _page(node, hide_code)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(page)
        Path(aside).chmod(0o644)
        Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def _page(node: NotebookNode, hide_code: bool) -> str:
    folder = files("greynb.report")
    template = Template((folder / "page.html").read_text(encoding="utf-8"))
    made = dt.datetime.now().astimezone()
    source = node.metadata.get("greynb", {}).get("notebook", "a notebook")
    return template.substitute(
        title=escape(_title(node)),
        style=(folder / "page.css").read_text(encoding="utf-8"),
        body="\n".join(_cells(node, hide_code)),
        appendix=_appendix(node) if hide_code else "",
        footer=escape(f"Made on {made.day} {made:%B %Y at %H:%M %Z} by greynb {__version__} from {source}."),
    )


def _title(node: NotebookNode) -> str:
    for cell in node.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("# "):
            return str(cell.source.splitlines()[0][2:])
    return "Report"


def _cells(node: NotebookNode, hide_code: bool) -> Iterator[str]:
    heading = _title(node)
    for cell in node.cells:
        if cell.cell_type == "markdown":
            heading = _last_heading(cell.source) or heading
            yield _markdown(cell.source)
        elif cell.cell_type == "code":
            if not hide_code and cell.source.strip():
                yield f'<pre class="code">{escape(cell.source)}</pre>'
            if _SILENT not in cell.metadata.get("tags", []):
                yield from _outputs(cell.outputs, heading)


def _last_heading(text: str) -> str | None:
    headings = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    return headings[-1] if headings else None


def _markdown(text: str) -> str:
    import mistune

    return str(mistune.html(text))


def _outputs(outputs: list[Any], heading: str) -> Iterator[str]:
    for output in outputs:
        if output.output_type in ("display_data", "execute_result"):
            yield _shown(output.data, heading)


def _shown(data: Mapping[str, Any], heading: str) -> str:
    """Give the HTML of one output, in the best form that it comes in."""
    if "image/svg+xml" in data:
        return f"<figure>{_svg(_joined(data['image/svg+xml']), heading)}</figure>"
    if "image/png" in data:
        image = _joined(data["image/png"]).replace("\n", "")
        return f'<figure><img alt="{escape(heading)}" src="data:image/png;base64,{image}"></figure>'
    if "text/html" in data:
        return f'<div class="output">{_SCRIPT.sub("", _joined(data["text/html"]))}</div>'
    if "text/markdown" in data:
        return _markdown(_joined(data["text/markdown"]))
    return f"<pre>{escape(_joined(data.get('text/plain', '')))}</pre>"


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _svg(text: str, heading: str) -> str:
    """Fit a chart into the page: no prolog, a name for screen readers, the page's own colours."""
    text = _SVG_METADATA.sub("", _SVG_START.sub("", text))
    for colour, variable in PAGE_VARIABLES.items():
        text = text.replace(colour, variable)
    label = f'<svg role="img" aria-label="Chart: {escape(heading, quote=True)}" '
    return text.replace("<svg ", label, 1)


def _appendix(node: NotebookNode) -> str:
    """Collect the SQL cells, each under the heading that it belongs to."""
    heading, parts = _title(node), []
    for cell in node.cells:
        if cell.cell_type == "markdown":
            heading = _last_heading(cell.source) or heading
        elif (match := _SQL.match(cell.source)) is not None:
            sql = escape(cell.source[match.end() :].strip())
            parts.append(f"<h3>{escape(heading)} · {match[1]}</h3><pre class='code'>{sql}</pre>")
    if not parts:
        return ""
    summary = "<summary>How the numbers are made: the SQL</summary>"
    return f'<details class="appendix">{summary}{"".join(parts)}</details>'
