"""The catalog shows every table of a file, typed, whatever it holds."""

from __future__ import annotations

import csv
import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from greynb.databases.census import take_census
from greynb.databases.identifiers import quote
from greynb.databases.reports import Forcing
from greynb.errors import UnreadableDatabase
from tests.databases.attached import attached
from tests.databases.test_columns import write
from tests.databases.test_oracle import COLLECTOR

STAMP = "2025-07-01T10:00:00.123456"


def test_the_collectors_main_table_reads_although_its_num_column_holds_iso_text(tmp_path: Path) -> None:
    if not COLLECTOR.exists():
        pytest.skip("the collector's columns are not at hand")
    with COLLECTOR.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["table"] == "dog_race_data"]
    columns = ", ".join(f"{quote(row['column'])} {row['declared_type']}" for row in rows)
    path = write(
        tmp_path / "c.db",
        f"CREATE TABLE dog_race_data ({columns})",
        f"INSERT INTO dog_race_data (race_id, box_number, extraction_timestamp) VALUES ('R1', 3, '{STAMP}'),"
        " ('R2', 4, NULL)",
    )
    with attached(path) as (con, catalog):
        (notice,) = catalog.ensure(["DOG_race_data"])
        assert notice == (
            "dog_race_data.extraction_timestamp is declared NUM but holds 1 texts: read as VARCHAR"
        )
        assert len(con.execute("SELECT * FROM dog_race_data").fetchall()[0]) == len(rows)
        got = con.execute("SELECT race_id, box_number, extraction_timestamp FROM dog_race_data").fetchall()
    assert got == [("R1", 3, STAMP), ("R2", 4, None)]


def test_tables_are_listed_before_any_row_is_read_and_shadow_tables_are_hidden(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.db",
        "CREATE TABLE races (id INTEGER PRIMARY KEY AUTOINCREMENT)",
        "CREATE VIEW latest AS SELECT * FROM races",
        "CREATE VIRTUAL TABLE notes USING fts5(body)",
        "INSERT INTO notes VALUES ('fast dog')",
    )
    with attached(path) as (con, catalog):
        assert con.execute("SHOW TABLES").fetchall() == [("latest",), ("notes",), ("races",)]
        assert [(t.name, t.kind, t.rows) for t in catalog.tables()] == [
            ("latest", "view", None),
            ("notes", "virtual", None),
            ("races", "table", None),
        ]
        catalog.ensure(["notes"])
        assert con.execute("FROM notes").fetchall() == [("fast dog",)]
        catalog.close()
        assert con.execute("SHOW TABLES").fetchall() == []


def test_special_tables_read_like_any_other(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.db",
        "CREATE TABLE gen (a INT, b INT AS (a * 2) VIRTUAL, c TEXT AS ('x' || a) STORED)",
        "INSERT INTO gen (a) VALUES (3)",
        "CREATE TABLE keyed (k TEXT PRIMARY KEY, v INT, p, q, r, s) WITHOUT ROWID",
        "INSERT INTO keyed (k, v) VALUES ('b', 1), ('a', 'x')",
        "CREATE TABLE strict (a INTEGER, b ANY, c REAL) STRICT",
        "INSERT INTO strict VALUES (1, 'x', 2), (2, 3, 2.5)",
        "CREATE TABLE empty (a INTEGER, d DATE)",
        "CREATE TABLE same (a INTEGER)",
        "INSERT INTO same VALUES (7)",
        "CREATE TRIGGER same AFTER INSERT ON same BEGIN SELECT 1; END",
        "CREATE TABLE defaults (a INT DEFAULT (1 GLOB 2), b TEXT DEFAULT \"x\", c DEFAULT (strftime('%s')))",
        "INSERT INTO defaults VALUES (1, 'y', 2)",
        "CREATE VIEW twice AS SELECT a, a, upper('x') AS u, a AS \"A\" FROM gen",
        "CREATE VIRTUAL TABLE area USING rtree(id, low, high)",
        "INSERT INTO area VALUES (1, 0.5, 1.5)",
    )
    expected = {
        "gen": [(3, 6, "x3")],
        "keyed": [("a", "x", None, None, None, None), ("b", "1", None, None, None, None)],
        "strict": [(1, "x", 2.0), (2, "3", 2.5)],
        "empty": [],
        "same": [(7,)],
        "defaults": [(1, "y", 2)],
        "twice": [(3, 3, "X", 3)],
        "area": [(1, 0.5, 1.5)],
    }
    with attached(path) as (con, catalog):
        catalog.ensure(expected)
        assert {name: con.execute(f"FROM {quote(name)}").fetchall() for name in expected} == expected


