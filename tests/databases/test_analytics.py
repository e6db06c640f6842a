"""The analytics session: one version per cell, honest engine settings, and recovery."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from greynb.databases.analytics import AnalyticsSession
from greynb.databases.snapshot import SnapshotSource
from greynb.errors import QueryError, UnreadableDatabase


def script(path: Path, sql: str) -> None:
    con = sqlite3.connect(path)
    con.executescript(sql)
    con.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


@pytest.fixture
def session(path: Path) -> Iterator[AnalyticsSession]:
    session = AnalyticsSession(SnapshotSource(path, shared=False))
    yield session
    session.close()


def rows(session: AnalyticsSession, sql: str) -> list[list[object]]:
    frame = session.run(sql)[-1].frame
    assert frame is not None
    return frame.to_numpy().tolist()


def test_two_tables_with_the_same_columns_are_two_tables(path: Path, session: AnalyticsSession) -> None:
    script(
        path,
        "CREATE TABLE debit (id INTEGER PRIMARY KEY, amount INTEGER);"
        "INSERT INTO debit VALUES (1, 10), (2, 20);"
        "CREATE TABLE credit (id INTEGER PRIMARY KEY, amount INTEGER); INSERT INTO credit VALUES (1, 7);",
    )
    both = "SELECT (SELECT sum(amount) FROM debit), (SELECT sum(amount) FROM credit)"
    assert rows(session, both) == [[30, 7]]
    union = "SELECT sum(amount) FROM debit UNION ALL SELECT sum(amount) FROM credit"
    assert sorted(rows(session, union)) == [[7], [30]]


def test_a_cte_used_twice_under_a_limit_is_answered(path: Path, session: AnalyticsSession) -> None:
    script(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    query = "WITH p AS (SELECT id FROM t) SELECT * FROM p UNION ALL SELECT * FROM p LIMIT 1"
    assert rows(session, query) == [[1]]
    assert rows(session, "SELECT count(*) FROM t") == [[2]]


def test_a_view_for_a_newer_sqlite_does_not_make_the_file_unreadable(
    path: Path, session: AnalyticsSession
) -> None:
    if sqlite3.sqlite_version_info < (3, 39):
        pytest.skip("this Python's SQLite knows no RIGHT JOIN either")
    script(
        path,
        "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);"
        "CREATE VIEW v AS SELECT * FROM t AS x RIGHT JOIN t AS y ON x.a = y.a;"
        "CREATE VIEW w AS SELECT * FROM t AS x RIGHT JOIN t AS y ON x.a = y.a;",
    )
    before = path.read_bytes()
    first = session.run("SELECT a FROM t")[0]
    assert first.frame is not None and first.frame["a"].tolist() == [1]
    assert any("v was left out" in notice for notice in first.notices)
    assert any("w was left out" in notice for notice in first.notices)
    assert session.run("SELECT a FROM t")[0].notices == ()
    assert path.read_bytes() == before


def test_after_a_file_that_could_not_be_read_the_session_takes_up_the_next_one(
    path: Path, session: AnalyticsSession
) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\x10\x00\x01\x01\x00\x40\x20\x20" + b"\0" * 3000)
    with pytest.raises(UnreadableDatabase):
        session.run("SELECT 1")
    path.unlink()
    script(path, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (5)")
    assert rows(session, "SELECT a FROM t") == [[5]]


def test_a_statement_takes_only_the_parameters_it_names(path: Path, session: AnalyticsSession) -> None:
    script(path, "CREATE TABLE t (a INTEGER)")
    first, second = session.run("SELECT $a AS a; SELECT $b AS b", {"a": 1, "b": 2})
    assert first.frame is not None and first.frame["a"].tolist() == [1]
    assert second.frame is not None and second.frame["b"].tolist() == [2]


def test_the_error_of_a_later_statement_names_its_line_in_the_cell(
    path: Path, session: AnalyticsSession
) -> None:
    script(path, "CREATE TABLE t (alpha INTEGER)")
    with pytest.raises(QueryError) as caught:
        session.run("SELECT 1;\n\nSELECT alhpa\nFROM t")
    assert "line 3" in str(caught.value).lower() and "alpha" in str(caught.value)


def test_a_syntax_slip_gets_its_hint(path: Path, session: AnalyticsSession) -> None:
    script(path, "CREATE TABLE t (a INTEGER)")
    with pytest.raises(QueryError, match="LIMIT count OFFSET start"):
        session.run("SELECT * FROM t LIMIT 5, 10")
    with pytest.raises(QueryError, match="did you mean SELECT"):
        session.run("SELEC * FROM t")
