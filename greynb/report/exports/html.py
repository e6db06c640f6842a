"""One HTML page with all rows: no network, no script, readable on paper, in the light and in the dark."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from greynb.report.exports.job import Job, Written, in_order
from greynb.report.exports.tables import Table
from greynb.report.exports.texts import TEXT, is_number, join, readable, replaced, texts, write

MANY = 20_000
"""Rows from which a browser is slow to show them."""

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2530; --faint: #5d6776;
  --rule: #dce1e7; --wash: #f4f6f8; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181d; --ink: #e6e9ed; --faint: #a3acb8; --rule: #333b45; --wash: #1c2229; }
}
body { margin: 0; padding: 24px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.4rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }
p { margin: 0 0 1rem; color: var(--faint); }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 10px; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top;
  white-space: pre-wrap; overflow-wrap: break-word; max-width: 40rem; }
thead th { position: sticky; top: 0; background: var(--wash); border-bottom-width: 2px; }
.n { text-align: right; white-space: nowrap; }
.d { white-space: nowrap; }
i { color: var(--faint); }
footer { margin-top: 1.2rem; color: var(--faint); font-size: .85rem; }
details pre { white-space: pre-wrap; overflow-wrap: anywhere; }
@media print {
  :root { --paper: #fff; --ink: #000; --faint: #444; --rule: #bbb; --wash: #fff; }
  @page { margin: 14mm; }
  body { padding: 0; font-size: 9pt; }
  thead { display: table-header-group; } thead th { position: static; } tr { break-inside: avoid; }
}
"""
_SEAL = '<meta name="greynb-seal" content="{digest}">\n'
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>

"""
_BODY = """</head>
<body>
<h1>{title}</h1>
<p>{about}</p>
<table>
<thead><tr>{heads}</tr></thead>
<tbody>
"""
_END = """</tbody>
</table>
<footer>{origin}</footer>
<script type="application/json" class="greynb-source">{record}</script>
</body>
</html>
"""


def write_html(table: Table, path: Path, job: Job) -> Written:
    """Write a table as a page."""
    rows = readable(table.arrow)
    kinds = [_class(kind) for kind in rows.schema.types]
    heads = "".join(
        f'<th scope="col"{kind}>{_escaped(name)}</th>'
        for name, kind in zip(rows.column_names, kinds, strict=True)
    )

    def lines(batch: pa.RecordBatch, _begin: int) -> Any:
        cells = [
            join([f"<td{kind}>", _cell(column), "</td>"])
            for kind, column in zip(kinds, batch.columns, strict=True)
        ]
        return join(["<tr>", *cells, "</tr>\n"])

    about = f"{rows.num_rows:,} rows, {rows.num_columns:,} columns"
    title = _escaped(job.title)
    with path.open("wb") as file, _sealed(file, _HEAD.format(title=title, style=_STYLE)) as page:
        page.write(_BODY.format(title=title, about=about, heads=heads).encode())
        for text in in_order(rows, lines, job):
            write(page, text)
        record = job.record()
        page.write(_END.format(origin=_origin(record), record=embedded(record)).encode())
    slow = f"{rows.num_rows:,} rows in one HTML page: browsers take long to show it"
    return Written((slow,) if rows.num_rows > MANY else ())


class _Hashed:
    """A file that is hashed as it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self.digest = hashlib.sha256()
        self._file = file

    def write(self, data: bytes | memoryview) -> int:
        self.digest.update(data)
        return self._file.write(data)


@contextmanager
def _sealed(file: BinaryIO, head: str) -> Iterator[_Hashed]:
    """Write a head, leave room for the seal (`greynb.report.seal`), and fill it in at the end."""
    page = _Hashed(file)
    page.write(head.encode())
    place = file.tell()
    file.write(_SEAL.format(digest="0" * 64).encode())
    yield page
    file.seek(place)
    file.write(_SEAL.format(digest=page.digest.hexdigest()).encode())


def embedded(record: Mapping[str, Any]) -> str:
    """Write JSON so that no text in it ends a script element, or begins a comment in one."""
    return json.dumps(record).replace("<", "\\u003c")


def _escaped(text: str) -> str:
    """Escape a text; a carriage return too, which the seal and browsers take for a part of a line end."""
    return escape(text).replace("\r", "&#13;")


def _class(kind: pa.DataType) -> str:
    return ' class="n"' if is_number(kind) else "" if kind == TEXT else ' class="d"'


def _cell(column: Any) -> Any:
    text = texts(column)
    if column.type == TEXT:
        text = replaced(text, ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;"))
    return pc.fill_null(text, "<i>NULL</i>")


def _origin(record: Mapping[str, Any]) -> str:
    parts = [record.get("role"), record.get("file"), record.get("version"), record.get("time")]
    where = _escaped(" · ".join(str(part) for part in parts if part))
    sql = str(record.get("sql") or "")
    query = (
        f"<details><summary>SQL</summary><pre>{_escaped(sql)}</pre></details>" if sql else "no query known"
    )
    return f"{where} · greynb {_escaped(str(record.get('greynb', '')))}{query if sql else ' · ' + query}"
