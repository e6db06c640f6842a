"""Which rows differ between two versions of a SQLite file, found by comparing their pages.

Two versions of a file share most of their pages. The changed pages, and a walk over the interior pages of
each table's b-tree, give ranges of rowids that hold every changed row: for any writer, and at no cost to it.
The bytes of the rows in those pages then tell which of them differ.
"""

from __future__ import annotations

from greynb.publish.pages.cells import spans_of
from greynb.publish.pages.compare import PageComparison, PageTotals
from greynb.publish.pages.format import MalformedFile
from greynb.publish.pages.ownership import to_check
from greynb.publish.pages.tables import FileChange, TableChange, changed_file, changed_tables

__all__ = [
    "FileChange",
    "MalformedFile",
    "PageComparison",
    "PageTotals",
    "TableChange",
    "changed_file",
    "changed_tables",
    "spans_of",
    "to_check",
]
