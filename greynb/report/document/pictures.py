"""Charts as SVG: fit for a page beside others, safe to read, and as PNG where nothing else will do."""

from __future__ import annotations

import base64
import io
import re
from functools import cache
from typing import Any
from xml.etree import ElementTree

from greynb.errors import UsageError

_PROLOG = re.compile(r"^.*?(?=<svg\b)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>|<!--.*?-->", re.DOTALL)
_NAMES = re.compile(r"""(\bid=["']|url\(["']?#|href=["']#)""")
_NAMESPACES = re.compile(r"""\sxmlns(?::\w+)?=(["'])[^"']*\1""")
_DRAWN = frozenset(
    "a circle clipPath defs desc ellipse g image line linearGradient marker mask path pattern polygon"
    " polyline radialGradient rect stop style svg symbol text textPath title tspan use".split()
)
"""The elements of a drawing that only draws."""
# What a drawing does not need, and what could run or load something, or be read otherwise by a page's parser.
_ACTIVE = re.compile(
    r"<[!?]|//|\\|javascript:|\bon\w+\s*=|<style[^>]*>[^<]*@"
    r"|(?:href|src)\s*=\s*[\"'](?!#|data:image/)|url\(\s*[\"']?(?!#|[\"'])",
    re.IGNORECASE,
)
INSTALL = 'pip install "greynb[report]"'


def svg_of(figure: Any) -> str:
    """Give the SVG of a chart: of text that is SVG, of what shows itself as SVG, of a matplotlib figure.

    Axes, which pandas' ``plot`` gives back, stand for their figure.

    Raises
    ------
    UsageError
        It is none of these, or the SVG is not well-formed.
    """
    if isinstance(figure, str) and "<svg" in figure:
        return _bare(figure)
    if hasattr(figure, "get_figure") and hasattr(figure, "get_title"):
        figure = figure.get_figure()
    if hasattr(figure, "savefig"):
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
        return _bare(file.getvalue())
    svg = getattr(figure, "svg", None) or getattr(figure, "_repr_svg_", lambda: None)()
    if isinstance(svg, str) and "<svg" in svg:
        return _bare(svg)
    raise UsageError(
        f"{type(figure).__name__} cannot be drawn", hint="give a matplotlib figure, a chart, or SVG as text"
    )


def description(figure: Any) -> str:
    """Say what a matplotlib figure shows, by the words on it: titles, axes, legends."""
    words = [figure.get_suptitle()] if hasattr(figure, "get_suptitle") else []
    for axes in figure.axes:
        titles = (axes.get_title(place) for place in ("left", "center", "right"))
        words += [title for title in titles if title]
        words += [
            f"{axis}: {text}" for axis, text in (("x", axes.get_xlabel()), ("y", axes.get_ylabel())) if text
        ]
        legend = axes.get_legend()
        words += [text.get_text() for text in legend.get_texts()] if legend else []
    said = "; ".join(" ".join(str(word).split()) for word in words if str(word).strip())
    return f"Chart: {said}" if said else "Chart without a title"


def _bare(svg: str) -> str:
    bare = _METADATA.sub("", _PROLOG.sub("", svg, count=1)).strip()
    try:
        ElementTree.fromstring(bare)
    except (ElementTree.ParseError, ValueError) as error:
        raise UsageError("the SVG of the chart is not well-formed", detail=f"  {error}") from error
    return bare


def is_passive(svg: str) -> bool:
    """Tell whether an SVG can stand in a page: no script, no handler, nothing from elsewhere."""
    if _ACTIVE.search(_NAMESPACES.sub("", svg)):
        return False
    return all(each.tag.rpartition("}")[2] in _DRAWN for each in ElementTree.fromstring(svg).iter())


def named(svg: str, prefix: str) -> str:
    """Put `prefix` before every id, so that two charts of a page do not take each other's parts."""
    return _NAMES.sub(lambda match: f"{match[1]}{prefix}", svg)


def data_uri(data: bytes, kind: str) -> str:
    """Write a picture as an address that holds it; `kind` is ``"svg+xml"`` or ``"png"``."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def png_of(svg: str, *, pixels_per_inch: int = 144) -> bytes:
    """Draw an SVG as PNG, on white.

    Raises
    ------
    UsageError
        The extra ``greynb[report]`` is not installed.
    """
    page = (
        '#set page(width: auto, height: auto, margin: 0pt, fill: white)\n#set text(font: "DejaVu Sans")\n'
        '#image(bytes(sys.inputs.svg), format: "svg")'
    )
    drawn = typst().compile(
        page.encode(), format="png", ppi=float(pixels_per_inch), sys_inputs={"svg": svg}, **fonts()
    )
    assert isinstance(drawn, bytes)
    return drawn


def typst() -> Any:
    """Give the module typst, or say how to install it."""
    try:
        import typst as module
    except ImportError as error:
        raise UsageError("PDF files and pictures cannot be made here", hint=INSTALL) from error
    return module


@cache
def fonts() -> dict[str, Any]:
    """Say which fonts typst may use: its own and matplotlib's, the same on every machine."""
    try:
        import matplotlib
    except ImportError as error:
        raise UsageError("PDF files and pictures cannot be made here", hint=INSTALL) from error
    return {"font_paths": [f"{matplotlib.get_data_path()}/fonts/ttf"], "ignore_system_fonts": True}
