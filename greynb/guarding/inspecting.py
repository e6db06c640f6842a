"""What a database holds and whether it is sound: rows per table, and what ``integrity_check`` says."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from greynb.databases.copying import connect, mapped, reading
from greynb.databases.identifiers import literal, quote
from greynb.publish.checking import BROKEN_RULE, tolerant, watched

_SHOWN: Final = 5
_TABLES: Final = (
    "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual')"
    " AND name NOT LIKE 'sqlite|_%' ESCAPE '|' ORDER BY name"
)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found in a database.

    Attributes
    ----------
    rows
        By table; None for one that SQLite cannot read here (an unknown module).
    damage
        The first lines that ``integrity_check`` says; values that break a rule of their table are none.
    """

    rows: Mapping[str, int | None] = field(default_factory=dict)
    damage: tuple[str, ...] = ()


def inspect(path: Path, told: Callable[[float], None] = lambda _: None) -> Inspection:
    """Count and check a file that others may be writing to.

    In WAL all of it is one read transaction. Else a writer would wait for its end, so that each table is
    counted and checked on its own there.

    Parameters
    ----------
    path
        The database.
    told
        Called now and then; may raise to stop.

    Raises
    ------
    UnreadableDatabase, DatabaseLocked
        It cannot be looked at.
    """
    with closing(connect(path, "rw")) as con, mapped(path), watched(con, told):
        con.execute("PRAGMA busy_timeout = 5000")
        con.text_factory = tolerant
        if con.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            return inspect_open(con, by_table=True)
        with reading(con, path):
            return inspect_open(con)


def inspect_still(path: Path, told: Callable[[float], None] = lambda _: None) -> Inspection:
    """Count and check a file that nobody writes to."""
    # Read-only connections are not told of broken CHECK constraints, but find all damage.
    with closing(connect(path)) as con, mapped(path), watched(con, told):
        con.text_factory = tolerant
        return inspect_open(con)


def inspect_open(con: sqlite3.Connection, *, by_table: bool = False) -> Inspection:
    """Count and check what a connection sees."""
    try:
        names = [str(name) for (name,) in con.execute(_TABLES).fetchall()]
        rows = {name: _count(con, name) for name in names}
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        return Inspection({}, (str(error),))
    checks = [f"({literal(name)})" for name in names] if by_table else [""]
    found = [line for each in checks for line in _complaints(con, f"PRAGMA integrity_check{each}")]
    return Inspection(rows, tuple(line for line in found if not BROKEN_RULE.match(line))[:_SHOWN])


def _count(con: sqlite3.Connection, table: str) -> int | None:
    try:
        return int(con.execute(f"SELECT count(*) FROM main.{quote(table)}").fetchone()[0])
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR:
            raise
        return None


def _complaints(con: sqlite3.Connection, pragma: str) -> list[str]:
    try:
        # SQLite begins the first line of some damage with "*** in database main ***".
        answers = [str(row[0]) for row in con.execute(pragma).fetchall()]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR:
            raise
        return []  # an unknown module or collation: it could not be checked, which is no damage
    except sqlite3.DatabaseError as error:
        return [str(error)]
    lines = [line for answer in answers for line in answer.splitlines()]
    return [line for line in lines if line != "ok" and not line.startswith("***")]