@pytest.mark.parametrize(
    "name",
    ['q"q', "it's", "main", "temp", "analytics", "information_schema", "duckdb_tables", "pragma_table_info",
     "select", "with space", "Émile", "émile", "名前", "{0}", "sqlite", ""],
)  # fmt: skip
def test_a_table_of_any_name_is_readable(tmp_path: Path, name: str) -> None:
    path = write(
        tmp_path / "t.db",
        f"CREATE TABLE {quote(name)} (a INT, b INT)",
        f"INSERT INTO {quote(name)} VALUES (5, 'x')",
    )
    with attached(path) as (con, catalog):
        (report,) = catalog.tables()
        assert report.name == (name or "table1")
        assert catalog.ensure([report.name])
        assert con.execute(f"FROM {quote(report.name)}").fetchall() == [(5, "x")]


def test_a_view_that_sqlite_cannot_read_says_why_and_hurts_no_other_table(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", "CREATE VIEW broken AS SELECT * FROM gone", "CREATE TABLE t (a INT)")
    with attached(path) as (con, catalog):
        catalog.ensure(["broken", "t"])
        assert con.execute("FROM t").fetchall() == []
        assert con.execute("SHOW TABLES").fetchall() == [("broken",), ("t",)]
        with pytest.raises(duckdb.Error, match="SQLite cannot read broken: no such table"):
            con.execute("SELECT count(*) FROM broken").fetchall()


def test_a_view_is_evaluated_by_sqlites_dialect(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.db",
        "CREATE TABLE t (a TEXT, b DATE)",
        "INSERT INTO t VALUES ('x', '2025-07-01')",
        "CREATE VIEW v AS SELECT typeof(a) AS kind, strftime('%Y', b) AS year,"
        " a = 'X' COLLATE NOCASE AS same, b FROM t",
    )
    with attached(path) as (con, catalog):
        catalog.ensure(["v"])
        assert con.execute("FROM v").fetchall() == [("text", "2025", 1, date(2025, 7, 1))]


def test_columns_report_what_forced_a_wider_type(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.db",
        "CREATE TABLE t (box INTEGER, name TEXT)",
        "INSERT INTO t VALUES (1, 'a'), (2, 'b'), ('SCR', 'c'), ('SCR', 'd'), (NULL, 'e'),"
        " (x'ff', 'f'), (1.5, 'g')",
    )
    with attached(path) as (_, catalog):
        box, name = catalog.columns("T")
        assert (box.table, box.column, box.declared, box.type) == ("t", "box", "INTEGER", "VARCHAR")
        assert (box.rows, box.nulls, box.widened) == (7, 1, True)
        assert box.forced_by[0] == Forcing("text", "SCR", 2)
        assert set(box.forced_by[1:]) == {Forcing("blob", "x'FF'", 1), Forcing("real", "1.5", 1)}
        assert (name.type, name.widened, name.forced_by) == ("VARCHAR", False, ())
        with pytest.raises(KeyError):
            catalog.columns("nosuch")


def test_a_notice_comes_once(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", "CREATE TABLE t (a INT)", "INSERT INTO t VALUES ('x')")
    with attached(path) as (_, catalog):
        assert len(catalog.ensure(["t", "T", "nosuch"])) == 1
        assert catalog.ensure(["t"]) == ()


def test_a_given_census_is_taken_at_its_word_until_a_statement_fails(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", "CREATE TABLE t (a INTEGER, b TEXT)", "INSERT INTO t VALUES (1, 'b')")
    with closing(sqlite3.connect(path)) as con:
        census = take_census(lambda sql: con.execute(sql).fetchall())
    write(path, "INSERT INTO t VALUES ('x', CAST(x'ff' AS TEXT))")
    with attached(path, census) as (con, catalog):
        assert catalog.tables()[0].rows == 1
        assert catalog.ensure(["t"]) == ()
        with pytest.raises(duckdb.Error) as caught:
            con.execute("FROM t").fetchall()
        assert catalog.recover(caught.value, ["t"])
        assert con.execute("FROM t").fetchall() == [("1", "b"), ("x", "\\xFF")]
        assert not catalog.recover(caught.value, ["t"])


def test_a_relation_that_only_the_publisher_could_not_read_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)")
    with closing(sqlite3.connect(path)) as con:
        census = take_census(lambda sql: con.execute(sql).fetchall())
    with attached(path, {"t": replace(census["t"], problem="no such module")}) as (con, catalog):
        catalog.ensure(["t"])
        assert con.execute("FROM t").fetchall() == [(1,)]


def test_an_error_of_the_users_own_is_no_reason_to_count_again(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('x')")
    with attached(path) as (con, catalog):
        catalog.ensure(["t"])
        for sql in ("SELECT CAST(a AS INTEGER) FROM t", "SELECT nosuch FROM t"):
            with pytest.raises(duckdb.Error) as caught:
                con.execute(sql).fetchall()
            assert not catalog.recover(caught.value, ["t"])


@pytest.mark.parametrize("groups", [1, 2])
def test_no_row_is_lost_where_the_largest_rowid_fills_a_row_group(tmp_path: Path, groups: int) -> None:
    last = 122_880 * groups
    path = write(
        tmp_path / "t.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b INT, c INT, d INT, odd INT)",
        f"WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
        " INSERT INTO t SELECT i, i, i, i, i, i FROM n",
        "CREATE TABLE mixed AS SELECT * FROM t",
        "UPDATE mixed SET odd = 'x' WHERE rowid = 1",
    )
    with attached(path) as (con, catalog):
        catalog.ensure(["t", "mixed"])
        for table in ("t", "mixed"):
            got = con.execute(
                f"SELECT count(*), count(DISTINCT id), max(id), count(odd) FROM {table}"
            ).fetchone()
            assert got == (last, last, last, last)


def test_a_widened_table_keeps_its_rows_together_and_in_order_beside_indexes(tmp_path: Path) -> None:
    numbers = list(range(30_000))
    random.Random(1).shuffle(numbers)
    path = write(
        tmp_path / "t.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b INT, c INT, d INT, e INT, odd INT)",
        "CREATE INDEX by_a ON t (a)",
        "CREATE INDEX by_odd ON t (odd)",
        rows=(
            "INSERT INTO t VALUES (?, ?, 1, 2, 3, 4, ?)",
            [(n * 3 - 500, a, f"x{a}") for n, a in enumerate(numbers)],
        ),
    )
    with attached(path) as (con, catalog):
        catalog.ensure(["t"])
        view = con.execute("SELECT sql FROM duckdb_views() WHERE view_name = 't'").fetchall()[0][0]
        assert " JOIN " in view
        got = con.execute("SELECT a, odd FROM t").fetchall()
        assert sorted(got) == sorted((a, f"x{a}") for a in numbers)
        assert [row[1] for row in con.execute("FROM t").fetchall()] == numbers
        assert con.execute("SELECT a FROM t WHERE odd = 'x77'").fetchall() == [(77,)]


@pytest.mark.parametrize("odd", ["NUM", "DATE"])
def test_two_thousand_columns_are_read(tmp_path: Path, odd: str) -> None:
    columns = ", ".join(f"c{number} {odd if number % 400 == 0 else 'INTEGER'}" for number in range(2000))
    values = ", ".join("'x'" if number % 400 == 0 else str(number) for number in range(2000))
    path = write(tmp_path / "t.db", f"CREATE TABLE t ({columns})", f"INSERT INTO t VALUES ({values})")
    with attached(path) as (con, catalog):
        assert len(catalog.ensure(["t"])) == 5
        assert con.execute("SELECT c0, c1, c400, c1999 FROM t").fetchall() == [("x", 1, "x", 1999)]
        assert len(con.execute("FROM t").fetchall()[0]) == 2000


def test_a_schema_that_duckdbs_sqlite_cannot_parse_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "t.db", "CREATE TABLE t (a INT)")
    with closing(sqlite3.connect(path)) as con, con:
        con.execute("PRAGMA writable_schema = on")
        con.execute(
            "INSERT INTO sqlite_schema VALUES ('view', 'v', 'v', 0, 'CREATE VIEW v AS SELECT FROM future')"
        )
    with pytest.raises(UnreadableDatabase, match="malformed database schema"), attached(path):
        pass


def test_rows_of_a_table_without_rowids_can_be_counted(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.db",
        "CREATE TABLE t (a INTEGER, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID",
        "INSERT INTO t VALUES (1, 'x'), (2, 'y')",
    )
    with attached(path) as (con, catalog):
        catalog.ensure(["t"])
        count = "SELECT count(*) FROM t"
        with pytest.raises(duckdb.Error) as failed:
            con.execute(count)
        assert catalog.recover(failed.value, ["t"])
        assert con.execute(count).fetchall() == [(2,)]
