"""Reports: a document of blocks, and a renderer for each format that people send one another."""

from __future__ import annotations

from greynb.report.document.building import Report
from greynb.report.document.document import Document
from greynb.report.document.writing import save

__all__ = ["Document", "Report", "save"]
