"""A statement in SQLite's own dialect runs in SQLite, and nothing else does."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from greynb.databases.analytics import AnalyticsSession
from greynb.databases.snapshot import SnapshotSource
from greynb.errors import GreynbError, QueryError, QueryInterrupted
from greynb.publish import sync


@pytest.fixture
def session(tmp_path: Path) -> Iterator[AnalyticsSession]:
    staging = tmp_path / "staging.db"
    con = sqlite3.connect(staging)
    con.executescript(
        "CREATE VIRTUAL TABLE words USING fts5 (name); INSERT INTO words VALUES ('fast dog'), ('slow cat');"
        "CREATE TABLE races (race_id TEXT, venue TEXT, run DATE);"
        "INSERT INTO races VALUES ('a', 'RICH', '2025-07-01'), ('b', 'TAR', '2025-07-02')"
    )
    con.close()
    sync(staging, tmp_path / "analytics.db")
    session = AnalyticsSession(SnapshotSource(tmp_path / "analytics.db", shared=False))
    yield session
    session.close()


def test_a_full_text_search_is_answered_by_sqlite_which_is_said(session: AnalyticsSession) -> None:
    (result,) = session.run("SELECT name FROM words WHERE words MATCH $what", {"what": "dog"})
    assert result.frame is not None
    assert result.frame["name"].tolist() == ["fast dog"]
    assert result.engine == "SQLite"
    assert "SQLite ran the statement" in result.notices[0]


def test_so_is_a_function_that_only_sqlite_has(session: AnalyticsSession) -> None:
    (result,) = session.run("SELECT total_changes() AS n, venue FROM races ORDER BY venue LIMIT 1")
    assert result.frame is not None
    assert result.frame["venue"].tolist() == ["RICH"]
    assert result.engine == "SQLite"


@pytest.mark.parametrize("value", [dt.date(2025, 7, 1), dt.datetime(2025, 7, 1, 10), Decimal("1.5"), None])
def test_values_are_bound_as_sqlite_stores_them(session: AnalyticsSession, value: object) -> None:
    (result,) = session.run("SELECT $v AS v, total_changes() AS n", {"v": value})
    assert result.frame is not None
    expected = float(value) if isinstance(value, Decimal) else None if value is None else str(value)
    assert [None if each != each else each for each in result.frame["v"]] == [expected]


def test_a_midnight_finds_the_dates_that_sqlite_stores(session: AnalyticsSession) -> None:
    sql = "SELECT venue, total_changes() AS n FROM races WHERE run = $day"
    (result,) = session.run(sql, {"day": dt.datetime(2025, 7, 1)})
    assert result.frame is not None
    assert result.frame["venue"].tolist() == ["RICH"]


@pytest.mark.parametrize("made", ["TABLE races AS SELECT 1 AS venue", "VIEW Races AS SELECT 1 AS venue"])
def test_what_hides_a_table_is_never_passed_over(session: AnalyticsSession, made: str) -> None:
    session.run(f"CREATE TEMP {made}")
    with pytest.raises(QueryError):
        session.run("SELECT venue, total_changes() AS n FROM races")
    (result,) = session.run("SELECT name FROM words WHERE words MATCH 'dog'")
    assert result.engine == "SQLite"


REFUSED = {
    "a mistyped column": "SELECT venu FROM races",
    "a column in double quotes that is a string to SQLite": 'SELECT "venu", total_changes() FROM races',
    "a column that is not grouped": "SELECT venue, run, count(*) FROM races GROUP BY venue",
    "what has a known way to write": "SELECT substr(run, 1, 4) FROM races",
    "nonsense": "SELEC * FROM races",
    "a write in SQLite's words": "INSERT OR REPLACE INTO races VALUES ('c', 'x', NULL)",
    "a write behind a search": "DELETE FROM words WHERE words MATCH 'dog'",
    "a pragma": "PRAGMA words.journal_mode = 'off' 'x'",
    "another database": "ATTACH DATABASE 'other.db' AS other KEY 'x'",
    "loading of code": "SELECT load_extension('x')",
    "two statements": "SELECT 1 FROM words WHERE words MATCH 'dog'; SELECT 2 FROM words WHERE words MATCH 1",
}


@pytest.mark.parametrize("sql", REFUSED.values(), ids=REFUSED)
def test_the_rest_stays_an_error(session: AnalyticsSession, tmp_path: Path, sql: str) -> None:
    before = (tmp_path / "analytics.db").read_bytes()
    with pytest.raises(GreynbError):
        session.run(sql)
    assert (tmp_path / "analytics.db").read_bytes() == before
    assert not (tmp_path / "other.db").exists()


def test_a_file_that_others_may_write_is_not_opened_by_another_library(tmp_path: Path) -> None:
    path = tmp_path / "plain.db"
    con = sqlite3.connect(path)
    con.execute("CREATE TABLE t (a)")
    con.close()
    time.sleep(0.1)
    session = AnalyticsSession(SnapshotSource(path, shared=False))
    try:
        assert session.snapshot.kind == "link"
        with pytest.raises(QueryError):
            session.run("SELECT total_changes() FROM t")
    finally:
        session.close()


def test_it_can_be_interrupted(session: AnalyticsSession) -> None:
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT count(*), total_changes() FROM n"
    )
    stopper = threading.Timer(0.5, session.interrupt)
    stopper.start()
    with pytest.raises(QueryInterrupted):
        session.run(endless)
    stopper.join()
    assert session.run("SELECT 1 AS a")[-1].frame is not None
