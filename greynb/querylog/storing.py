"""The file of the log: a small SQLite database in WAL, which many kernels write to and which stays small."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from greynb.databases.sqlite import atomic, database_uri, file_error, open_readonly
from greynb.errors import MissingDatabase, UsageError
from greynb.querylog.entries import Entry

KEPT: Final = 20_000
"""Statements that the log holds at most."""
KEPT_CHARACTERS: Final = 16_000_000
"""Characters of SQL and parameters that it holds at most, all statements together."""
LONGEST: Final = 64_000
"""Characters kept of one statement."""
WAIT: Final = 5.0
"""Seconds that a writer waits for others; no cell waits for the writer."""
FORMAT: Final = 1

_COLUMNS: Final = "time, role, file, version, sql, parameters, seconds, rows, error, kept"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS statements (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, role TEXT NOT NULL, file TEXT NOT NULL,
    version TEXT, sql TEXT NOT NULL, parameters TEXT NOT NULL, seconds REAL NOT NULL, rows INTEGER,
    error TEXT, kept INTEGER NOT NULL)
"""
_OLDEST: Final = """
SELECT max(id) FROM (
    SELECT id, row_number() OVER newest AS number, sum(length(sql) + length(parameters)) OVER newest AS size
    FROM statements WINDOW newest AS (ORDER BY id DESC))
WHERE number > ? OR size > ?
"""
_NONE_HINT: Final = "in a notebook: %config Greynb.log = True"


def default_file() -> Path:
    """Where the log is unless ``%config Greynb.log_file`` says otherwise: in the user's data folder."""
    from platformdirs import user_data_path

    return user_data_path("greynb", appauthor=False) / "queries.db"


def open_log(path: Path) -> sqlite3.Connection:
    """Open the log for writing, and make it, for its owner alone, where it is not there.

    Raises
    ------
    OSError, sqlite3.Error
        It cannot be made or opened.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):  # exclusively: nobody can have it open through SQLite yet
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    con = sqlite3.connect(database_uri(path.absolute(), "rw"), uri=True, timeout=WAIT, isolation_level=None)
    try:
        con.execute("PRAGMA journal_mode = WAL")
        con.execute("PRAGMA synchronous = NORMAL")
        with atomic(con):
            (version,) = con.execute("PRAGMA user_version").fetchone()
            if version not in (0, FORMAT):
                raise sqlite3.DatabaseError(f"the log is of another format ({version})")
            if not version and con.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                raise sqlite3.DatabaseError("the file is another database, not a query log")
            con.execute(_SCHEMA)
            con.execute(f"PRAGMA user_version = {FORMAT}")
    except BaseException:
        con.close()
        raise
    return con


def append(con: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Add statements in one short transaction."""
    with atomic(con):
        con.executemany(
            f"INSERT INTO statements ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(each.time, each.role, each.file, each.version, _shortened(each.sql)),
                    *(_parameters(each), each.seconds, each.rows, each.error, each.kept),
                )
                for each in entries
            ],
        )


def prune(con: sqlite3.Connection) -> None:
    """Take out the oldest statements beyond what the log may hold; the space is used again."""
    with atomic(con):
        (oldest,) = con.execute(_OLDEST, (KEPT, KEPT_CHARACTERS)).fetchone()
        if oldest is not None:
            con.execute("DELETE FROM statements WHERE id <= ?", (oldest,))


def last(path: Path, count: int | None = None) -> list[Entry]:
    """The last statements, the newest first; all without a count.

    Raises
    ------
    UsageError
        There is no log.
    UnreadableDatabase, DatabaseLocked
        It cannot be read.
    """
    return list(_read(path, count))


def _read(path: Path, count: int | None) -> Iterator[Entry]:
    try:
        con = open_readonly(path, timeout=WAIT)
    except MissingDatabase:
        raise UsageError(f"there is no query log at {path}", hint=_NONE_HINT) from None
    with closing(con):
        try:
            rows = con.execute(
                f"SELECT {_COLUMNS} FROM statements ORDER BY id DESC LIMIT ?",
                (-1 if count is None else count,),
            ).fetchall()
        except sqlite3.Error as error:
            raise file_error(error, path, WAIT) from error
    for time, role, file, version, sql, parameters, seconds, number, wrong, kept in rows:
        yield Entry(
            *(time, role, file, version, sql, json.loads(parameters), seconds, number, wrong, bool(kept))
        )


def _shortened(text: str) -> str:
    # A lone surrogate, which SQLite cannot store, was refused by the engine too.
    whole = text.encode(errors="backslashreplace").decode()
    return whole if len(whole) <= LONGEST else f"{whole[: LONGEST - 2]} …"


def _parameters(entry: Entry) -> str:
    text = json.dumps(dict(entry.parameters))
    return text if len(text) <= LONGEST else json.dumps(dict.fromkeys(entry.parameters))
