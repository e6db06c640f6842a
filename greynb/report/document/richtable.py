"""Tables for pages, by great-tables: columns under spanners, coloured cells, every cell tied to its heads.

Of what great-tables gives only the table is kept. Its style sheet of 10 KB a table and its random ids are
not: the page has one style for all, and the same table gives the same bytes.
"""

from __future__ import annotations

from html import escape
from typing import Any

from greynb.errors import UsageError
from greynb.report.document.blocks import Column, Table
from greynb.report.document.pictures import INSTALL


def as_html(table: Table, name: str) -> str:
    """Write a table as HTML.

    Parameters
    ----------
    table
        At least one column.
    name
        An id that no other table of the page has.

    Raises
    ------
    UsageError
        The extra ``greynb[report]`` is not installed.
    """
    try:
        import great_tables as gt
    except ImportError as error:
        raise UsageError("tables cannot be set here", hint=INSTALL) from error
    import pandas as pd

    keys = [f"c{place}" for place in range(len(table.columns))]
    frame = pd.DataFrame({key: list(column.texts) for key, column in zip(keys, table.columns, strict=True)})
    made: Any = gt.GT(frame.astype(object), id=name)
    made = made.cols_label({key: gt.html(_head(column)) for key, column in _pairs(keys, table)})
    for side, number in (("right", True), ("left", False)):
        if chosen := [key for key, column in _pairs(keys, table) if column.number is number]:
            made = made.cols_align(side, chosen)
    for key, column in _pairs(keys, table):
        made = _shaded(made, key, column.shades)
    for place, (text, first, count) in enumerate(table.spanners):
        made = made.tab_spanner(gt.html(escape(text)), keys[first : first + count], id=f"s{place}")
    raw = str(made.as_raw_html())
    inside = raw[raw.index("<thead>") : raw.rindex("</tbody>") + len("</tbody>")]
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    return f'<table class="gt_table">{caption}\n{inside}\n</table>'


def _pairs(keys: list[str], table: Table) -> list[tuple[str, Column]]:
    return list(zip(keys, table.columns, strict=True))


def _head(column: Column) -> str:
    unit = f' <span class="gn-unit">({escape(column.unit)})</span>' if column.unit else ""
    return escape(column.label) + unit


def _shaded(made: Any, key: str, colours: tuple[str | None, ...]) -> Any:
    rows = [row for row, colour in enumerate(colours) if colour]
    if not rows:
        return made
    known = [colour for colour in colours if colour]
    return made.data_color([key], rows=rows, fn=lambda _: known, autocolor_text=False)
