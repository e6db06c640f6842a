"""What a document is made of: a handful of blocks, each complete in itself and never changed.

A renderer needs nothing but these: numbers are already written as a reader wants them, charts are SVG, and
every block that shows data knows where the data came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from greynb.report.recording import Source


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; `level` 2 is a section, 3 and 4 are below it. The title of the document is level 1."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Text:
    """Paragraphs, lists and the like, written in Markdown; HTML tags in it are left out."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Note:
    """A remark that stands out: a conclusion, or something that the reader must know. Plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Text that is shown letter under letter; `language` is ``"sql"``, ``"python"`` or empty."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """One metric: what it is, its value as text, and a remark under it."""

    label: str
    value: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Tiles:
    """Metrics side by side, and where they come from."""

    tiles: tuple[Tile, ...]
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, as it is shown.

    Attributes
    ----------
    label, unit
        Its heading, and the unit beside it, such as ``"km/h"``.
    number
        Whether it stands right, as numbers do.
    texts
        The shown rows, formatted; a missing value is a dash.
    shades
        Per shown row a colour as ``#rrggbbaa``, or None; empty without a colour scale.
    format
        The format that made the texts, where it was a pattern such as ``"{:.1%}"``.
    scale
        The name of the colour scale, or None.
    """

    label: str
    unit: str
    number: bool
    texts: tuple[str, ...]
    shades: tuple[str | None, ...] = ()
    format: str | None = None
    scale: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table for reading.

    Attributes
    ----------
    columns
        As shown; they hold the first rows, as many as are read.
    frame
        The data with their types, for the workbook: one column per shown column, in the same order.
    total
        Rows in all; more than the columns hold where the table is cut.
    caption
        A line above it; may be empty.
    spanners
        Headings above several columns: text, first column and number of columns.
    sources
        Where the data come from.
    """

    columns: tuple[Column, ...]
    frame: pd.DataFrame
    total: int
    caption: str = ""
    spanners: tuple[tuple[str, int, int], ...] = ()
    sources: tuple[Source, ...] = ()

    @property
    def shown(self) -> int:
        """How many rows the columns hold."""
        return len(self.columns[0].texts) if self.columns else 0

    @property
    def cut(self) -> str:
        """What to say where rows are left out, else an empty text."""
        if self.shown >= self.total:
            return ""
        held = len(self.frame)
        if held <= self.shown:
            return f"The first {self.shown:,} of {self.total:,} rows."
        inside = "all" if held == self.total else f"the first {held:,}"
        return f"The first {self.shown:,} of {self.total:,} rows; {inside} are in the Excel workbook."


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as SVG, with a text that says what it shows to those who cannot see it."""

    svg: str
    alt: str
    caption: str = ""
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a notebook left as PNG; `data` is the file's bytes."""

    data: bytes
    alt: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """Output of another library: its HTML for pages, its plain text for everything else."""

    html: str
    text: str


Block = Heading | Text | Note | Code | Tiles | Table | Chart | Picture | Foreign
