"""One Parquet file of archived rows, which says itself what it holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from greynb import __version__
from greynb.archive.values import Row, from_arrow, to_arrow
from greynb.databases.archived import ArchivedColumn, columns_from_json, columns_to_json
from greynb.errors import DatabaseError
from greynb.publish.content import Content, number_of
from greynb.publish.durable import sync_file

KEY: Final = b"greynb_archive"
FORMAT: Final = 1
_ROW_GROUP: Final = 50_000


@dataclass(frozen=True, slots=True)
class Label:
    """What a file says of itself, in its metadata under ``greynb_archive``, as JSON.

    Attributes
    ----------
    id
        The file's own name among all archived files.
    table, date
        The table, and the column by which rows were old.
    sql
        The ``CREATE TABLE`` of the table.
    columns
        As `columns_to_json` gives them.
    rows, content
        How many, and their content hash (`greynb.publish.content`).
    first, last
        The smallest and largest date, as the table spells them.
    greynb
        The version that wrote it.
    """

    id: str
    table: str
    date: str
    sql: str
    columns: str
    rows: int
    content: str
    first: str
    last: str
    greynb: str = __version__


def content_of(rows: Iterable[Row], columns: Sequence[ArchivedColumn]) -> str:
    """The content hash of rows, independent of their order."""
    total = number = 0
    for number, row in enumerate(rows, 1):  # noqa: B007  # the last number is the count
        total += number_of(row)
    names = "\0".join(each.name for each in columns).encode("utf-8", "surrogateescape")
    return str(Content(blake2b(names, digest_size=8).hexdigest(), number, total % (1 << 128)))


def write(path: Path, rows: Sequence[Row], columns: Sequence[ArchivedColumn], label: Label) -> None:
    """Write a file durably, and read it back.

    Raises
    ------
    DatabaseError
        The file does not hold the very same rows.
    OSError
        It cannot be written.
    """
    import pyarrow.parquet as pq

    text = json.dumps({"format": FORMAT, **asdict(label)})
    table = to_arrow(rows, columns).replace_schema_metadata({KEY: text.encode()})
    pq.write_table(table, path, compression="zstd", row_group_size=_ROW_GROUP)
    sync_file(path)
    found, back = read(path)
    if found != label or content_of(back, columns) != label.content:
        raise DatabaseError("the file does not hold the rows that were written", path=path, hint=_HINT)


def read(path: Path) -> tuple[Label, list[Row]]:
    """A file's label and rows, checked against its content hash.

    Raises
    ------
    DatabaseError
        It is no archived file, or is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as file:
            table = pq.ParquetFile(file).read()
        label = _label(table.schema.metadata)
        columns = columns_from_json(label.columns)
        rows = from_arrow(table.replace_schema_metadata(None), columns)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise DatabaseError(f"not an archived file, or damaged: {error}", path=path, hint=_HINT) from error
    if content_of(rows, columns) != label.content:
        raise DatabaseError("the file holds other rows than were archived", path=path, hint=_HINT)
    return label, rows


_HINT: Final = "check the disk; nothing was changed in the database"


def columns_of(label: Label) -> tuple[ArchivedColumn, ...]:
    """The columns of a file."""
    return columns_from_json(label.columns)


def new_label(parts: dict[str, Any], columns: Sequence[ArchivedColumn], rows: Sequence[Row]) -> Label:
    """The label of rows; `parts` are its id, table, date, sql, first and last."""
    return Label(**parts, columns=columns_to_json(columns), rows=len(rows), content=content_of(rows, columns))


def _label(metadata: Any) -> Label:
    text = (metadata or {}).get(KEY)
    if text is None:
        raise ValueError("it has no word of greynb archive in it")
    parts = json.loads(text)
    if parts.pop("format") != FORMAT:
        raise ValueError("it is of another format")
    return Label(**parts)
