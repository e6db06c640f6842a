"""A staging database of a few thousand rows, and the environment that publishes it to a lake."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import greynb
from greynb import api, connections
from greynb.lake.session import LakeSession
from greynb.routing import Settings

SCHEMA = """
CREATE TABLE races (id INTEGER PRIMARY KEY, track TEXT, run_date DATE, prize REAL, note);
CREATE TABLE tips (race_id INTEGER, dog TEXT, odds REAL, PRIMARY KEY (race_id, dog)) WITHOUT ROWID;
CREATE TABLE free (a, b BLOB);
CREATE VIEW tracks AS SELECT track, count(*) AS races FROM races GROUP BY track;
"""


def fill(path: Path, races: int = 5_000) -> None:
    with closing(sqlite3.connect(path)) as con, con:
        con.execute("PRAGMA journal_mode = WAL")
        con.executescript(SCHEMA)
        rows = (
            (n, f"track {n % 7}", f"2025-0{1 + n % 9}-1{n % 10}", n / 3, "x" if n % 2 else n)
            for n in range(1, races + 1)
        )
        con.executemany("INSERT INTO races VALUES (?, ?, ?, ?, ?)", rows)
        con.executemany("INSERT INTO tips VALUES (?, ?, ?)", [(n, f"dog {n % 9}", n / 8) for n in range(900)])
        con.executemany("INSERT INTO free VALUES (?, ?)", [(n, bytes([n % 256])) for n in range(300)])


class Lake:
    """A staging file and a lake that the environment names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.staging = folder / "stage.db"
        self.catalogue = folder / "races.ducklake"

    def execute(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.staging)) as con, con:
            for each in statements:
                con.execute(each)

    def staged(self, table: str) -> dict[object, tuple[object, ...]]:
        """The rows of a table of staging, by their rowids."""
        with closing(sqlite3.connect(self.staging)) as con:
            return {row[0]: row[1:] for row in con.execute(f"SELECT rowid, * FROM {table}")}

    def cells(self) -> LakeSession:
        session = connections.analytics_session(Settings.current().route("analytics"))
        assert isinstance(session, LakeSession)
        return session

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        frame = self.cells().run(sql)[-1].frame
        assert frame is not None
        return list(frame.itertuples(index=False, name=None))


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    made = Lake(tmp_path)
    fill(made.staging)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAGING_DB_PATH", str(made.staging))
    monkeypatch.setenv("ANALYTICS_DB_PATH", f"ducklake:{made.catalogue}")
    yield made
    connections.close_all()


def check_versions(lake: Lake) -> None:
    """Assert that publications, cells, pins, the history and going back work, wherever the lake is."""
    assert api.sync().id == "lake-000001"
    lake.execute("UPDATE races SET prize = 1 WHERE id < 10", "DELETE FROM tips")
    done = api.sync()
    assert (done.mode, done.tables["races"].updated) == ("incremental", 8)
    assert api.verify().equal
    assert lake.rows("SELECT count(*) FROM tips") == [(0,)]
    connections.pin(Settings.current().route("analytics"), "1")
    assert lake.rows("SELECT count(*) FROM tips") == [(900,)]
    connections.unpin(Settings.current().route("analytics"))
    api.rollback()
    assert lake.rows("SELECT count(*) FROM tips") == [(900,)]
    assert [each.id for each in api.history()] == ["lake-000003", "lake-000002", "lake-000001"]
    assert "lake-000003" in str(greynb.status())
