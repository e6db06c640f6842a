"""Carrying a mirror on: only changed rows are read again, and what cannot be carried on is built."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from greynb.databases.mirrored import Contents
from greynb.databases.relations import TableCensus
from greynb.mirror import Changed, build, refresh, refreshing
from greynb.publish import sync


def write(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        for statement in statements:
            con.execute(statement)


def rows(mirror: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(mirror), read_only=True) as con:
        return con.execute(sql).fetchall()


class Versions:
    """Two versions of one SQLite file, and the mirror of the first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.old, self.new = folder / "old.db", folder / "new.db"
        write(
            self.old,
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b NUM)",
            "INSERT INTO t VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3)",
            "CREATE TABLE u (a)",
            "INSERT INTO u VALUES ('kept')",
        )
        shutil.copyfile(self.old, self.new)
        self.mirror = folder / "old.duckdb"
        build(self.old, self.mirror)

    def census(self) -> dict[str, TableCensus]:
        return build(self.new, self.folder / "whole.duckdb").census()

    def refreshed(self, **changed: object) -> tuple[Path, Contents]:
        target = self.folder / "new.duckdb"
        known = Changed(census=self.census(), **changed)  # type: ignore[arg-type]
        shutil.copyfile(self.mirror, target)
        return target, refresh(self.new, target, known)


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions(tmp_path)


def test_rows_in_the_ranges_are_replaced_and_no_others_are_read(versions: Versions) -> None:
    write(versions.new, "UPDATE t SET a = a || '!'", "DELETE FROM t WHERE id = 2")
    write(versions.new, "INSERT INTO t VALUES (7, 'seven', 7), (2, 'second', 2)")
    target, contents = versions.refreshed(same=["u"], spans={"t": ((2, 2), (5, 9))})
    # The ranges leave 1 and 3 out: what they hold now is not looked at.
    assert rows(target, "SELECT id, a FROM t ORDER BY id") == [
        (1, "one"),
        (2, "second"),
        (3, "three"),
        (7, "seven"),
    ]
    assert rows(target, "SELECT a FROM u") == [("kept",)]
    assert contents.tables["t"].census.rows == 4


def test_ranges_that_miss_a_row_are_noticed_and_the_table_is_built(versions: Versions) -> None:
    write(versions.new, "DELETE FROM t WHERE id = 3")
    target, _ = versions.refreshed(same=["u"], spans={"t": ((1, 1),)})
    assert rows(target, "SELECT id FROM t ORDER BY id") == [(1,), (2,)]


def test_a_value_that_widens_a_column_has_the_table_built(versions: Versions) -> None:
    write(versions.new, "UPDATE t SET b = 'x' WHERE id = 2")
    target, _ = versions.refreshed(same=["u"], spans={"t": ((2, 2),)})
    assert rows(target, "SELECT b FROM t ORDER BY id") == [("1",), ("x",), ("3",)]


def test_tables_come_go_and_change_their_columns(versions: Versions) -> None:
    write(versions.new, "DROP TABLE u", "CREATE TABLE v (a)", "INSERT INTO v VALUES (5)")
    write(versions.new, "ALTER TABLE t ADD COLUMN c DEFAULT 'new'")
    target, contents = versions.refreshed()
    assert list(contents.tables) == ["t", "v"]
    assert rows(target, "SELECT a, c FROM t ORDER BY id LIMIT 1") == [("one", "new")]
    assert rows(target, "SELECT a FROM v") == [(5,)]
    assert rows(target, "SELECT table_name FROM duckdb_tables() WHERE table_name = 'u'") == []


def test_ranges_far_apart_and_wide_are_replaced_too(versions: Versions) -> None:
    far = 2**62
    write(versions.new, f"INSERT INTO t VALUES ({far}, 'far', 1), ({-far}, 'back', 1)")
    target, _ = versions.refreshed(same=["u"], spans={"t": ((-far, 0), (4, far))})
    assert rows(target, "SELECT a FROM t ORDER BY id") == [
        ("back",),
        ("one",),
        ("two",),
        ("three",),
        ("far",),
    ]


def test_a_mirror_that_has_grown_is_built_anew(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "GROWN", 0.0)
    write(versions.new, "INSERT INTO t VALUES (4, 'four', 4)")
    target, contents = versions.refreshed(same=["u"], spans={"t": ((4, 4),)})
    assert contents.first_bytes == 0
    assert rows(target, "SELECT count(*) FROM t") == [(4,)]


def test_many_small_changes_do_not_let_a_mirror_grow_beyond_its_bound(tmp_path: Path) -> None:
    staging, target = tmp_path / "staging.db", tmp_path / "analytics.db"
    write(
        staging,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
        " INSERT INTO t SELECT i, hex(randomblob(20)) FROM n",
    )
    sync(staging, target)
    mirror = target.resolve().with_name("analytics.duckdb")
    first = mirror.stat().st_size
    for number in range(12):
        write(staging, f"UPDATE t SET a = hex(randomblob(20)) WHERE id / 100 = {number}")
        result = sync(staging, target)
        assert result.mode == "incremental"
    mirror = target.resolve().with_name("analytics.duckdb")
    assert mirror.stat().st_size <= 1.6 * first
    with closing(sqlite3.connect(target)) as con:
        expected = con.execute("SELECT id, a FROM t ORDER BY id").fetchall()
    assert rows(mirror, "SELECT id, a FROM t ORDER BY id") == expected


def test_a_damaged_mirror_of_the_version_before_is_no_obstacle(tmp_path: Path) -> None:
    staging, target = tmp_path / "staging.db", tmp_path / "analytics.db"
    write(staging, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    sync(staging, target)
    mirror = target.resolve().with_name("analytics.duckdb")
    found = mirror.stat()
    mirror.chmod(0o644)
    mirror.write_bytes(b"\0" * found.st_size)
    os.utime(mirror, ns=(found.st_atime_ns, found.st_mtime_ns))
    write(staging, "INSERT INTO t VALUES (2)")
    sync(staging, target)
    assert rows(target.resolve().with_name("analytics.duckdb"), "SELECT count(*) FROM t") == [(2,)]
