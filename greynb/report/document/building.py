"""`greynb.Report`: a document built line by line in a notebook or script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from greynb.errors import UsageError
from greynb.report.document import prose
from greynb.report.document.blocks import Block, Chart, Code, Heading, Note, Text, Tile, Tiles
from greynb.report.document.document import Document
from greynb.report.document.formatting import Format, texts
from greynb.report.document.pictures import svg_of
from greynb.report.document.tables import ROWS, no_frame, table_of

if TYPE_CHECKING:
    import pandas as pd

    from greynb.report.recording import Source

    Origin = pd.DataFrame | Source | Sequence[pd.DataFrame | Source] | None

TileLike = tuple[str, str | float] | tuple[str, str | float, str]
"""Label, value and, where there is one, a remark."""


class Report:
    """A report that is built in order, shows itself in a notebook, and is saved in any format.

    ::

        report = greynb.Report("The month in one page")
        report.tiles([("Races", "1,204"), ("Winners picked", "31.2%", "favourite 34.0%")], source=season)
        report.heading("Venues").table(venues, "The twelve busiest", formats={"won": "{:.1%}"})
        report.chart(figure, alt="Winners picked by month, rising from 28 to 31 %", source=season)
        report.save("month.html", "month.pdf", "month.xlsx")

    Every method that adds something gives the report back. A DataFrame from a ``%%analytics`` cell or
    `greynb.evaluate` brings its query along: it is named under the block, written out in the appendix, and
    kept in the file so that ``greynb verify`` can run it again.

    Parameters
    ----------
    title
        The heading above everything.
    subtitle
        A line under it.
    """

    def __init__(self, title: str, subtitle: str = "") -> None:
        self.title = _text("a title", title)
        self.subtitle = subtitle
        self._blocks: list[Block] = []

    def heading(self, text: str, level: int = 2) -> Self:
        """Begin a section (level 2) or a part of one (3, 4)."""
        if not isinstance(level, int):
            raise UsageError(f"the level of a heading is 2, 3 or 4, not {level!r}")
        return self._add(Heading(_text("a heading", text), level))

    def text(self, markdown: str) -> Self:
        """Add paragraphs, lists, links, emphasis, in Markdown; headings in it begin sections."""
        return self._add(*prose.split(_text("a text", markdown)))

    def note(self, text: str) -> Self:
        """Add a remark that stands out: a conclusion, or something that the reader must know."""
        return self._add(Note(_text("a note", text)))

    def code(self, text: str, language: str = "") -> Self:
        """Add text that is shown letter under letter."""
        return self._add(Code(text, language))

    def tiles(self, metrics: Sequence[TileLike], *, source: Origin = None) -> Self:
        """Add a row of metrics: label, value and, where given, a remark under it.

        Parameters
        ----------
        metrics
            The texts as they are to be read; a number is written as in a table without a format.
        source
            The DataFrames that the numbers were taken from.

        Raises
        ------
        UsageError
            A metric has no label or no value.
        """
        return self._add(tiles_of(metrics, source))

    def table(
        self,
        df: pd.DataFrame,
        caption: str = "",
        *,
        formats: Mapping[str, Format] | None = None,
        labels: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
        scale: Mapping[str, str] | None = None,
        spanners: Mapping[str, Sequence[str]] | None = None,
        rows: int = ROWS,
        source: Origin = None,
    ) -> Self:
        """Add a DataFrame as a table for reading; the index is left out.

        Parameters
        ----------
        df
            What to show.
        caption
            A line above the table.
        formats
            Per column a format such as ``"{:.1%}"``, or a function from value to text.
        labels
            Per column its heading; without one, the name with spaces for underscores.
        units
            Per column the unit that stands beside its heading.
        scale
            Per column ``"sequential"`` or ``"diverging"`` (around zero): cells are coloured by value.
        spanners
            Headings over columns that stand side by side: ``{"Return": ["flat", "kelly"]}``.
        rows
            Rows shown at most, with a line that says how many there are; the Excel workbook holds all.
        source
            The DataFrames that `df` was made of, where it does not come from a query itself.

        Raises
        ------
        UsageError
            It is not a DataFrame, a column that is named is not in it, or a format does not fit its values.
        """
        made = table_of(
            df,
            caption,
            formats=formats,
            labels=labels,
            units=units,
            scale=scale,
            spanners=spanners,
            rows=rows,
            sources=sources(df if source is None else source),
        )
        return self._add(made)

    def chart(
        self, figure: Any, *, alt: str | None = None, caption: str | None = None, source: Origin = None
    ) -> Self:
        """Add a chart.

        Parameters
        ----------
        figure
            A matplotlib figure or its axes, a chart of `greynb.evaluation`, or SVG as text.
        alt
            What the chart shows, for those who cannot see it; needed unless the chart brings its own.
        caption
            A line under it.
        source
            The DataFrames that it was drawn from.

        Raises
        ------
        UsageError
            There is no `alt`, or the figure cannot be drawn.
        """
        words = alt or getattr(figure, "alt", None)
        if not isinstance(words, str) or not words.strip():
            raise UsageError(
                "a chart needs a text for those who cannot see it",
                hint='say what it shows: report.chart(figure, alt="Return by month, between -8 and 3 %")',
            )
        found = source if source is not None else getattr(figure, "source", None)
        under = getattr(figure, "caption", "") if caption is None else caption
        return self._add(Chart(svg_of(figure), words, str(under or ""), sources(found)))

    @property
    def document(self) -> Document:
        """The report as it is now, as a document that no longer changes."""
        return Document(self.title, tuple(self._blocks), self.subtitle)

    def save(self, *paths: str | PathLike[str], force: bool = False) -> tuple[Path, ...]:
        """Write the report, in the format of each path's suffix: ``.html``, ``.pdf``, ``.xlsx`` or ``.md``.

        Every format is made before the first file is put in its place, so an error leaves all as it was.

        Parameters
        ----------
        paths
            One or more files; folders that are missing are made.
        force
            Whether files that are there are replaced.

        Raises
        ------
        UsageError
            No path, an unknown suffix, a file that is there, or the extra ``greynb[report]`` is missing.
        """
        from greynb.report.document.writing import save

        return save(self.document, *(Path(path) for path in paths), force=force)

    def _repr_greynb_blocks_(self) -> list[dict[str, Any]]:
        from greynb.report.document.codec import as_json

        document = self.document
        under = [Text(prose.escaped(document.subtitle))] if document.subtitle else []
        return as_json([Heading(document.title, 1), *under, *document.blocks])

    def _repr_html_(self) -> str:
        from greynb.report.document.html import preview

        return preview(self.document)

    def __repr__(self) -> str:
        return f"Report({self.title!r}, {len(self._blocks)} blocks)"

    def _add(self, *blocks: Block) -> Self:
        self._blocks.extend(blocks)
        return self


def tiles_of(metrics: Sequence[TileLike], source: Origin) -> Tiles:
    """Make a row of tiles of labels, values and remarks."""
    for each in metrics:
        if isinstance(each, str) or len(each) not in (2, 3):
            raise UsageError(
                "a tile is a label, a value and, where there is one, a remark",
                hint='for example report.tiles([("Races", "1,204"), ("Winners picked", "31.2%")])',
            )
    found = (Tile(*map(_words, each)) for each in metrics)
    return Tiles(tuple(found), sources(source))


def _words(value: object) -> str:
    return value if isinstance(value, str) else texts([value], None, number=True)[0]


def _text(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{what} is a text, not {type(value).__name__}")
    return value


def sources(origin: Origin) -> tuple[Source, ...]:
    """Give the records of one or more DataFrames; those that came from nowhere known have none."""
    import pandas as pd

    from greynb.report.recording import Source, source_of

    if origin is None:
        return ()
    if isinstance(origin, Source):
        return (origin,)
    if isinstance(origin, pd.DataFrame):
        found = source_of(origin)
        return (found,) if found else ()
    if not isinstance(origin, list | tuple):
        raise no_frame(origin)
    return tuple(record for each in origin for record in sources(each))
