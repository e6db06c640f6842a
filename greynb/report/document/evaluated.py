"""What `greynb.evaluate` found as blocks: its metrics by method, and what was counted and left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greynb.evaluation import wording
from greynb.evaluation.metrics import METHODS, METRICS, Metric
from greynb.report.document.blocks import Block, Text
from greynb.report.document.building import sources
from greynb.report.document.prose import escaped
from greynb.report.document.tables import table_of

if TYPE_CHECKING:
    from greynb.evaluation import Evaluation


def evaluation_blocks(evaluation: Evaluation) -> tuple[Block, ...]:
    """Give a table of the metrics with their intervals, and the lines that a reader must know."""
    import pandas as pd

    rows = [[metric.title, *(_cell(evaluation, metric, method) for method in METHODS)] for metric in METRICS]
    frame = pd.DataFrame(rows, columns=["metric", *METHODS])
    title = f"Evaluation of {wording.subject(evaluation)} · {wording.size(evaluation)}"
    remarks = (
        wording.left_out(evaluation),
        wording.changed(evaluation),
        wording.method_of_intervals(evaluation),
        *evaluation.notes,
    )
    table = table_of(frame, title, labels={"metric": ""}, sources=sources(evaluation.table))
    return table, Text("\n".join(f"- {escaped(remark)}" for remark in remarks))


def _cell(evaluation: Evaluation, metric: Metric, method: str) -> str:
    row = evaluation.row(metric.name, method)
    ends = wording.between(metric, row["low"], row["high"])
    value = wording.number(metric, row["value"])
    return f"{value} ({ends})" if ends else value
