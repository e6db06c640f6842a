"""Putting archived rows back into staging: each file once, whole, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from greynb.archive import files, journal, tables
from greynb.archive.tables import Table
from greynb.archive.values import Row, Value, is_valid
from greynb.archive.working import alone, writing
from greynb.databases.identifiers import fold, quote
from greynb.databases.sqlite import atomic
from greynb.errors import DatabaseError, GreynbError, UsageError
from greynb.publish.content import number_of

if TYPE_CHECKING:
    from greynb.publish.steps import Progress


@dataclass(slots=True)
class Restored:
    """What was put back, or would be; prints as a few lines.

    Attributes
    ----------
    rows
        How many, by table.
    files
        From where.
    skipped
        Files whose rows are in staging already, or never left it.
    dry_run
        Whether nothing was changed.
    """

    rows: dict[str, int] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    dry_run: bool = False

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for JSON."""
        return {
            "rows": self.rows,
            "files": [str(each) for each in self.files],
            "skipped": [str(each) for each in self.skipped],
            "dry_run": self.dry_run,
        }

    def __str__(self) -> str:
        would = "would go" if self.dry_run else "are"
        lines = [f"{number:,} rows {would} back in {table}" for table, number in self.rows.items()]
        if self.skipped:
            lines.append(f"{len(self.skipped):,} files were passed over: their rows are in staging")
        if self.files and not self.dry_run:
            lines.append("the files stay where they are; `greynb sync` publishes the rows")
        return "\n".join(lines) or "there is nothing to restore"


def restore(
    staging: Path,
    path: Path,
    *,
    dry_run: bool = False,
    told: Progress = lambda _step, _part: None,
) -> Restored:
    """Put the rows of an archived file, or of all files in a folder, back into their tables.

    A file is never restored twice, and files are not removed.

    Parameters
    ----------
    staging
        The database.
    path
        A file or folder.
    dry_run
        Only say what would be done; the files are read and verified.
    told
        Told which file is at work, and the part done; may raise.

    Raises
    ------
    UsageError
        There is no such file or folder, a trigger on ``INSERT`` would run, or the table lost a column.
    DatabaseError
        A file is damaged, or its rows do not fit the table; nothing of that file is restored.
    """
    if not path.exists():
        raise UsageError("there is no such file or folder", path=path, hint="name the folder of --to")
    done = Restored(dry_run=dry_run)
    with writing(staging) as con, alone(path if path.is_dir() else path.resolve().parent) as folder:
        journal.settle(con, folder)
        wanted = sorted(folder.glob("*.parquet")) if path.is_dir() else [path.resolve()]
        known = {each.id: each.state for each in journal.entries(con)}
        for number, each in enumerate(wanted):
            told(each.name, number / len(wanted))
            _file(con, each, known, done)
    told("done", 1.0)
    return done


def _file(con: sqlite3.Connection, path: Path, known: dict[str, journal.State], done: Restored) -> None:
    label, rows = files.read(path)
    state = known.get(label.id)
    if state in ("restored", "writing"):
        done.skipped.append(path)
        return
    if not done.dry_run:
        try:
            with atomic(con):
                _put_back(con, label, rows, path, is_known=state is not None)
        except GreynbError as error:
            error.detail = error.detail or f"  file: {path}"
            raise
    done.rows[label.table] = done.rows.get(label.table, 0) + label.rows
    done.files.append(path)


def _put_back(
    con: sqlite3.Connection, label: files.Label, rows: Sequence[Row], path: Path, *, is_known: bool
) -> None:
    journal.make(con)
    table = tables.described(con, label.table, label.date)
    if table is None:
        con.execute(label.sql)
        table = tables.described(con, label.table, label.date)
        assert table is not None
    tables.refuse_triggers(con, table.name, "INSERT")
    names = _names(label, table)
    if not is_known:
        _refuse_known_rows(con, label, table, names, rows)
    rowids = _insert(con, label, table, rows)
    tables.remember(con, rowids)
    back = tables.rows(con, table.name, table.rowid, names)
    if files.content_of(back, files.columns_of(label)) != label.content:
        raise DatabaseError("the table would not hold the same values", hint=_SCHEMA_HINT)
    if is_known:
        journal.turn(con, label.id, "restored")
    else:
        journal.note(con, label, path, "restored")


_SCHEMA_HINT = "was a type of the table changed since? restore into an empty database, and copy from there"


def _names(label: files.Label, table: Table) -> list[str]:
    """The archived columns, which the table must still have."""
    names = [each.name for each in files.columns_of(label)]
    gone = {fold(name) for name in names} - {fold(name) for name in table.names}
    if gone:
        raise UsageError(
            f"{table.name} has no column {', '.join(sorted(gone))} any more",
            hint="add it for the time of the restore: %staging ALTER TABLE … ADD COLUMN …",
        )
    return names


def _insert(con: sqlite3.Connection, label: files.Label, table: Table, rows: Sequence[Row]) -> list[int]:
    """Insert rows and give their rowids."""
    columns = files.columns_of(label)
    places = [number for number, each in enumerate(columns) if not each.generated]
    named = ", ".join(quote(columns[place].name) for place in places)
    # OR ABORT: the table may say ON CONFLICT REPLACE, which would take newer rows away.
    into = f"INSERT OR ABORT INTO main.{quote(table.name)} ({named})"
    try:
        return [_insert_one(con, into, table.rowid, [row[place] for place in places]) for row in rows]
    except sqlite3.IntegrityError as error:
        raise DatabaseError(
            f"rows of the file do not fit into {table.name}: {error}; nothing of it was restored",
            hint="other rows have taken their keys, or rows that they refer to are gone",
        ) from error


def _insert_one(con: sqlite3.Connection, into: str, rowid: str, values: Sequence[Value]) -> int:
    marks, bound = [], []
    for value in values:
        odd = isinstance(value, str) and not is_valid(value)
        # A text that is not valid UTF-8 goes in by its bytes.
        marks.append("CAST(? AS TEXT)" if odd else "?")
        bound.append(value.encode("utf-8", "surrogateescape") if odd and isinstance(value, str) else value)
    return int(con.execute(f"{into} VALUES ({', '.join(marks)}) RETURNING {rowid}", bound).fetchone()[0])


def _refuse_known_rows(
    con: sqlite3.Connection, label: files.Label, table: Table, names: Sequence[str], rows: Sequence[Row]
) -> None:
    """Refuse a file that the journal does not know where some of its rows are in the table."""
    shown, date = ", ".join(map(quote, names)), quote(table.date)
    beside = con.execute(
        f"SELECT {shown} FROM main.{quote(table.name)} WHERE {date} COLLATE BINARY BETWEEN ? AND ?",
        (label.first, label.last),
    )
    number = len(set(map(number_of, rows)) & set(map(number_of, beside)))
    if number:
        raise DatabaseError(
            f"{number:,} rows of the file are in {table.name} already, but not noted as restored",
            hint="is staging a backup from before the archive? Then nothing is missing",
        )
