"""From an executed notebook to a page that a person wants to read."""

from __future__ import annotations

from greynb.report.charts import chart_style
from greynb.report.execute import NotebookFailed, execute_notebook
from greynb.report.page import write_html
from greynb.report.parts import about, note, table, tiles
from greynb.report.shipped import notebook

__all__ = [
    "NotebookFailed",
    "about",
    "chart_style",
    "execute_notebook",
    "note",
    "notebook",
    "table",
    "tiles",
    "write_html",
]
