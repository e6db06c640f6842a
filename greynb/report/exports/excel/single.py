"""One table as a workbook of its own."""

from __future__ import annotations

from pathlib import Path

from greynb.report.exports.excel.about import about_sheet
from greynb.report.exports.excel.book import workbook
from greynb.report.exports.excel.sheets import write_sheet
from greynb.report.exports.job import Job, Written
from greynb.report.exports.tables import Table


def write_excel(table: Table, path: Path, job: Job) -> Written:
    """Write a table as a workbook: its rows in ``Data``, and where they come from in ``About``."""
    with workbook(path, job.told) as book:
        written = write_sheet(book, "Data", table)
        about_sheet(book, [job.record()], notices=written.notices)
    return Written(tuple(notice for notice in written.notices if notice not in table.notices))
