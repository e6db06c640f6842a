"""A small staging file that the environment names, and what is done to it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

ROWS = 300


@pytest.fixture(params=["WAL", "DELETE"])
def staging(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two tables in each journal mode; the working folder is theirs."""
    path = tmp_path / "races" / "stage.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute(f"PRAGMA journal_mode = {request.param}")
        con.execute("CREATE TABLE races (id INTEGER PRIMARY KEY, venue TEXT)")
        con.execute("CREATE TABLE odds (race_id INTEGER, price REAL)")
        con.execute("CREATE INDEX by_venue ON races (venue)")
        con.execute("BEGIN")
        con.executemany("INSERT INTO races VALUES (?, ?)", ((i, f"venue {i % 7}") for i in range(ROWS)))
        con.executemany("INSERT INTO odds VALUES (?, ?)", ((i, i / 3) for i in range(ROWS)))
        con.execute("COMMIT")
    monkeypatch.setenv("STAGING_DB_PATH", str(path))
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(path.with_name("analytics.db")))
    monkeypatch.chdir(path.parent)
    return path


def change(path: Path, *statements: str) -> None:
    """Change a database as any program would."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as con:
        for each in statements:
            con.execute(each)


def rows(path: Path, table: str = "races") -> list[tuple[object, ...]]:
    """All rows of a table."""
    with closing(sqlite3.connect(path)) as con:
        return con.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()


def greynb(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process."""
    command = [sys.executable, "-m", "greynb", *words]
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        command, capture_output=True, text=True, check=False, env=os.environ, **options
    )


def sql(*statements: str, then: str = "") -> list[str]:
    """A command that changes staging, and ends as told."""
    program = (
        "import os, sqlite3, sys; "
        "con = sqlite3.connect(os.environ['STAGING_DB_PATH'], isolation_level=None); "
        f"[con.execute(each) for each in {list(statements)!r}]; con.close(); {then}"
    )
    return [sys.executable, "-c", program]
