"""Moving old rows of staging to Parquet, a month at a time.

For each file, in this order: its rows are read; the journal in staging notes it as being written; it is
written, flushed to the disk, read back and compared; one transaction compares the rows in the table with the
file once more, deletes them, and notes the file as archived; the file gets its final name. A kill at any
moment leaves either all rows in the table, or none of them and the whole file.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greynb.archive import files, journal, tables
from greynb.archive.tables import Table
from greynb.archive.working import WAIT, alone, writing
from greynb.databases.archived import SUFFIX, UNFINISHED
from greynb.databases.identifiers import quote
from greynb.databases.sqlite import atomic, file_error, open_readonly
from greynb.errors import DatabaseError
from greynb.publish.durable import sync_folder

if TYPE_CHECKING:
    from greynb.publish.steps import Progress

AT_ONCE: Final = 50_000
"""Rows of one file at most, which one transaction deletes: other writers wait for about a second."""
_TRIES: Final = 5

Listing = Callable[[sqlite3.Connection, Table, str], list[tuple[str, int]]]


@dataclass(slots=True)
class Archived:
    """What was archived, or would be; prints as a few lines.

    Attributes
    ----------
    table
        The table's name.
    before
        The day before which rows are old.
    months
        Old rows by month.
    undated
        Rows that stay because their date is no text that begins with a day.
    rows, files
        What was moved so far, and to where.
    dry_run
        Whether nothing was moved.
    """

    table: str
    before: dt.date
    months: dict[str, int]
    undated: int
    rows: int = 0
    files: list[Path] = field(default_factory=list)
    dry_run: bool = False

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for JSON."""
        return {
            "table": self.table,
            "before": self.before.isoformat(),
            "months": self.months,
            "undated": self.undated,
            "rows": self.rows,
            "files": [str(each) for each in self.files],
            "dry_run": self.dry_run,
        }

    def __str__(self) -> str:
        old = sum(self.months.values())
        span = f", {min(self.months)} to {max(self.months)}" if self.months else ""
        if self.dry_run or not old:
            lines = [f"{old:,} rows of {self.table} are from before {self.before}{span}"]
        else:
            size = sum(each.stat().st_size for each in self.files) / 1e6
            lines = [f"{self.rows:,} rows of {self.table}{span} → {len(self.files):,} files, {size:,.1f} MB"]
        if self.undated:
            lines.append(f"{self.undated:,} rows stay: their date does not begin as 2025-07-01 does")
        if self.files:
            lines.append(f"after `greynb sync`, cells of %%analytics read all rows as {self.table}{SUFFIX}")
            lines.append("`greynb optimize` gives the space in staging back; `greynb restore` undoes it")
        return "\n".join(lines)


def archive(
    staging: Path,
    table: str,
    date: str,
    before: dt.date,
    folder: Path,
    *,
    dry_run: bool = False,
    told: Progress = lambda _step, _part: None,
    begun: Callable[[Archived], None] = lambda _archived: None,
) -> Archived:
    """Move rows from before a day to Parquet files, or go on with that after it was stopped.

    Parameters
    ----------
    staging
        The database.
    table, date
        The table, and its column of dates: texts that begin ``YYYY-MM-DD``. Other rows stay.
    before
        The first day whose rows stay.
    folder
        Where the files go; made if need be.
    dry_run
        Only count.
    told
        Told which month is at work, and the part done; may raise.
    begun
        Given what is returned in the end before anything is moved, to know how far it came after an error.

    Raises
    ------
    UsageError
        The table cannot be archived: it is not there, has no rowid, has triggers on ``DELETE``, or other
        tables refer to it.
    DatabaseError
        A file could not be written, or did not hold what was written; the rows of that file stay.
    DatabaseLocked
        Another writer kept staging locked, or another archiver is at work in the folder.
    """
    if dry_run:
        with closing(open_readonly(staging, timeout=WAIT)) as con:
            try:
                found = tables.found(con, table, date)
                return _planned(con, found, before, tables.months, dry_run=True)
            except sqlite3.Error as error:
                raise file_error(error, staging, WAIT) from error
    with writing(staging) as con:
        found = tables.found(con, table, date)
        with alone(folder) as home:
            journal.settle(con, home)
            archived = _planned(con, found, before, tables.list_old)
            begun(archived)
            _move(con, found, home, archived, told)
            return archived


def _planned(
    con: sqlite3.Connection, table: Table, before: dt.date, listed: Listing, *, dry_run: bool = False
) -> Archived:
    months = dict(listed(con, table, before.isoformat()))
    return Archived(table.name, before, months, tables.undated(con, table), dry_run=dry_run)


def _move(con: sqlite3.Connection, table: Table, folder: Path, archived: Archived, told: Progress) -> None:
    total = sum(archived.months.values())
    with atomic(con):
        journal.make(con)
    try:
        for month in archived.months:
            while True:
                told(month, archived.rows / total)
                moved = _one_file(con, table, archived.before.isoformat(), month, folder)
                if moved is None:
                    break
                path, rows = moved
                archived.files.append(path)
                archived.rows += rows
    except OSError as error:
        raise DatabaseError(
            f"a file could not be written: {error}",
            path=folder,
            hint="make room, and run it again",
        ) from error
    finally:
        with suppress(sqlite3.Error, OSError):
            journal.settle(con, folder)
    told("done", 1.0)


def _one_file(
    con: sqlite3.Connection, table: Table, before: str, month: str, folder: Path
) -> tuple[Path, int] | None:
    """Move the next rows of a month; None where there are none. Rows that change meanwhile are read again."""
    for _ in range(_TRIES):
        name = secrets.token_hex(6)
        path = folder / f"{re.sub(r'[^A-Za-z0-9_]+', '_', table.name)}-{month}-{name}.parquet"
        label = _written(con, table, before, month, name, path)
        if label is None:
            return None
        if _deleted(con, table, label):
            journal.settle(con, folder)
            return path, label.rows
        journal.settle(con, folder)
    raise DatabaseError(
        f"the rows of {month} change faster than they can be archived",
        hint="run it again later",
    )


def _written(
    con: sqlite3.Connection, table: Table, before: str, month: str, name: str, path: Path
) -> files.Label | None:
    """Write the next rows of a month to an unfinished file."""
    con.execute("BEGIN")
    try:
        if not tables.take(con, table, before, month, AT_ONCE):
            return None
        rows = tables.rows(con, table.name, table.rowid, table.names)
        columns = tables.columns(con, table, rows)
    finally:
        con.execute("COMMIT")
    dates = [str(row[table.names.index(table.date)]) for row in rows]
    parts = {"id": name, "table": table.name, "date": table.date, "sql": table.sql}
    label = files.new_label({**parts, "first": min(dates), "last": max(dates)}, columns, rows)
    with atomic(con):
        journal.note(con, label, path, "writing")
    files.write(path.with_name(path.name + UNFINISHED), rows, columns, label)
    sync_folder(path.parent)
    return label


def _deleted(con: sqlite3.Connection, table: Table, label: files.Label) -> bool:
    """Delete the rows of a file from the table, if they are still the same."""
    columns = files.columns_of(label)
    with atomic(con):
        rows = tables.rows(con, table.name, table.rowid, table.names)
        if files.content_of(rows, columns) != label.content:
            return False
        unit = f"{table.rowid} IN (SELECT id FROM temp.{tables.UNIT})"
        number = con.execute(f"DELETE FROM main.{quote(table.name)} WHERE {unit}").rowcount
        if number != label.rows:
            raise DatabaseError(f"{number:,} rows would have gone instead of {label.rows:,}; none is")
        journal.turn(con, label.id, "archived")
    return True
