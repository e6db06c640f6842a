"""JSON as an array of one object per row, each on a line of its own.

Dates are ISO 8601 texts, bytes hexadecimal, lists and structs JSON's own. Numbers keep all their digits;
what JSON has no number for (``NaN``, infinities) is text, so that every reader takes the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from greynb.report.exports.job import Job, Written, in_order
from greynb.report.exports.tables import Table
from greynb.report.exports.texts import TEXT, join, readable, replaced, rewritten, texts, write


def write_json(table: Table, path: Path, job: Job) -> Written:
    """Write a table as an array of records."""
    rows = readable(table.arrow, nested=True)
    keys = [json.dumps(name, ensure_ascii=False) + ":" for name in rows.column_names]

    def records(batch: pa.RecordBatch, begin: int) -> Any:
        opening = pa.array(["{" if begin + at == 0 else ",\n{" for at in range(batch.num_rows)], TEXT)
        fields = [
            join([key, _value(column)], null="null") for key, column in zip(keys, batch.columns, strict=True)
        ]
        return join([opening, join(fields, ","), "}"])

    with path.open("wb") as file:
        file.write(b"[\n")
        for text in in_order(rows, records, job):
            write(file, text)
        file.write(b"\n]\n")
    return Written()


def _value(column: Any) -> Any:
    kind = column.type
    text = texts(column, "T")
    if pa.types.is_nested(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return text
    if pa.types.is_decimal(kind):
        return text
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_finite(column), text, join(['"', text, '"']))
    if kind != TEXT:
        return join(['"', text, '"'])
    # Control characters are rare, and have six ways to be written: Python's own writer knows them.
    quoted = join(['"', replaced(text, ("\\", "\\\\"), ('"', '\\"')), '"'])
    controls = pc.match_substring_regex(text, r"[\x00-\x1f]")
    if not pc.any(controls).as_py():
        return quoted
    written = rewritten(text, controls, lambda value: json.dumps(value, ensure_ascii=False))
    return pc.if_else(controls, written, quoted)
