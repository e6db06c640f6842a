"""What ``--fix`` may do: never delete data, write to a published version, or work beside a writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from greynb.databases.copying import connect, mapped
from greynb.databases.identifiers import quote
from greynb.databases.lockers import lockers
from greynb.databases.locks import locked_error, wait_for_lock
from greynb.errors import DatabaseLocked

_WAIT: Final = 2.0
_ROWS: Final = 1000
"""Rows of an index that ANALYZE looks at: https://www.sqlite.org/lang_analyze.html#approx."""


def mode(file: Path, wanted: int) -> Callable[[], str]:
    """Change the mode of a file."""

    def apply() -> str:
        file.chmod(wanted)
        return f"{file} has the mode {wanted:04o} now"

    return apply


def wal(path: Path) -> Callable[[], str]:
    """Switch a database to WAL, which stays in the file."""

    def apply() -> str:
        with closing(_alone(path)) as con:
            answer = _waiting(con, path, "PRAGMA journal_mode = WAL")[0]
        if answer != "wal":
            raise DatabaseLocked(f"SQLite keeps the journal mode {answer}", path=path)
        return "the database is in WAL now"

    return apply


def checkpoint(path: Path) -> Callable[[], str]:
    """Bring what the log holds into the database, and empty the log."""

    def apply() -> str:
        log = Path(f"{path.resolve()}-wal")
        before = _size(log)
        with closing(_alone(path)) as con:
            busy = _waiting(con, path, "PRAGMA wal_checkpoint(TRUNCATE)")[0]
        if busy:
            readers = ", ".join(map(str, lockers(path)))
            raise DatabaseLocked(
                f"somebody still reads from the log{f' ({readers})' if readers else ''}", path=path
            )
        return f"the log took {before / 1e6:,.1f} MB and takes {_size(log) / 1e6:,.1f} MB now"

    return apply


def analyze(path: Path, tables: Sequence[str]) -> Callable[[], str]:
    """Let SQLite count what its planner goes by, table by table, each in a moment."""

    def apply() -> str:
        with closing(_alone(path)) as con:
            con.execute(f"PRAGMA analysis_limit = {_ROWS}")
            for table in tables:
                _waiting(con, path, f"ANALYZE main.{quote(table)}")
        return f"{len(tables)} {'table was' if len(tables) == 1 else 'tables were'} analyzed"

    return apply


def _alone(path: Path) -> sqlite3.Connection:
    """A connection to a file that nobody writes to at this moment.

    Raises
    ------
    DatabaseLocked
        Somebody does; says who.
    """
    if any(each.doing != "reading" for each in lockers(path)):
        raise locked_error(path, 0)
    return connect(path, "rw")


def _waiting(con: sqlite3.Connection, path: Path, sql: str) -> Sequence[object]:
    with mapped(path, _WAIT):
        found = wait_for_lock(lambda: con.execute(sql).fetchone(), path=path, timeout=_WAIT)
    return found or ()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
