"""What a notebook's kernel does while a report is made of it: results are handed over as blocks too.

Only kernels that `greynb.report.execute_notebook` starts do this. In a notebook that a person works with,
results stay as light as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.core.formatters import BaseFormatter
from IPython.core.getipython import get_ipython
from traitlets import ObjectName, Unicode

from greynb.report.document.codec import MIME, as_json


class BlockFormatter(BaseFormatter):
    """Shows an object as blocks of a report, where it can be."""

    format_type = Unicode(MIME)
    print_method = ObjectName("_repr_greynb_blocks_")
    _return_type = (list,)


def start() -> None:
    """Hand over the results of this kernel's cells as blocks."""
    shell = get_ipython()
    assert shell is not None and shell.display_formatter is not None
    formatter = BlockFormatter(parent=shell.display_formatter)
    shell.display_formatter.formatters[MIME] = formatter
    for module, name, blocks in _KNOWN:
        formatter.for_type_by_name(module, name, blocks)  # type: ignore[no-untyped-call]  # IPython's own


def _frame_blocks(frame: Any) -> list[dict[str, Any]]:
    from greynb.report.document.building import sources
    from greynb.report.document.tables import table_of

    return as_json([table_of(frame, sources=sources(frame))])


def _result_blocks(shown: Any) -> list[dict[str, Any]] | None:
    frame = shown.result.frame
    return None if frame is None else _frame_blocks(frame)


def _figure_blocks(figure: Any) -> list[dict[str, Any]]:
    from greynb.report.document.blocks import Chart
    from greynb.report.document.pictures import description, svg_of

    return as_json([Chart(svg_of(figure), description(figure))])


def _evaluation_blocks(evaluation: Any) -> list[dict[str, Any]]:
    from greynb.report.document.evaluated import evaluation_blocks

    return as_json(evaluation_blocks(evaluation))


def _chart_blocks(chart: Any) -> list[dict[str, Any]]:
    from greynb.report.document.building import Report

    return as_json(Report("").chart(chart).document.blocks)


_KNOWN: list[tuple[str, str, Callable[[Any], list[dict[str, Any]] | None]]] = [
    ("pandas", "DataFrame", _frame_blocks),
    ("pandas.core.frame", "DataFrame", _frame_blocks),
    ("matplotlib.figure", "FigureBase", _figure_blocks),  # IPython forgets what is said of Figure itself
    ("greynb.evaluation.result", "Evaluation", _evaluation_blocks),
    ("greynb.evaluation.charts", "Chart", _chart_blocks),
    ("greynb.notebook.display", "DisplayTable", _result_blocks),
    ("greynb.notebook.display", "Notes", lambda _: []),  # for the author, like a warning
]
