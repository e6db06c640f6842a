"""Building a mirror: what is odd about a file, what stops a build, and what a build may use."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from greynb.demo import season, write_season
from greynb.mirror import build


def write(path: Path, *statements: str) -> Path:
    con = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        con.execute(statement)
    con.close()
    return path


def rows(mirror: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(mirror), read_only=True) as con:
        return con.execute(sql).fetchall()


@pytest.mark.parametrize("groups", [1, 2])
def test_no_row_is_missing_where_the_largest_rowid_fills_a_row_group(tmp_path: Path, groups: int) -> None:
    last = 122_880 * groups
    path = write(
        tmp_path / "t.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
        f"{last}) INSERT INTO t SELECT i, 'x' || i FROM n",
    )
    contents = build(path, tmp_path / "m.duckdb")
    assert contents.tables["t"].census.rows == last
    assert rows(tmp_path / "m.duckdb", "SELECT count(*), max(id), max(greynb_rowid) FROM t") == [
        (last, last, last)
    ]


def test_a_large_table_is_cut_into_pieces_that_cores_can_share(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 123000)"
        " INSERT INTO t SELECT i FROM n",
    )
    build(path, tmp_path / "m.duckdb")
    groups = "SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('t')"
    assert rows(tmp_path / "m.duckdb", groups) == [(3,)]


def test_a_build_does_not_wait_for_pandas(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    code = (
        "import sys; from pathlib import Path; from greynb.mirror import build;"
        f"build(Path({str(path)!r}), Path({str(tmp_path / 'm.duckdb')!r})); print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_schema_that_is_too_new_for_duckdb_is_read_by_pythons_sqlite(tmp_path: Path) -> None:
    if sqlite3.sqlite_version_info < (3, 39):
        pytest.skip("this SQLite knows no RIGHT JOIN either")
    path = write(
        tmp_path / "t.db",
        "CREATE TABLE t (a INT)",
        "INSERT INTO t VALUES (1)",
        "CREATE VIEW v AS SELECT t.a FROM t RIGHT JOIN (SELECT 2 AS b) ON a = b",
    )
    build(path, tmp_path / "m.duckdb")
    assert rows(tmp_path / "m.duckdb", "FROM v") == [(None,)]
    assert rows(tmp_path / "m.duckdb", "SELECT a FROM t") == [(1,)]


def test_two_thousand_columns_are_mirrored(tmp_path: Path) -> None:
    columns = ", ".join(f"c{number} INTEGER" for number in range(2000))
    path = write(tmp_path / "t.db", f"CREATE TABLE t ({columns})", "INSERT INTO t (c1999) VALUES (7)")
    build(path, tmp_path / "m.duckdb")
    assert rows(tmp_path / "m.duckdb", "SELECT c0, c1999 FROM t") == [(None, 7)]


def test_a_guess_that_proves_wrong_is_counted_again(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.db",
        "CREATE TABLE t (i INTEGER, r REAL, s TEXT, d DATE)",
        "INSERT INTO t VALUES (1, 1.5, 'x', '2025-02-01'), ('', 'n/a', x'ff', '2025-02-30')",
    )
    contents = build(path, tmp_path / "m.duckdb")
    (column, *_) = contents.tables["t"].census.columns
    assert (column.integers, column.texts) == (1, 1)
    assert rows(tmp_path / "m.duckdb", "SELECT i, r, s, d FROM t") == [
        ("1", "1.5", "x", "2025-02-01"),
        ("", "n/a", "\\xFF", "2025-02-30"),
    ]


def test_text_that_is_not_utf_8_is_noticed_behind_text_that_is(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.db",
        "CREATE TABLE t (a TEXT, b NUM)",
        "INSERT INTO t VALUES ('caf\u00e9', 'caf\u00e9'), (CAST(x'63ff' AS TEXT), CAST(x'ff' AS TEXT))",
    )
    contents = build(path, tmp_path / "m.duckdb")
    assert [each.encoding for each in contents.tables["t"].census.columns] == ["invalid", "invalid"]
    assert rows(tmp_path / "m.duckdb", "SELECT a, b FROM t") == [
        ("caf\u00e9", "caf\u00e9"),
        ("c\\xFF", "\\xFF"),
    ]


def test_a_build_can_be_stopped_and_leaves_the_file_unlocked(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.db",
        "CREATE TABLE t (a TEXT, b NUM)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"
        " INSERT INTO t SELECT 'text ' || i, i FROM n",
    )

    class Stop(Exception): ...

    def told(part: float) -> None:
        raise Stop

    with pytest.raises(Stop):
        build(path, tmp_path / "m.duckdb", told=told)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPool")]
    write(path, "DELETE FROM t")


def test_progress_is_told_from_nothing_to_all(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", "CREATE TABLE a (x)", "CREATE TABLE b (x)", "INSERT INTO a VALUES (1)")
    told: list[float] = []
    build(path, tmp_path / "m.duckdb", told=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.slow
def test_a_build_stays_below_400_mb(tmp_path: Path) -> None:
    path = tmp_path / "season.db"
    write_season(path, season(20_000))
    code = (
        "import sys; from pathlib import Path; from greynb.mirror import build;"
        "build(Path(sys.argv[1]), Path(sys.argv[2]));"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    if not Path("/proc/self/status").exists():
        pytest.skip("no /proc here")
    found = subprocess.run(
        [sys.executable, "-c", code, path, tmp_path / "m.duckdb"], capture_output=True, text=True, check=True
    )
    assert int(found.stdout) / 1024 < 400
