"""One database for everything, as it was before there were two."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from greynb.databases.generations import generation_at
from greynb.migration.contents import content_of
from greynb.routing import Settings

ENV = "# the team's settings\nAPI_KEY='s3cret # not a comment'\nGREYHOUND_DB_PATH=greyhound_racing_data.db\n"


@pytest.fixture
def original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one database, in the working folder, with a ``.env`` file that names it."""
    folder = tmp_path / "races"
    folder.mkdir()
    make(folder / "greyhound_racing_data.db")
    (folder / ".env").write_text(ENV)
    (folder / ".env").chmod(0o640)
    monkeypatch.chdir(folder)
    return folder / "greyhound_racing_data.db"


def make(path: Path) -> None:
    """Two tables, a view, an index and a trigger."""
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.executescript(
            "CREATE TABLE races (id INTEGER PRIMARY KEY, venue TEXT); CREATE INDEX by_venue ON races (venue);"
            "CREATE TABLE odds (race_id INTEGER, price REAL); CREATE VIEW both AS SELECT * FROM races, odds;"
            "CREATE TRIGGER gone AFTER DELETE ON races BEGIN DELETE FROM odds WHERE race_id = old.id; END;"
            "PRAGMA user_version = 7; BEGIN"
        )
        con.executemany("INSERT INTO races VALUES (?, ?)", ((i, f"venue {i % 7}") for i in range(200)))
        con.executemany("INSERT INTO odds VALUES (?, ?)", ((i, i / 3) for i in range(200)))
        con.execute("COMMIT")


def digests(folder: Path, name: str) -> dict[str, str]:
    """The sha256 of a database and what lies beside it."""
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.glob(f"{name}*")}


def check_two(original: Path) -> None:
    """Both roles have a file of their own, which holds what the original does."""
    settings = Settings.from_environ({}, original.parent)
    staging, analytics = settings.route("staging"), settings.route("analytics")
    assert staging.mode == analytics.mode == "dual"
    assert content_of(staging.path) == content_of(analytics.path) == content_of(original)
    assert generation_at(analytics.path) is not None
    with closing(sqlite3.connect(staging.path)) as con:
        assert con.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert con.execute("PRAGMA integrity_check").fetchone() == ("ok",)
