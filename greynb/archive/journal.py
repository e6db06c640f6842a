"""The table in staging that says which rows are in which files.

A file is first noted as ``writing``; the transaction that deletes its rows turns that into ``archived``, and
the one that puts them back into ``restored``. So at any instant, also after a kill, the journal tells where
the rows of a file are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from greynb.archive.files import Label
from greynb.databases.archived import JOURNAL, UNFINISHED
from greynb.publish.durable import sync_folder

State = Literal["writing", "archived", "restored"]

_SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS {JOURNAL} (
    id TEXT PRIMARY KEY, table_name TEXT NOT NULL, date_column TEXT NOT NULL, folder TEXT NOT NULL,
    file TEXT NOT NULL, rows INTEGER NOT NULL, content TEXT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL,
    columns TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('writing', 'archived', 'restored')),
    changed TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ')))
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the journal."""

    id: str
    table: str
    path: Path
    rows: int
    content: str
    state: State

    @property
    def unfinished(self) -> Path:
        """The file's name until its rows are deleted."""
        return self.path.with_name(self.path.name + UNFINISHED)


def make(con: sqlite3.Connection) -> None:
    """Make the journal where there is none."""
    con.execute(_SCHEMA)


def entries(con: sqlite3.Connection) -> Iterator[Entry]:
    """All files that the journal knows; none without a journal."""
    if not con.execute("SELECT count(*) FROM sqlite_schema WHERE name = ?", (JOURNAL,)).fetchone()[0]:
        return
    for each, table, folder, file, rows, content, state in con.execute(
        f"SELECT id, table_name, folder, file, rows, content, state FROM {JOURNAL} ORDER BY file"
    ).fetchall():
        yield Entry(each, table, Path(folder) / file, rows, content, state)


def note(con: sqlite3.Connection, label: Label, path: Path, state: State) -> None:
    """Add a file."""
    con.execute(
        f"INSERT INTO {JOURNAL} (id, table_name, date_column, folder, file, rows, content, first, last,"
        " columns, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(label.id, label.table, label.date, str(path.parent), path.name, label.rows, label.content),
            *(label.first, label.last, label.columns, state),
        ),
    )


def turn(con: sqlite3.Connection, name: str, state: State) -> None:
    """Say what became of a file."""
    now = "strftime('%Y-%m-%dT%H:%M:%SZ')"
    con.execute(f"UPDATE {JOURNAL} SET state = ?, changed = {now} WHERE id = ?", (state, name))


def forget(con: sqlite3.Connection, name: str) -> None:
    """Take out a file that came to nothing."""
    con.execute(f"DELETE FROM {JOURNAL} WHERE id = ? AND state = 'writing'", (name,))


def finish(entry: Entry) -> None:
    """Give a file its name, once its rows are deleted."""
    if entry.unfinished.exists() and not entry.path.exists():
        entry.unfinished.rename(entry.path)
        sync_folder(entry.path.parent)


def settle(con: sqlite3.Connection, folder: Path) -> None:
    """Bring to an end what a killed process left in a folder, whose lock is held: no row is touched.

    A file that was being written is removed, because its rows are all in the table; one whose rows are
    deleted gets its name.
    """
    for each in entries(con):
        if each.path.parent != folder:
            continue
        if each.state == "writing":
            each.unfinished.unlink(missing_ok=True)
            forget(con, each.id)
        elif each.state == "archived":
            finish(each)
