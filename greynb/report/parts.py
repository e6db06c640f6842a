"""The parts of a report one by one, for notebooks: shown where they stand, and blocks of the report later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greynb.report.document import blocks
from greynb.report.document.building import TileLike, sources, tiles_of
from greynb.report.document.document import where
from greynb.report.document.formatting import Format
from greynb.report.document.prose import escaped
from greynb.report.document.tables import ROWS, table_of

if TYPE_CHECKING:
    import pandas as pd

    from greynb.report.document.building import Origin


@dataclass(frozen=True, slots=True)
class Part:
    """Something to display: HTML in a notebook, `text` in a terminal, `block` in a report."""

    block: blocks.Block
    text: str

    def _repr_html_(self) -> str:
        from greynb.report.document.html import fragment

        return fragment(self.block)

    def _repr_greynb_blocks_(self) -> list[dict[str, Any]]:
        from greynb.report.document.codec import as_json

        return as_json([self.block])

    def __repr__(self) -> str:
        return self.text


def tiles(metrics: Sequence[TileLike], *, source: Origin = None) -> Part:
    """Show a row of metrics: label, value and, where given, a remark under it.

    The parameters are those of `greynb.Report.tiles`.
    """
    made = tiles_of(metrics, source)
    lines = [
        f"{tile.label}: {tile.value}" + (f" ({tile.remark})" if tile.remark else "") for tile in made.tiles
    ]
    return Part(made, "\n".join(lines))


def table(
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
) -> Part:
    """Show a DataFrame as a table for reading; the parameters are those of `greynb.Report.table`."""
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
    return Part(made, _plain(made))


def note(text: str) -> Part:
    """Show a remark: a conclusion, or something the reader must know."""
    return Part(blocks.Note(text), text)


def about(df: pd.DataFrame) -> Part:
    """Say where a result comes from: role, file, version and time, as ``%%analytics`` left them on it."""
    text = "\n".join(where(source) for source in sources(df))
    return Part(blocks.Text(escaped(text)), text)


def _plain(made: blocks.Table) -> str:
    columns = [(column.label, *column.texts) for column in made.columns]
    widths = [max(map(len, column)) for column in columns]
    lines = [
        "  ".join(
            cell.rjust(width) if column.number else cell.ljust(width)
            for cell, width, column in zip(line, widths, made.columns, strict=True)
        ).rstrip()
        for line in zip(*columns, strict=True)
    ]
    return "\n".join([*([made.caption] if made.caption else []), *lines, *([made.cut] if made.cut else [])])
