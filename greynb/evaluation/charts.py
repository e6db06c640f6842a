"""A chart as SVG, with the words for those who cannot see it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from greynb.errors import UsageError
from greynb.evaluation.chartstyle import chart_style

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """A chart; a notebook shows it, a report takes it.

    Attributes
    ----------
    svg
        The drawing.
    alt
        What it shows, in words and numbers.
    caption
        A line to stand under it.
    source
        The frame that it was drawn from.
    """

    svg: str = field(repr=False)
    alt: str
    caption: str
    source: pd.DataFrame = field(repr=False)

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": self.alt}


@contextmanager
def drawing(width: float, height: float) -> Iterator[Any]:
    """A matplotlib figure in the look of the charts, while the block runs.

    Parameters
    ----------
    width, height
        In inches.

    Raises
    ------
    UsageError
        matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError("charts need matplotlib", hint='pip install "greynb[report]"') from None
    with matplotlib.rc_context(chart_style()):
        yield Figure(figsize=(width, height))


def signed(pattern: str) -> Callable[[float, int], str]:
    """A format of ticks with their sign, but for 0."""
    return lambda value, _: pattern.format(value).lstrip("+") if abs(value) < 1e-9 else pattern.format(value)


def finished(figure: Any, alt: str, caption: str, source: pd.DataFrame) -> Chart:
    """The chart of a figure; the SVG is the same whenever it is drawn, and says in itself what it shows."""
    with io.StringIO() as file:
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
        text = file.getvalue()
    start = text.index(">", text.index("<svg")) + 1
    svg = text[text.index("<svg") : start] + f"\n <desc>{escape(alt)}</desc>" + text[start:]
    return Chart(svg, alt, caption, source)
