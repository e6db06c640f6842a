"""Views in mirrors: redefined, slow, and stopped."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from greynb.mirror import build, tables
from greynb.publish import sync

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS n FROM n"


def write(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        for statement in statements:
            con.execute(statement)


def rows(target: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(target.resolve().with_name("analytics.duckdb")), read_only=True) as con:
        return con.execute(sql).fetchall()


@pytest.mark.parametrize("view", ["inner_view", "outer_view"])
@pytest.mark.parametrize("beside", ["", "INSERT INTO other VALUES (1)"])
def test_a_view_that_is_defined_otherwise_has_other_rows(tmp_path: Path, view: str, beside: str) -> None:
    staging, target = tmp_path / "staging.db", tmp_path / "analytics.db"
    write(
        staging,
        "CREATE TABLE t (x INTEGER)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
        " INSERT INTO t SELECT i FROM n",
        "CREATE TABLE other (x)",
        "CREATE VIEW inner_view AS SELECT x FROM t",
        "CREATE VIEW outer_view AS SELECT x FROM inner_view",
    )
    sync(staging, target)
    source = "t" if view == "inner_view" else "inner_view"
    write(staging, f"DROP VIEW {view}", f"CREATE VIEW {view} AS SELECT x FROM {source} WHERE x > 2990")
    if beside:
        write(staging, beside)
    assert sync(staging, target).mode == "incremental"
    assert rows(target, "SELECT count(*) FROM outer_view") == [(10,)]


def test_a_view_that_takes_too_long_is_left_to_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("greynb.mirror.building.LONGEST", 0.5)
    write(tmp_path / "t.db", "CREATE TABLE t (a)", f"CREATE VIEW endless AS {ENDLESS}")
    begun = time.monotonic()
    contents = build(tmp_path / "t.db", tmp_path / "m.duckdb")
    assert time.monotonic() - begun < 20
    assert contents.tables["endless"].unstored == f"it takes more than {tables.LONGEST:.0f} s"
    assert not contents.tables["t"].unstored


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to another process there")
def test_ctrl_c_stops_a_publication_in_the_middle_of_a_slow_view(tmp_path: Path) -> None:
    write(tmp_path / "s.db", "CREATE TABLE t (a)", f"CREATE VIEW endless AS {ENDLESS}")
    code = (
        "import sys; from pathlib import Path; from greynb.publish import sync; print('begin', flush=True);"
        "sync(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "s.db"), str(tmp_path / "a.db")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in errors
    assert not (tmp_path / "a.db").exists()


def test_a_table_that_gets_text_is_said_to_compare_without_case(tmp_path: Path) -> None:
    from greynb.databases.mirrored import Contents

    staging, target = tmp_path / "staging.db", tmp_path / "analytics.db"
    write(staging, "CREATE TABLE t (a TEXT COLLATE NOCASE)", "CREATE TABLE u (x)")
    write(staging, "INSERT INTO u SELECT zeroblob(3000) FROM sqlite_schema")
    sync(staging, target)
    write(staging, "INSERT INTO t VALUES ('x')")
    sync(staging, target)
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{target.resolve().with_name('analytics.duckdb')}' AS m (READ_ONLY)")
        assert "NOCASE" in Contents.read(con, "m").tables["t"].notices[0]


@pytest.mark.parametrize(
    "select",
    [
        "strftime('%Y-%m-%d')",
        "strftime('%s') > when_",
        "date()",
        "julianday() - julianday(when_)",
        "(SELECT time() UNION ALL SELECT when_)",
        "datetime('now', '-1 day')",
        "max(CURRENT_DATE)",
    ],
)
def test_a_view_that_asks_for_the_time_in_any_way_is_not_stored(tmp_path: Path, select: str) -> None:
    write(tmp_path / "t.db", "CREATE TABLE t (when_ TEXT)", f"CREATE VIEW v AS SELECT {select} AS x FROM t")
    contents = build(tmp_path / "t.db", tmp_path / "m.duckdb")
    assert contents.tables["v"].unstored == "its rows depend on the time or on chance"


@pytest.mark.parametrize("select", ["date(when_)", "strftime('%Y', when_)", "julianday(when_, '+1 day')"])
def test_a_view_that_only_writes_dates_otherwise_is_stored(tmp_path: Path, select: str) -> None:
    write(tmp_path / "t.db", "CREATE TABLE t (when_ TEXT)", f"CREATE VIEW v AS SELECT {select} AS x FROM t")
    assert build(tmp_path / "t.db", tmp_path / "m.duckdb").tables["v"].unstored == ""


@pytest.mark.parametrize("name", ["s", "r", "S", "t", "w", "d", "k", "c0"])
def test_a_table_may_have_any_short_name(tmp_path: Path, name: str) -> None:
    staging, target = tmp_path / "staging.db", tmp_path / "analytics.db"
    write(
        staging,
        f"CREATE TABLE {name} (a DATE, b)",
        f"INSERT INTO {name} VALUES ('2025-07-01', 1), ('2025-07-02', 'x')",
        f"CREATE VIEW v AS SELECT b FROM {name}",
        "CREATE TABLE other (x)",
        "INSERT INTO other VALUES (zeroblob(100000))",
    )
    assert not sync(staging, target).notices
    write(staging, f"INSERT INTO {name} VALUES ('2025-07-03', 2.5)")
    done = sync(staging, target)
    assert (done.mode, done.notices) == ("incremental", ())
    assert (
        rows(target, f"SELECT b FROM {name} ORDER BY a")
        == rows(target, "FROM v")
        == [("1",), ("x",), ("2.5",)]
    )
