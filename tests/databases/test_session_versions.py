"""What a session keeps and what it drops when the file behind it becomes another one."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from greynb.databases.analytics import AnalyticsSession
from greynb.databases.snapshot import SnapshotSource
from greynb.errors import GreynbError, QueryError, QueryInterrupted
from greynb.publish import sync


def script(path: Path, sql: str) -> None:
    con = sqlite3.connect(path)
    con.executescript(sql)
    con.close()


def rows(session: AnalyticsSession, sql: str) -> list[list[object]]:
    frame = session.run(sql)[-1].frame
    assert frame is not None
    values: list[list[object]] = frame.to_numpy().tolist()
    return values


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


@pytest.fixture
def session(path: Path) -> Iterator[AnalyticsSession]:
    session = AnalyticsSession(SnapshotSource(path, shared=False))
    yield session
    session.close()


def old_file(path: Path, sql: str) -> None:
    """Make a file that has rested long enough to be linked."""
    script(path, sql)
    before = time.time() - 3600
    os.utime(path, (before, before))


def test_however_a_refresh_is_interrupted_a_dropped_table_is_gone(
    tmp_path: Path, path: Path, session: AnalyticsSession
) -> None:
    staging = tmp_path / "staging.db"
    script(
        staging,
        "CREATE TABLE kept (a INTEGER);"
        + "".join(f"CREATE TABLE x{n} (a INTEGER); INSERT INTO x{n} VALUES ({n});" for n in range(40)),
    )
    sync(staging, path)
    for number in range(8):
        assert rows(session, f"FROM x{number}") == [[number]]
        script(staging, f"DROP TABLE x{number}")
        sync(staging, path)
        done = threading.Event()

        def cell(done: threading.Event = done) -> None:
            with suppress(QueryInterrupted):
                session.run("SELECT count(*) FROM kept")
            done.set()

        thread = threading.Thread(target=cell)
        thread.start()
        time.sleep(0.0007 * number)
        while not done.is_set():
            session.interrupt()
            time.sleep(0.002)
        thread.join()
        with pytest.raises(GreynbError, match=f"x{number}"):
            session.run(f"FROM x{number}")


def test_what_stays_attached_after_an_interrupt_is_detached_later(
    tmp_path: Path, path: Path, session: AnalyticsSession
) -> None:
    script(path, "CREATE TABLE a (x INTEGER); CREATE TABLE b (x INTEGER)")
    session.run("FROM a")
    attachment = session._attachment
    attachment._attached.append("__greynb_left")  # as an interrupt before its ATTACH leaves it
    script(path, "DROP TABLE b")
    session.run("FROM a")
    assert attachment._attached == ["__greynb_2"]
    with pytest.raises(QueryError):
        session.run("FROM b")


def test_temporary_objects_are_made_once_although_the_file_is_written_meanwhile(
    path: Path, session: AnalyticsSession
) -> None:
    old_file(path, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)")
    session.run("CREATE TEMP TABLE keep AS SELECT 7 AS x")
    session.run("CREATE TEMP TABLE IF NOT EXISTS keep AS SELECT 8 AS x")
    assert rows(session, "FROM keep") == [[7]]
    session.run("CREATE OR REPLACE TEMP TABLE keep AS SELECT x + 1 AS x FROM keep")
    assert rows(session, "FROM keep") == [[8]]
    assert session.snapshot.kind == "copy"


def test_a_cell_that_makes_something_leaves_the_link_before_it_runs(
    path: Path, session: AnalyticsSession
) -> None:
    old_file(path, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)")
    assert rows(session, "FROM t") == [[1]]
    if session.snapshot.kind != "link":
        pytest.skip("no hard links here")
    session.run("CREATE TEMP TABLE mine AS FROM t")
    assert [session.snapshot.kind] == ["copy"]
    assert rows(session, "FROM mine") == [[1]]


def test_a_raw_connection_recovers_where_a_cell_does(path: Path, session: AnalyticsSession) -> None:
    script(path, "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    sql = "WITH c AS (FROM t) SELECT * FROM c x JOIN c y USING (a) ORDER BY a LIMIT 1"
    assert session.reader().execute(sql).fetchall() == [(1, "x", "x")]


def test_a_raw_result_recovers_when_it_is_read(path: Path, session: AnalyticsSession) -> None:
    script(path, "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    result = session.reader().sql(
        "WITH c AS (FROM t) SELECT * FROM c x JOIN c y USING (a) ORDER BY a LIMIT 1"
    )
    assert result is not None
    assert result.fetchall() == [(1, "x", "x")]
    with pytest.raises(duckdb.Error):
        session.reader().execute("SELECT error('mine')").fetchall()
