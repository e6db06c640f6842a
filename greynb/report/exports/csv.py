"""CSV by RFC 4180: UTF-8 without a byte order mark, CRLF, quotes only where they are needed.

NULL is nothing between the commas, an empty text is ``""``: DuckDB, PostgreSQL and polars tell them apart.
Numbers and dates are never quoted.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from greynb.report.exports.formulas import neutralised
from greynb.report.exports.job import Job, Written, in_order
from greynb.report.exports.tables import Table
from greynb.report.exports.texts import TEXT, join, readable, replaced, texts, write

ALONE = (
    "a row of one NULL is an empty line, which pandas and others skip: read it with skip_blank_lines=False"
)
_NEEDS_QUOTES = '[",\r\n]|^$|^\\s|\\s$'


def write_csv(table: Table, path: Path, job: Job) -> Written:
    """Write a table as CSV."""
    rows = readable(table.arrow)
    prefixed: Counter[str] = Counter()

    def lines(batch: pa.RecordBatch, _begin: int) -> tuple[Any, Counter[str]]:
        found: Counter[str] = Counter()
        columns = []
        for name, column in zip(rows.column_names, batch.columns, strict=True):
            text = texts(column)
            if column.type == TEXT:
                if not job.keep_formulas:
                    text, found[name] = neutralised(text)
                text = _quoted(text)
            columns.append(text)
        return _lines(columns), found

    with path.open("wb") as file:
        names = pa.array(rows.column_names, TEXT)
        if not job.keep_formulas:
            names, prefixed["column names"] = neutralised(names)
        write(file, _lines([pa.array([name], TEXT) for name in _quoted(names).to_pylist()]))
        for text, found in in_order(rows, lines, job):
            write(file, text)
            prefixed += found
    alone = rows.num_columns == 1 and rows.column(0).null_count > 0
    return _said(prefixed, [ALONE] if alone else [])


def _quoted(column: Any) -> Any:
    needs = pc.match_substring_regex(column, _NEEDS_QUOTES)
    if not pc.any(needs).as_py():
        return column
    return pc.if_else(needs, join(['"', replaced(column, ('"', '""')), '"']), column)


def _lines(columns: list[Any]) -> Any:
    return join([join(columns, ",", null=""), "\r\n"])


def _said(prefixed: Counter[str], notices: list[str]) -> Written:
    found = {name: count for name, count in prefixed.items() if count}
    if not found:
        return Written(tuple(notices), {"neutralised": False})
    total = sum(found.values())
    where = ", ".join(f"{name} {count:,}×" for name, count in found.items())
    what = (
        "1 text that a spreadsheet would run has"
        if total == 1
        else f"{total:,} texts that a spreadsheet would run have"
    )
    notice = (
        f'{what} an apostrophe before it: {where}; --keep-formulas (formulas="keep") writes them as they are'
    )
    return Written((*notices, notice), {"neutralised": True})
