"""A small staging file with a published version, in a folder of its own, and the real program."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("greynb")


class Place:
    """A folder with a `.env` file that names both databases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stage = folder / "stage.db"
        self.analytics = folder / "analytics.db"
        (folder / ".env").write_text("STAGING_DB_PATH=stage.db\nANALYTICS_DB_PATH=analytics.db\n")
        with closing(sqlite3.connect(self.stage)) as con:
            con.executescript(
                "PRAGMA journal_mode=WAL; CREATE TABLE races (race_id TEXT PRIMARY KEY, venue TEXT);"
                "CREATE TABLE odds_history (id INTEGER PRIMARY KEY, timestamp TEXT, odds REAL);"
                "INSERT INTO races VALUES ('a', 'BEN'), ('b', 'SAL'); PRAGMA optimize; ANALYZE;"
            )

    def environ(self, **more: str) -> dict[str, str]:
        """What the program finds: this greynb first, no colours unless asked for."""
        kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return {**kept, "PATH": path, "TERM": "xterm", "HOME": str(home), **more}

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the program here."""
        return subprocess.run(
            [PROGRAM, *words],
            cwd=self.folder,
            env=self.environ(**more),
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Staging, two versions of analytics and a backup, to which the tests only add."""
    made = Place(tmp_path_factory.mktemp("place"))
    for _ in range(2):
        assert made.run("sync", "--no-mirror", "--mode", "full").returncode == 0
    assert made.run("guard", "--label", "july", "--", "true").returncode == 0
    return made
