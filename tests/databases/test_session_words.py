"""What a session says of names, types and comparisons before they surprise anybody."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from greynb.databases.analytics import AnalyticsSession
from greynb.databases.snapshot import SnapshotSource
from greynb.errors import WriteRefused
from greynb.publish import sync


@pytest.fixture
def session(tmp_path: Path) -> Iterator[AnalyticsSession]:
    path = tmp_path / "analytics.db"
    con = sqlite3.connect(path)
    con.executescript(
        "CREATE TABLE t (a INTEGER, b REAL); INSERT INTO t VALUES (1, 0.5);"
        "CREATE TABLE dogs (id INTEGER, [the name] TEXT COLLATE nocase, b TEXT);"
        "INSERT INTO dogs VALUES (1, 'Ash', 'ash')"
    )
    con.close()
    session = AnalyticsSession(SnapshotSource(path, shared=False))
    yield session
    session.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT data_type FROM information_schema.columns WHERE table_name = 't' ORDER BY ordinal_position",
        "SELECT data_type FROM duckdb_columns() WHERE table_name = 't' ORDER BY column_index",
        "SELECT unnest(column_types) FROM (SHOW ALL TABLES) WHERE name = 't'",
        "CREATE TEMP VIEW v AS SELECT data_type FROM duckdb_columns() WHERE table_name = 't'; FROM v",
    ],
)
def test_lists_of_columns_tell_the_types_of_tables_that_nobody_named(
    session: AnalyticsSession, sql: str
) -> None:
    frame = session.run(sql)[-1].frame
    assert frame is not None
    assert [row[0] for row in frame.to_numpy().tolist()] == ["BIGINT", "DOUBLE"]


def test_lists_of_tables_count_nothing(session: AnalyticsSession) -> None:
    session.run("SHOW TABLES; SELECT table_name FROM information_schema.tables")
    assert [table.rows for table in session.catalog.tables()] == [None, None]


@pytest.mark.parametrize("kind", ["VIEW v AS", "MACRO m() AS TABLE"])
def test_a_view_of_a_dataframe_is_refused_and_a_table_of_it_stays(
    session: AnalyticsSession, kind: str
) -> None:
    frame = {"df": pd.DataFrame({"x": [1, 2]})}
    with pytest.raises(WriteRefused, match="df") as caught:
        session.run(f"CREATE TEMP {kind} FROM df", variables=frame)
    assert "CREATE OR REPLACE TEMP TABLE" in str(caught.value)
    session.run("CREATE TEMP TABLE v AS FROM df", variables=frame)
    kept = session.run("SELECT sum(x) AS s FROM v")[0].frame
    assert kept is not None and kept["s"].tolist() == [3]


@pytest.mark.parametrize("kind", ["TABLE", "VIEW"])
def test_what_hides_an_analytics_table_is_said(session: AnalyticsSession, kind: str) -> None:
    made, plain, first, qualified, dropped, after = session.run(
        f"CREATE TEMP {kind} T AS SELECT 9 AS a; CREATE TEMP TABLE other AS SELECT 1;"
        f"SELECT a FROM t; SELECT a FROM analytics.t; DROP {kind} T; SELECT a FROM t"
    )
    assert any("hides the analytics table" in notice for notice in made.notices)
    assert plain.notices == () and dropped.notices == ()
    found = [each.frame["a"].tolist() for each in (first, qualified, after) if each.frame is not None]
    assert found == [[9], [1], [1]]


def test_a_column_that_sqlite_compares_without_case_is_said_once(session: AnalyticsSession) -> None:
    (notice,) = session.run("FROM dogs")[0].notices
    assert notice.startswith("dogs.the name is COLLATE NOCASE in SQLite")
    assert session.run("FROM dogs")[0].notices == ()


def test_a_table_is_told_from_a_cte_as_the_engine_tells_them(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "t.db")) as con, con:
        con.execute("CREATE TABLE É (i INTEGER)")
        con.execute("INSERT INTO É VALUES (10), (9)")
    with closing(AnalyticsSession(SnapshotSource(tmp_path / "t.db", shared=False))) as session:
        frame = session.run("WITH é AS (SELECT 1 AS i) SELECT max(i) AS i FROM É")[-1].frame
        assert frame is not None
        assert frame["i"].tolist() == [10]


@pytest.mark.parametrize("mirrored", [True, False])
def test_each_column_that_sqlite_compares_in_another_way_is_said(tmp_path: Path, mirrored: bool) -> None:
    target = tmp_path / "analytics.db"
    with closing(sqlite3.connect(tmp_path / "staging.db")) as con, con:
        con.execute(
            "CREATE TABLE \"t,(\" (a TEXT COLLATE NOCASE NOT NULL, b TEXT CHECK (b = 'x' COLLATE NOCASE),"
            ' "c,""d" DECIMAL(1, 2) -- COLLATE NOCASE\n COLLATE "NoCase", e DEFAULT \'COLLATE NOCASE\','
            " f TEXT COLLATE rtrim, n INT COLLATE NOCASE, PRIMARY KEY (a, e COLLATE NOCASE)) WITHOUT ROWID"
        )
        con.execute("INSERT INTO \"t,(\" VALUES ('a', 'X', 'c', 'e', 'f', 1)")
        con.execute('CREATE VIEW v AS SELECT a AS shown, f || a AS made, count(*) AS n FROM "t,(" GROUP BY a')
    sync(tmp_path / "staging.db", target, mirror=mirrored)
    with closing(AnalyticsSession(SnapshotSource(target, shared=False))) as session:
        said = [each.partition(" in SQLite")[0] for each in session.run('FROM "t,("')[0].notices]
        assert [each for each in said if "COLLATE" in each] == [
            "t,(.a is COLLATE NOCASE", 't,(.c,"d is COLLATE NOCASE', "t,(.f is COLLATE RTRIM",
        ]  # fmt: skip
        (notice,) = session.run("FROM v")[0].notices
        assert notice.startswith("v.shown is COLLATE NOCASE in SQLite")
