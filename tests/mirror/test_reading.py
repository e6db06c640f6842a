"""Cells read a mirror as they read the SQLite file, and what only SQLite can give through SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from greynb.databases.analytics import AnalyticsSession
from greynb.databases.snapshot import Snapshot, SnapshotSource
from greynb.errors import GreynbError, WriteRefused
from greynb.mirror import build

SCHEMA = """
CREATE TABLE races
  (race_id TEXT PRIMARY KEY, venue TEXT COLLATE NOCASE, race_date DATE, prize REAL, note NUM);
INSERT INTO races VALUES ('a', 'RICH', '2025-07-01', 1.5, 3), ('b', 'TAR', '2025-07-02', NULL, 'text');
CREATE TABLE odd ("" TEXT, A INT, "a b" BLOB) ;
INSERT INTO odd VALUES ('x', 1, x'00ff');
CREATE TABLE keyed (k TEXT PRIMARY KEY, v INT) WITHOUT ROWID;
INSERT INTO keyed VALUES ('one', 1);
CREATE TABLE computed (a INT, b INT GENERATED ALWAYS AS (a * 2) VIRTUAL);
INSERT INTO computed (a) VALUES (21);
CREATE VIEW halves AS SELECT 1 / 2 AS half, venue FROM races;
CREATE VIEW upcoming AS SELECT race_id FROM races WHERE race_date < date('now');
CREATE VIEW lucky AS SELECT random() IS NOT NULL AS sure;
CREATE VIEW months AS SELECT strftime('%Y-%m', race_date) AS month FROM races;
CREATE VIEW broken AS SELECT gone FROM nowhere;
CREATE VIRTUAL TABLE words USING fts5(text);
INSERT INTO words VALUES ('fast dog');
"""
RELATIONS = ["races", "odd", "keyed", "computed", "halves", "upcoming", "lucky", "months", "words"]


class OneMirror:
    """The mirror of one file, built when it is wanted."""

    def __init__(self, path: Path) -> None:
        self.folders = (path.parent,)
        self._path = path

    def find(self, snapshot: Snapshot) -> Path | None:
        return self._path if self._path.exists() else None

    def want(self, snapshot: Snapshot, *, hurry: bool = False) -> bool:
        build(snapshot.path, self._path)
        return True

    def discard(self, mirror: Path) -> None:
        mirror.unlink()

    def close(self) -> None: ...


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "analytics.db"
    con = sqlite3.connect(path)
    con.executescript(SCHEMA)
    con.close()
    return path


@pytest.fixture
def plain(path: Path) -> Iterator[AnalyticsSession]:
    session = AnalyticsSession(SnapshotSource(path, shared=False))
    yield session
    session.close()


@pytest.fixture
def mirrored(path: Path, tmp_path: Path) -> Iterator[AnalyticsSession]:
    session = AnalyticsSession(SnapshotSource(path, shared=False), OneMirror(tmp_path / "mirror.duckdb"))
    session.mirroring.mode = "require"
    session.refresh()
    assert session.mirroring.note == ""
    yield session
    session.close()


def frame(session: AnalyticsSession, sql: str) -> pd.DataFrame:
    found = session.run(sql)[-1].frame
    assert found is not None
    return found


@pytest.mark.parametrize("name", RELATIONS)
def test_a_mirror_gives_the_rows_and_types_of_the_file(
    plain: AnalyticsSession, mirrored: AnalyticsSession, name: str
) -> None:
    assert_frame_equal(frame(plain, f"FROM {name}"), frame(mirrored, f"FROM {name}"))
    assert plain.catalog.columns(name) == mirrored.catalog.columns(name)


def test_what_depends_on_the_time_or_on_chance_is_read_through_sqlite_and_said(
    mirrored: AnalyticsSession,
) -> None:
    for name in ("upcoming", "lucky"):
        (notice,) = mirrored.run(f"FROM {name}")[-1].notices
        assert notice == f"{name} was read through SQLite: its rows depend on the time or on chance"
    assert not mirrored.run("FROM months")[-1].notices


def test_the_same_is_said_of_columns_once(plain: AnalyticsSession, mirrored: AnalyticsSession) -> None:
    said = mirrored.run("FROM races")[-1].notices
    assert said == plain.run("FROM races")[-1].notices
    assert len(said) == 2
    assert not mirrored.run("FROM races")[-1].notices


def test_a_view_that_sqlite_cannot_read_says_why(mirrored: AnalyticsSession) -> None:
    with pytest.raises(GreynbError, match="SQLite cannot read broken: no such table"):
        mirrored.run("FROM broken")


def test_the_tables_are_listed_alike(plain: AnalyticsSession, mirrored: AnalyticsSession) -> None:
    for name in RELATIONS:
        frame(plain, f"FROM {name}")
        frame(mirrored, f"FROM {name}")
    listed = [(each.name, each.kind, each.columns) for each in mirrored.catalog.tables()]
    assert listed == [(each.name, each.kind, each.columns) for each in plain.catalog.tables()]
    assert_frame_equal(frame(plain, "SHOW TABLES"), frame(mirrored, "SHOW TABLES"))


def test_nothing_of_the_mirror_shows_beside_the_tables(mirrored: AnalyticsSession) -> None:
    names = frame(mirrored, "SELECT * FROM information_schema.tables")["table_name"]
    assert sorted(names) == sorted([*RELATIONS, "broken"])


def test_the_mirror_cannot_be_named_or_written(mirrored: AnalyticsSession, tmp_path: Path) -> None:
    before = (tmp_path / "mirror.duckdb").read_bytes()
    for sql in ("FROM __greynb_1.main.races", "INSERT INTO races VALUES (1)", "DROP TABLE races"):
        with pytest.raises(GreynbError):
            mirrored.run(sql)
    with pytest.raises(WriteRefused):
        mirrored.run(f"COPY races TO '{tmp_path / 'mirror.duckdb'}'")
    assert (tmp_path / "mirror.duckdb").read_bytes() == before


def test_without_the_gate_the_engine_still_reaches_no_other_file(
    mirrored: AnalyticsSession, tmp_path: Path
) -> None:
    other = tmp_path.parent / f"{tmp_path.name}-other.csv"
    other.write_text("a\n1\n")
    for sql in (f"FROM read_csv('{other}')", f"COPY (SELECT 1) TO '{other}'", f"ATTACH '{other}.duckdb'"):
        with pytest.raises(duckdb.PermissionException):
            mirrored._con.execute(sql)


def test_a_mirror_that_cannot_be_read_is_said_and_the_file_read(path: Path, tmp_path: Path) -> None:
    (tmp_path / "mirror.duckdb").write_bytes(b"no database" * 1000)
    session = AnalyticsSession(SnapshotSource(path, shared=False), OneMirror(tmp_path / "mirror.duckdb"))
    result = session.run("SELECT count(*) AS n FROM keyed")[-1]
    session.close()
    assert result.frame is not None
    assert result.frame["n"].tolist() == [1]
    assert "the columnar mirror cannot be read" in result.notices[0]


def test_never_reads_the_file(path: Path, tmp_path: Path) -> None:
    build(path, tmp_path / "mirror.duckdb")
    session = AnalyticsSession(SnapshotSource(path, shared=False), OneMirror(tmp_path / "mirror.duckdb"))
    session.mirroring.mode = "never"
    session.refresh()
    assert session.mirroring.note == "SQLite file"
    session.mirroring.mode = "auto"
    session.refresh()
    assert session.mirroring.note == ""
    session.close()
