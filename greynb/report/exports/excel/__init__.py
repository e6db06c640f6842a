"""Excel workbooks: XlsxWriter for everything but the rows, which are streamed into the finished file.

::

    with excel.workbook(path) as book:
        written = excel.write_sheet(book, "Races", frame, formats={"share": "0.0%"})
        book.xlsx.add_worksheet("Cover")          # anything else that XlsxWriter can
        excel.about_sheet(book, [source.as_dict()], notices=written.notices)

The file is whole when the block ends; give a path aside and rename it (`greynb.report.exports.files.aside`).
`sources` reads back what `about_sheet` keeps.
"""

from __future__ import annotations

from greynb.report.exports.excel.about import about_sheet, sources
from greynb.report.exports.excel.book import Book, workbook
from greynb.report.exports.excel.sheets import SheetWritten, write_sheet
from greynb.report.exports.excel.single import is_export, write_excel

__all__ = [
    "Book",
    "SheetWritten",
    "about_sheet",
    "is_export",
    "sources",
    "workbook",
    "write_excel",
    "write_sheet",
]
