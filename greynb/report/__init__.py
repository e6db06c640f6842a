"""From DataFrames and notebooks to reports that a person wants to read, and that can be checked."""

from __future__ import annotations

from greynb.report.charts import chart_style
from greynb.report.document import Document, Report, save
from greynb.report.document.fromnotebook import document_of
from greynb.report.execute import NotebookFailed, execute_notebook
from greynb.report.parts import about, note, table, tiles
from greynb.report.shipped import notebook
from greynb.report.verifying import verify_file

__all__ = [
    "Document",
    "NotebookFailed",
    "Report",
    "about",
    "chart_style",
    "document_of",
    "execute_notebook",
    "note",
    "notebook",
    "save",
    "table",
    "tiles",
    "verify_file",
]
