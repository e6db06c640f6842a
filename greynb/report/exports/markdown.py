"""A Markdown pipe table (GitHub's, also read by Pandoc and Jupyter); numbers stand to the right.

NULL is ``*NULL*``, an empty text an empty cell. A line break in a text is ``<br>``; signs that Markdown or
HTML would take for markup are escaped, so that the text reads as it is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from greynb.report.exports.job import Job, Written, in_order
from greynb.report.exports.tables import Table
from greynb.report.exports.texts import TEXT, is_number, join, readable, replaced, rewritten, texts, write

# An underscore inside a word (`race_id`) is no markup, and stays.
_EDGE: Final = re.compile(r"(?<![^\W_])_|_(?![^\W_])")


def write_markdown(table: Table, path: Path, job: Job) -> Written:
    """Write a table as a pipe table."""
    rows = readable(table.arrow)
    names = _escaped(pa.array(rows.column_names, TEXT)).to_pylist()
    rule = ["---:" if is_number(kind) else ":---" for kind in rows.schema.types]

    def lines(batch: pa.RecordBatch, _begin: int) -> Any:
        cells = [_cell(column) for column in batch.columns]
        return join(["| ", join(cells, " | "), " |\n"])

    with path.open("wb") as file:
        file.write(f"| {' | '.join(names)} |\n| {' | '.join(rule)} |\n".encode())
        for text in in_order(rows, lines, job):
            write(file, text)
    return Written()


def _cell(column: Any) -> Any:
    text = texts(column)
    return pc.fill_null(_escaped(text) if column.type == TEXT else text, "*NULL*")


def _escaped(text: Any) -> Any:
    signs = pc.match_substring_regex(text, r"[\\`*_\[\]<>|~&$\r\n]")
    if not pc.any(signs).as_py():
        return text
    text = pc.replace_substring_regex(text, r"([\\`*\[\]|~$])", r"\\\1")
    edges = pc.match_substring_regex(text, r"(^|[\W_])_|_$|_\W")
    text = rewritten(text, edges, lambda value: _EDGE.sub(r"\\_", value))
    text = replaced(text, ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
    return replaced(text, ("\r\n", "<br>"), ("\n", "<br>"), ("\r", "<br>"))
