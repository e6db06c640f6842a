"""The pieces of a staging cell's transaction: which kind it needs, what it leaves behind."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

from greynb.databases.locks import is_busy, primary_code
from greynb.databases.sqltext import words
from greynb.databases.staging_rules import verb


def begin_reading(con: sqlite3.Connection) -> None:
    """Begin a transaction and take its read lock now, so that no later statement has to wait for it."""
    con.execute("BEGIN")
    try:
        con.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except BaseException:
        con.execute("ROLLBACK")
        raise


def writes(con: sqlite3.Connection, statement: str, values: dict[str, object]) -> bool:
    """Whether a statement writes to the file itself, as SQLite has compiled it.

    Its program then opens a write transaction on database 0 (temporary tables are database 1);
    see the opcode Transaction on https://www.sqlite.org/opcode.html.
    """
    first = verb(statement)
    if first in ("EXPLAIN", "PRAGMA"):
        # Some pragmas take effect while they are compiled, even behind EXPLAIN.
        return _may_write(statement)
    try:
        program = con.execute(f"EXPLAIN {statement}", values).fetchall()
    except sqlite3.Error as error:
        if is_busy(error) or primary_code(error) == sqlite3.SQLITE_INTERRUPT:
            raise
        return _may_write(statement)
    return any(step[1] == "Transaction" and step[2] == 0 and step[3] > 0 for step in program)


def orphans(con: sqlite3.Connection) -> set[tuple[object, ...]] | None:
    """Rows that break a foreign key, where the schema defers that check to the commit; else None."""
    deferred = "SELECT 1 FROM sqlite_master WHERE sql LIKE '%INITIALLY DEFERRED%' LIMIT 1"
    if not con.execute(deferred).fetchall():
        return None
    return set(con.execute("PRAGMA foreign_key_check").fetchall())


def check_orphans(before: set[tuple[object, ...]] | None, after: set[tuple[object, ...]] | None) -> None:
    """Fail a dry run as the commit would."""
    if after is not None and not after <= (before or set()):
        raise sqlite3.IntegrityError("FOREIGN KEY constraint failed")


def _may_write(statement: str) -> bool:
    """Whether a statement that SQLite cannot compile yet should be taken for one that writes."""
    first = verb(statement)
    if first == "PRAGMA":
        return "=" in words(statement, "sqlite")
    return first not in ("SELECT", "VALUES", "EXPLAIN")


def settle(con: sqlite3.Connection, written: bool) -> None:
    """Move what was committed from the ``-wal`` into the file, where no other connection is in the way.

    People copy database files with ``cp``, which would leave the ``-wal`` behind.
    """
    if written:
        with suppress(sqlite3.OperationalError):
            con.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
