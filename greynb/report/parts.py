"""The parts of a page: metric tiles, tables for reading, a remark, and where the numbers come from.

Each shows as HTML in a notebook, on GitHub and on the page, and as plain text in a terminal.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_MINUS = re.compile(r"(?<![\w.-])-(?=\d)")

Format = str | Callable[[object], str]


@dataclass(frozen=True, slots=True)
class Part:
    """Something to display: `html` for pages and notebooks, `text` for terminals."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def tiles(metrics: Sequence[tuple[str, str] | tuple[str, str, str]]) -> Part:
    """Show a row of metrics: label, value and, where given, a remark under it."""
    cells, lines = [], []
    for label, value, *remark in metrics:
        under = f'<div class="gn-remark">{escape(_signs(remark[0]))}</div>' if remark else ""
        cells.append(
            f'<div class="gn-tile" style="{_TILE}"><div class="gn-label">{escape(label)}</div>'
            f'<div class="gn-value" style="{_VALUE}">{escape(_signs(value))}</div>{under}</div>'
        )
        lines.append(f"{label}: {value}" + (f" ({remark[0]})" if remark else ""))
    return Part(f'<div class="gn-tiles" style="{_TILES}">{"".join(cells)}</div>', "\n".join(lines))


_VALUE = "font-size:1.45em;font-weight:600;white-space:nowrap"
_TILES = "display:flex;flex-wrap:wrap;gap:12px;margin:12px 0"
_TILE = "flex:1 1 140px;padding:12px 14px;border:1px solid #8884;border-radius:8px"


def table(
    df: pd.DataFrame,
    caption: str = "",
    *,
    formats: Mapping[str, Format] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Part:
    """Show a whole DataFrame as a table for reading; numbers stand right, missing values as a dash.

    Parameters
    ----------
    df
        What to show; the index is left out.
    caption
        A line above the table.
    formats
        Per column, a format such as ``"{:.1%}"`` or a function from value to text.
    labels
        Per column, its heading; without one, the name with spaces for underscores.
    """
    formats, labels = formats or {}, labels or {}
    heads = [labels.get(name, str(name).replace("_", " ")) for name in df.columns]
    columns = [[_text(value, formats.get(name)) for value in df[name]] for name in df.columns]
    side = ["num" if df[name].dtype.kind in "iufb" else "txt" for name in df.columns]
    head = "".join(
        f'<th scope="col" class="gn-{s}" style="text-align:{_SIDES[s]}">{escape(h)}</th>'
        for h, s in zip(heads, side, strict=True)
    )
    rows = list(zip(*columns, strict=True))
    body = "".join(f"<tr>{_row(row, side)}</tr>" for row in rows)
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    html = f'<table class="gn-table">{above}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return Part(html, _plain(caption, heads, rows))


_SIDES = {"num": "right", "txt": "left"}


def _row(row: Sequence[str], side: Sequence[str]) -> str:
    return "".join(
        f'<td class="gn-{s}" style="text-align:{_SIDES[s]}">'
        f"{escape(_signs(cell) if s == 'num' else cell)}</td>"
        for cell, s in zip(row, side, strict=True)
    )


def _signs(text: str) -> str:
    """Write the minus of a number as a minus, which is as wide as the plus."""
    return _MINUS.sub("\u2212", text)


def _plain(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[i]) for line in (heads, *rows)) for i in range(len(heads))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in (heads, *rows)]
    return "\n".join(([caption] if caption else []) + lines)


def _text(value: object, format_: Format | None) -> str:
    import pandas as pd

    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return "\u2013"
    if callable(format_):
        return format_(value)
    if format_:
        return format_.format(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def note(text: str) -> Part:
    """Show a remark: a conclusion, or something the reader must know."""
    return Part(f'<p class="gn-note">{escape(_signs(text))}</p>', text)


def about(df: pd.DataFrame) -> Part:
    """Say where a result comes from: time, file and snapshot, as `%%analytics` left them on it."""
    facts = df.attrs.get("greynb", {})
    parts = [
        _when(facts.get("time")),
        PurePath(str(facts["file"])).name if facts.get("file") else None,
        f"snapshot {facts['snapshot']}" if facts.get("snapshot") else None,
    ]
    text = " · ".join(part for part in parts if part)
    return Part(f'<p class="gn-about">{escape(text)}</p>', text)


def _when(time: object) -> str | None:
    moment = dt.datetime.fromisoformat(time) if isinstance(time, str) else time
    if not isinstance(moment, dt.datetime):
        return None
    zone = moment.tzname() or ""
    return f"{moment.day} {moment:%B %Y, %H:%M} {zone}".strip()
