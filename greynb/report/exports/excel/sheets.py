"""A table as one sheet, or as several where it has more rows than a sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from greynb.errors import UsageError
from greynb.report.exports.excel import longtexts
from greynb.report.exports.excel.book import MOST_COLUMNS, MOST_ROWS, Book, Stream
from greynb.report.exports.excel.cells import rows_xml
from greynb.report.exports.excel.columns import Column, columns_of
from greynb.report.exports.job import Job, in_order
from greynb.report.exports.tables import as_table
from greynb.report.exports.texts import TEXT, is_number, readable, write


@dataclass(frozen=True, slots=True)
class SheetWritten:
    """What `write_sheet` made.

    Attributes
    ----------
    names
        The sheets, in order.
    notices
        What a reader must know: splits, time zones, numbers and texts that Excel cannot hold as they are.
    """

    names: tuple[str, ...]
    notices: tuple[str, ...]


def write_sheet(
    book: Book, name: str, df: object, *, formats: Mapping[str, str] | None = None, rows: int = MOST_ROWS
) -> SheetWritten:
    """Add a frame to a workbook: header that stays, filter, typed columns, widths that fit.

    Parameters
    ----------
    book
        From `workbook`; the rows are written when its block ends.
    name
        The sheet's, made valid and unique.
    df
        A frame of pandas or polars, or an Arrow table.
    formats
        Excel's number format of columns, where another than the usual one is wanted: ``"0.0%"``.
    rows
        Rows of a sheet, with the header.

    Raises
    ------
    UsageError
        It is no frame, or has more columns than a sheet.
    """
    table = as_table(df)
    if table.arrow.num_columns > MOST_COLUMNS:
        raise UsageError(
            f"{table.arrow.num_columns:,} columns: a sheet of Excel has {MOST_COLUMNS:,}",
            hint="export to .parquet or .csv",
        )
    columns, long = _fitting(columns_of(readable(table.arrow), dict(formats or {})))
    notices = [*table.notices, *(notice for column in columns for notice in column.notices)]
    total, room = table.arrow.num_rows, rows - 1
    names = []
    for begin in range(0, max(total, 1), room):
        part = [_part(column, begin, room) for column in columns]
        names.append(_sheet(book, name, part))
    if len(names) > 1:
        notices.append(f"{total:,} rows are more than a sheet holds: they are in {', '.join(names)}")
    if long:
        where = [(names[row // room], column, row % room, pieces) for column, row, pieces in long]
        overflow = _sheet(book, longtexts.SHEET, columns_of(_overflow(where), {}))
        names.append(overflow)
        count = f"{len(long):,} text{'s' * (len(long) > 1)}"
        notices.append(f"{count} of more than {longtexts.LONGEST:,} characters: whole in sheet {overflow}")
    return SheetWritten(tuple(names), tuple(notices))


def _fitting(columns: list[Column]) -> tuple[list[Column], list[tuple[int, int, list[str]]]]:
    fitting, long = [], []
    for at, column in enumerate(columns):
        if column.values.type == TEXT:
            values, found = longtexts.shortened(column.values)
            column = replace(column, values=values)
            long += [(at, row, pieces) for row, pieces in found]
        fitting.append(column)
    return fitting, long


def _part(column: Column, begin: int, rows: int) -> Column:
    return replace(column, values=column.values[begin : begin + rows])


def _overflow(where: Sequence[tuple[str, int, int, list[str]]]) -> pa.Table:
    from xlsxwriter.utility import xl_rowcol_to_cell

    rows = [
        (sheet, xl_rowcol_to_cell(row + 1, column), f"{number} of {len(pieces)}", piece)
        for sheet, column, row, pieces in where
        for number, piece in enumerate(pieces, 1)
    ]
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(each, TEXT) for each in columns], ["sheet", "cell", "piece", "text"])


def _sheet(book: Book, wanted: str, columns: list[Column]) -> str:
    from xlsxwriter.utility import xl_col_to_name

    count, width = len(columns[0].values), len(columns)
    name = book.sheet_name(wanted)
    sheet = book.xlsx.add_worksheet(name)
    for at, column in enumerate(columns):
        side = "right" if is_number(column.values.type) else "left"
        header = book.format(bold=True, bg_color="#EEF1F4", bottom=1, align=side, quote_prefix=True)
        checked(sheet.write_string(0, at, column.name, header), f"the column name {column.name[:40]!r}")
        style = {"num_format": column.number_format} if column.number_format else {}
        checked(sheet.write_blank(1, at, None, book.format(align=side, valign="top", **style)), "a format")
        checked(sheet.set_column(at, at, column.width), "a width")
    for at, quoted in enumerate((False, True)):
        checked(sheet.write_blank(2, at, None, book.format(valign="top", quote_prefix=quoted)), "a format")
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, count, width - 1)
    letters = [xl_col_to_name(at) for at in range(width)]
    table = pa.table([column.values for column in columns], names=letters)

    def rows(styles: list[int], texts: list[int], file: Any) -> None:
        def make(batch: pa.RecordBatch, begin: int) -> Any:
            return rows_xml(batch.columns, letters, begin + 2, styles, texts)

        job = Job("", dict, told=lambda done: book.told(book.written + done))
        for text in in_order(table, make, job):
            write(file, text)
        book.written += count

    book.streams[name] = Stream(2, f"A1:{letters[-1]}{count + 1}", count * width, rows)
    return name


def checked(code: int | None, what: str) -> None:
    """Take the return code of XlsxWriter's writers, which say nothing where a cell was left out or cut.

    Raises
    ------
    UsageError
        It was.
    """
    if code:
        raise UsageError(f"Excel cannot hold {what} (XlsxWriter's code {code})", hint="export to .parquet")
