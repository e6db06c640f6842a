"""One table as a workbook of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from greynb.report.exports.excel.about import about_sheet
from greynb.report.exports.excel.book import workbook
from greynb.report.exports.excel.parts import opened, sheet_parts
from greynb.report.exports.excel.sheets import write_sheet
from greynb.report.exports.job import Job, Written
from greynb.report.exports.tables import Table

DATA: Final = "Data"
"""The sheet of an export's rows."""
_OTHERS: Final = re.compile(rf"({DATA}|Long texts) \(\d+\)|Long texts|About")


def write_excel(table: Table, path: Path, job: Job) -> Written:
    """Write a table as a workbook: its rows in `DATA`, and where they come from in ``About``."""
    with workbook(path, job.told) as book:
        written = write_sheet(book, DATA, table)
        about_sheet(book, [job.record()], notices=written.notices)
    return Written(tuple(notice for notice in written.notices if notice not in table.notices))


def is_export(path: Path) -> bool:
    """Whether the workbook at a path has the sheets of an export, and no others, as a report would."""
    with opened(path) as archive:
        first, *others = sheet_parts(archive)
    return first == DATA and all(map(_OTHERS.fullmatch, others))
