"""What a cell shows of a result: a static table, and one line that says what it is of.

The HTML needs no script, style sheet or resource from elsewhere and still reads where ``style`` and
``title`` are stripped (GitHub): alignment is repeated as ``align``, NULL is in italics, empty text stays
empty. Colours come from the surrounding theme. Every row left out is counted, every column is shown (wide
tables scroll), and a text that is cut ends in an ellipsis, with the whole text (up to 2,000 characters) as
its title.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from greynb.notebook import plaintext
from greynb.notebook.values import arrays_of, is_null, is_number, on_one_line, text_of, values

if TYPE_CHECKING:
    from greynb.databases.result import Result

CELL = 80
"""Characters of a value that the HTML table shows."""
TITLE = 2_000
"""Characters of a value that its title holds."""


Cells = tuple[list[str], list[str], list[list[Any]], list[bool]]
"""Names, engine types, shown values by column, and which columns are numbers."""
Body = Cells | str | None
"""A table, or the text of EXPLAIN, which is drawn with lines and must stay whole; None without rows."""


@dataclass(frozen=True, slots=True)
class DisplayTable:
    """Shows one statement's result in a notebook, a saved page or a terminal.

    Attributes
    ----------
    result
        What the statement gave.
    role
        ``"staging"`` or ``"analytics"``.
    file
        The file's name.
    snapshot
        The version of the analytics file; None for staging.
    rows
        Rows to show at most.
    reading
        What was read where that was not the columnar mirror.
    """

    result: Result
    role: str
    file: str
    snapshot: str | None = None
    rows: int = 20
    reading: str = ""

    @property
    def footer(self) -> str:
        """``20 of 12,345 rows · 0.31 s · analytics · season.db @ gen-000042``."""
        where = f"{self.file} @ {self.snapshot}" if self.snapshot else self.file
        kept = self.result.kept
        origin = [] if kept is None else [f"from cache (computed in {duration(kept.seconds)})"]
        parts = [self._count(), duration(self.result.seconds), *origin, self.role, on_one_line(where)]
        reading = self.result.engine or self.reading
        return " · ".join([*parts, reading] if reading and kept is None else parts)

    def _count(self) -> str:
        frame, affected = self.result.frame, self.result.affected
        if frame is None:
            return "done" if affected is None else f"{affected:,} {_rows(affected)} affected"
        total = len(frame)
        return f"{total:,} {_rows(total)}" if total <= self.rows else f"{self.rows:,} of {total:,} rows"

    def __repr__(self) -> str:
        return self._text(self._body(), self.footer)

    def _repr_html_(self) -> str:
        return self._html(self._body(), self.footer)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        body, footer = self._body(), self.footer
        return {"text/plain": self._text(body, footer), "text/html": self._html(body, footer)}

    def _text(self, body: Body, footer: str) -> str:
        lines = body.splitlines() if isinstance(body, str) else plaintext.table(*body) if body else []
        notes = [repr(Notes(self.result.notices))] if self.result.notices else []
        return "\n".join([*lines, *notes, footer])

    def _html(self, body: Body, footer: str) -> str:
        shown = f"<pre>{escape(body)}</pre>" if isinstance(body, str) else self._table(*body) if body else ""
        notes = Notes(self.result.notices)._repr_html_()
        return f"<div>{shown}{notes}<div><small>{_inline(footer)}</small></div></div>"

    def _body(self) -> Body:
        frame = self.result.frame
        if frame is None:
            return None
        names = [str(name) for name in frame.columns]
        if names == ["explain_key", "explain_value"]:
            return "\n".join(map(str, frame["explain_value"]))
        types = [*self.result.types, *[""] * len(names)][: len(names)]
        heads = [column[: self.rows] for column in arrays_of(frame)]
        shown = [values(head) for head in heads]
        numeric = [is_number(head.dtype, found) for head, found in zip(heads, shown, strict=True)]
        return names, types, shown, numeric

    def _table(
        self, names: list[str], types: list[str], columns: list[list[Any]], numeric: list[bool]
    ) -> str:
        head = "".join(
            f'<th scope="col"{_aligned(right)}>{_inline(name)}<br>'
            f"<small><i>{_inline(_short(kind, 30))}</i></small></th>"
            for name, kind, right in zip(names, types, numeric, strict=True)
        )
        cells = [
            [_cell(value, kind, right) for value in column]
            for column, kind, right in zip(columns, types, numeric, strict=True)
        ]
        body = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*cells, strict=True))
        return (
            '<div style="overflow-x:auto"><table>'
            f'<caption style="text-align:left;white-space:nowrap">{_inline(self._caption(len(names)))}'
            f"</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def _caption(self, width: int) -> str:
        return f"{self.role}: {self._count()}, {width:,} column{'' if width == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Notes:
    """What is to be said of a result whose rows are not shown."""

    notices: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(f"note: {on_one_line(notice)}" for notice in self.notices)

    def _repr_html_(self) -> str:
        return "".join(f"<div><small>note: {_inline(notice)}</small></div>" for notice in self.notices)


def duration(seconds: float) -> str:
    """Write seconds as an eye wants them: ``4 ms``, ``0.31 s``, ``12.4 s``, ``3 min 20 s``."""
    if seconds < 0.1:
        return f"{max(seconds * 1000, 0):.{1 if seconds < 0.01 else 0}f} ms"
    if seconds < 60:
        return f"{seconds:.{2 if seconds < 10 else 1}f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"


def _aligned(right: bool) -> str:
    side = "right" if right else "left"
    return f' align="{side}" style="text-align:{side}"'


def _cell(value: Any, kind: str, right: bool) -> str:
    if is_null(value):
        return f'<td{_aligned(right)}><i style="opacity:.55">NULL</i></td>'
    text = text_of(value, kind)
    shown = _short(text, CELL)
    title = "" if shown == text else f' title="{escape(on_one_line(_short(text, TITLE)))}"'
    return f"<td{_aligned(right)}{title}>{_inline(shown)}</td>"


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _inline(text: str) -> str:
    # A notebook's MathJax would set what stands between two dollar signs as a formula.
    return escape(on_one_line(text)).replace("$", "<span>$</span>")
