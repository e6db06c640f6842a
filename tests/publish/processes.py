"""Programs that the publishing tests run as real processes.

Every database in them keeps one promise that a torn read breaks: the sum over ``debit`` is minus the sum over
``credit``, which live in two tables, and both move in each transaction.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

BALANCE = (
    "SELECT (SELECT coalesce(sum(amount), 0) FROM debit) + (SELECT coalesce(sum(amount), 0) FROM credit)"
)

_BOOKING = """
import sqlite3, sys, time
con = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
con.execute("PRAGMA cache_size = 4")
number = 0
while True:
    number += 1
    con.execute("BEGIN IMMEDIATE")
    con.execute("UPDATE debit SET amount = amount + ? WHERE id % 7 = ?", (number, number % 7))
    con.execute("UPDATE credit SET amount = amount - ? WHERE id % 7 = ?", (number, number % 7))
    for table, amount in (("debit", number), ("credit", -number)):  # rows that come, grow, and go
        row = (100_000 + number % 300, amount, "y" * (number % 900))
        con.execute(f"DELETE FROM {table} WHERE id = ?", (100_000 + number * 7 % 300,))
        con.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", row)
    con.execute("COMMIT")
    time.sleep(float(sys.argv[2]))
"""
_PUBLISHING = """
import sys
from pathlib import Path
from greynb.publish import sync
while True:
    sync(Path(sys.argv[1]), Path(sys.argv[2]), layout=sys.argv[3])
    print("published", flush=True)
"""
_HOLDING = """
import sqlite3, sys, time
con = sqlite3.connect(sys.argv[1], isolation_level=None)
con.execute(sys.argv[2])
print("held", flush=True)
time.sleep(60)
"""
_CRASHING = """
import os, sqlite3, sys
con = sqlite3.connect(sys.argv[1], isolation_level=None)
con.execute("PRAGMA cache_size = 4")
con.execute("BEGIN IMMEDIATE")
con.execute("UPDATE debit SET amount = amount + 1")
con.execute("UPDATE credit SET amount = amount + 1")
os._exit(9)
"""


def make_books(path: Path, *, wal: bool = False, rows: int = 400) -> Path:
    """A database whose balance is zero."""
    with closing(sqlite3.connect(path)) as con:
        con.execute(f"PRAGMA journal_mode = {'WAL' if wal else 'DELETE'}")
        for table in ("debit", "credit"):
            con.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, amount INTEGER, filler TEXT)")
            con.executemany(f"INSERT INTO {table} VALUES (?, 0, ?)", ((i, "x" * 300) for i in range(rows)))
        con.commit()
    return path


def balance(path: Path) -> int:
    """Zero, or the database is torn."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as con:
        return int(con.execute(BALANCE).fetchone()[0])


def booking(path: Path, *, pause: float = 0.002) -> subprocess.Popen[str]:
    """A process that commits all the time."""
    return _process(_BOOKING, str(path), str(pause))


def publishing(source: Path, target: Path, layout: str = "auto") -> subprocess.Popen[str]:
    """A process that publishes all the time."""
    return _process(_PUBLISHING, str(source), str(target), layout)


def holding(path: Path, sql: str) -> subprocess.Popen[str]:
    """A process that runs one statement and keeps what it locks; ready when this returns."""
    process = _process(_HOLDING, str(path), sql)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def crash_in_transaction(path: Path) -> None:
    """Leave a hot journal (or an unfinished log) beside a database."""
    process = _process(_CRASHING, str(path))
    process.communicate()
    assert process.returncode == 9


def stop(process: subprocess.Popen[str]) -> None:
    """Kill, as `kill -9` does, and collect."""
    process.kill()
    process.communicate()


def wait_until_changed(path: Path, before: int, seconds: float = 60.0) -> None:
    """Wait until a process has visibly begun to commit."""
    deadline = time.monotonic() + seconds
    while _total(path) == before:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _total(path: Path) -> int:
    """The sum of one table; 0 while it is locked."""
    with closing(sqlite3.connect(path, timeout=0.01)) as con, suppress(sqlite3.OperationalError):
        return int(con.execute("SELECT sum(amount) FROM debit").fetchone()[0])
    return 0


def _process(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
