"""An evaluation as text and as HTML, short enough to be read."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from greynb.evaluation import wording
from greynb.evaluation.metrics import METHODS, METRICS, Metric

if TYPE_CHECKING:
    from greynb.evaluation.result import Evaluation

_STYLE = {
    "box": "max-width:52rem;font-size:.92em;line-height:1.45",
    "table": "border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.5em 0",
    "name": "text-align:left;font-weight:400;padding:.22em 1.6em .22em 0;white-space:nowrap",
    "head": "text-align:left;font-weight:600;padding:.22em 1.6em .22em 0",
    "cell": "text-align:left;padding:.22em 1.6em .22em 0;white-space:nowrap",
    "faint": "opacity:.65;font-size:.9em",
    "sql": "overflow-x:auto;font-size:.85em;line-height:1.4;padding:.6em 0",
}
_RULE = "border-bottom:1px solid rgba(128,128,128,.35)"


def as_text(evaluation: Evaluation) -> str:
    """A few lines: the metrics of the three methods with their intervals, and what was counted."""
    rows: list[tuple[str, ...]] = [("", *METHODS)]
    for metric in METRICS:
        rows.append((metric.title, *(" ".join(_cell(evaluation, metric, name)) for name in METHODS)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([_title(evaluation), *lines, *_remarks(evaluation)])


def as_html(evaluation: Evaluation) -> str:
    """The same as a table, with what was counted and the SQL folded below."""
    head = "".join(f'<th scope="col" style="{_STYLE["head"]};{_RULE}">{name}</th>' for name in ("", *METHODS))
    body = "".join(_html_row(evaluation, metric) for metric in METRICS)
    remarks = "".join(f'<div style="{_STYLE["faint"]}">{escape(text)}</div>' for text in _remarks(evaluation))
    counts = "".join(
        f'<tr><td style="{_STYLE["cell"]}">{escape(str(row.of))}</td>'
        f'<td style="{_STYLE["cell"]}">{escape(str(row.what))}</td>'
        f'<td style="{_STYLE["cell"]};text-align:right">{row.number:,}</td></tr>'
        for row in evaluation.counts.itertuples()
    )
    return (
        f'<div class="gn-evaluation" style="{_STYLE["box"]}"><strong>{escape(_title(evaluation))}</strong>'
        f'<table style="{_STYLE["table"]}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        f"{remarks}<details><summary>What was counted</summary>"
        f'<table style="{_STYLE["table"]}">{counts}</table></details><details><summary>The SQL</summary>'
        f'<pre style="{_STYLE["sql"]}">{escape(evaluation.sql)}</pre></details></div>'
    )


def _html_row(evaluation: Evaluation, metric: Metric) -> str:
    cells = ""
    for name in METHODS:
        value, ends = _cell(evaluation, metric, name)
        interval = f' <span style="{_STYLE["faint"]}">{ends}</span>' if ends else ""
        cells += f'<td style="{_STYLE["cell"]}">{value}{interval}</td>'
    return f'<tr><th scope="row" style="{_STYLE["name"]}">{metric.title}</th>{cells}</tr>'


def _cell(evaluation: Evaluation, metric: Metric, method: str) -> tuple[str, str]:
    """The value, and its interval in brackets."""
    row = evaluation.row(metric.name, method)
    ends = wording.between(metric, row["low"], row["high"])
    return wording.number(metric, row["value"]), f"({ends})" if ends else ""


def _title(evaluation: Evaluation) -> str:
    return f"Evaluation of {wording.subject(evaluation)} · {wording.size(evaluation)}"


def _remarks(evaluation: Evaluation) -> list[str]:
    return [
        wording.left_out(evaluation),
        wording.changed(evaluation),
        wording.method_of_intervals(evaluation),
        *evaluation.notes,
    ]
