"""A frame as a file: CSV, Parquet, JSON, Markdown, HTML, Excel, LaTeX, each with where it came from."""

from __future__ import annotations

from greynb.report.exports.exporting import export
from greynb.report.exports.result import Exported

__all__ = ["Exported", "export"]
