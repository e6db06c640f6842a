"""Parquet with zstd, typed as the frame is, with its provenance in the file's own metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from greynb.report.exports.job import Job, Written
from greynb.report.exports.tables import Table
from greynb.report.exports.texts import by_value

KEY = b"greynb"
"""The key of the provenance in the file's metadata."""

AS_TEXT = b"greynb_as_text"
"""The key of the names of columns whose values are text here and were none in the frame."""

_GROUP = 524_288
"""Rows of a row group, and between two looks at Ctrl-C; smaller groups took longer and more room."""


def write_parquet(table: Table, path: Path, job: Job) -> Written:
    """Write a table as Parquet, a row group at a time."""
    rows, changed = _storable(table.arrow)
    as_text = [*table.as_text, *changed]
    # In the schema, not only in the file: who reads the table and writes it again keeps the record.
    facts = {KEY: job.record(), AS_TEXT: as_text}
    metadata = {key: json.dumps(fact).encode() for key, fact in facts.items()}
    rows = rows.replace_schema_metadata({**(rows.schema.metadata or {}), **metadata})
    with pq.ParquetWriter(path, rows.schema, compression="zstd") as writer:
        for begin in range(0, max(rows.num_rows, 1), _GROUP):
            part = rows.slice(begin, _GROUP)
            writer.write_table(part, row_group_size=_GROUP)
            job.told(begin + part.num_rows)
    return Written(tuple(f"{name}: Parquet has no type for its values; they are text" for name in changed))


def _storable(rows: pa.Table) -> tuple[pa.Table, list[str]]:
    """Make text of columns for which Parquet has no type, such as intervals of months, and name them."""
    changed = []
    for at, name in enumerate(rows.column_names):
        try:
            pq.write_table(rows.select([at]).slice(0, 0), BytesIO())
        except (pa.ArrowException, NotImplementedError):
            rows = rows.set_column(at, name, by_value(rows.column(at)))
            changed.append(name)
    return rows, changed


def read_record(path: Path) -> Mapping[str, Any] | None:
    """Read the provenance out of a Parquet file; None where it has none."""
    metadata = pq.read_metadata(path).metadata or {}
    return json.loads(metadata[KEY]) if KEY in metadata else None
