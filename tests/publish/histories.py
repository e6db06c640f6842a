"""Random histories of statements on a real SQLite file, and what a row-by-row comparison finds in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

ROWID_TABLES = ("plain", "counted", "texted", "loose")
TABLES = (*ROWID_TABLES, "keyed")
CREATE = {
    "plain": "CREATE TABLE plain (id INTEGER PRIMARY KEY, a, b, UNIQUE (b))",
    "counted": "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, a, b)",
    "texted": "CREATE TABLE texted (id TEXT PRIMARY KEY COLLATE NOCASE, a, b)",
    "loose": "CREATE TABLE loose (id, a, b)",
    "keyed": "CREATE TABLE keyed (id INTEGER, a, b, PRIMARY KEY (id DESC)) WITHOUT ROWID",
}
# An identity per table for the oracle: how a row is known in both versions.
IDENTITY = {"plain": "id", "counted": "id", "texted": "lower(id)", "loose": "rowid", "keyed": "id"}

numbers = st.integers(0, 60) | st.sampled_from([-(2**63), -1, 2**40, 2**63 - 1])
lengths = st.sampled_from([0, 3, 40, 400, 3_000, 20_000])
tables = st.sampled_from(TABLES)
statements = st.one_of(
    st.tuples(st.just("fill"), tables, numbers, st.integers(1, 120), lengths),
    st.tuples(st.just("update"), tables, numbers, st.integers(1, 9), lengths),
    st.tuples(st.just("touch"), tables, numbers, st.integers(1, 9), lengths),
    st.tuples(st.just("retype"), tables, numbers, st.integers(1, 9), lengths),
    st.tuples(st.just("rekey"), tables, numbers, st.integers(1, 9), lengths),
    st.tuples(st.just("delete"), tables, numbers, st.integers(1, 30), lengths),
    st.tuples(st.just("clear"), tables, st.just(0), st.just(0), st.just(0)),
    st.tuples(st.just("schema"), tables, st.integers(0, 5), st.just(0), st.just(0)),
)
histories = st.lists(st.lists(statements, min_size=1, max_size=5), min_size=1, max_size=4)


def begin(path: Path, page_size: int, auto_vacuum: int) -> sqlite3.Connection:
    con = sqlite3.connect(path, isolation_level=None)
    for pragma in (f"page_size = {page_size}", f"auto_vacuum = {auto_vacuum}", "synchronous = OFF"):
        con.execute(f"PRAGMA {pragma}")
    for sql in CREATE.values():
        con.execute(sql)
    return con


def apply(con: sqlite3.Connection, statement: tuple[str, str, int, int, int]) -> None:
    """Run one statement; those that SQLite refuses change nothing."""
    what, table, number, size, length = statement
    key = "id" if table != "loose" else "rowid"
    with suppress(sqlite3.Error):
        if what == "fill":
            rows = ((min(number + i, 2**63 - 1), i % 7, bytes([i % 251]) * (length + i)) for i in range(size))
            names = "rowid, a, b" if table == "loose" else "id, a, b"
            con.execute("BEGIN")
            con.executemany(f"INSERT OR REPLACE INTO {table} ({names}) VALUES (?, ?, ?)", rows)
            con.execute("COMMIT")
        elif what == "update":
            con.execute(f"UPDATE {table} SET b = zeroblob(?) WHERE {key} = ?", (length, number))
        elif what == "touch":  # the same length: the change may stay in one overflow page
            for name, row, value in con.execute(
                f"SELECT '{table}', {key}, b FROM {table} LIMIT 9"
            ).fetchall():
                if isinstance(value, bytes) and value:
                    changed = value[:-1] + bytes([value[-1] ^ size])
                    con.execute(f"UPDATE {name} SET b = ? WHERE {key} = ?", (changed, row))
        elif what == "retype":
            con.execute(
                f"UPDATE {table} SET a = CAST(a AS {'REAL' if size % 2 else 'TEXT'}) WHERE a = {size % 7}"
            )
        elif what == "rekey":
            con.execute(f"UPDATE OR REPLACE {table} SET id = upper(id || 'x') WHERE {key} = ?", (number,))
        elif what == "delete":
            con.execute(
                f"DELETE FROM {table} WHERE {key} BETWEEN ? AND ?", (number, min(number + size, 2**63 - 1))
            )
        elif what == "clear":
            con.execute(f"DELETE FROM {table}")
        else:
            con.execute(_SCHEMA[number].format(table=table))
            if number == 0:
                con.execute(CREATE[table])
    if con.in_transaction:
        con.execute("ROLLBACK")


_SCHEMA = (
    "DROP TABLE {table}",
    "CREATE INDEX IF NOT EXISTS {table}_b ON {table} (b)",
    "ALTER TABLE {table} ADD COLUMN c DEFAULT 7",
    "ALTER TABLE {table} DROP COLUMN c",
    "VACUUM",
    "PRAGMA incremental_vacuum(5)",
)


def snapshot(con: sqlite3.Connection, path: Path) -> Path:
    with closing(sqlite3.connect(path)) as copy:
        con.backup(copy)
    return path


def contents(path: Path, table: str, *, by: str) -> dict[Any, tuple[Any, ...]]:
    """Rows by identity, with types, without the column that comes and goes."""
    with closing(sqlite3.connect(path)) as con:
        rows = con.execute(f"SELECT {by}, id, a, b FROM {table}").fetchall()
    return {row[0] if row[0] is not None else object(): tuple((type(v), v) for v in row[1:]) for row in rows}
