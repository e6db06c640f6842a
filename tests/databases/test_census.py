"""The census counts what is stored, whoever runs it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from greynb.databases.census import TableCensus, take_census
from tests.databases.attached import ALIAS, attached
from tests.databases.test_columns import write


def census_of(path: Path, *tables: str) -> dict[str, TableCensus]:
    """Take a census through sqlite3, as the publisher does."""
    with closing(sqlite3.connect(path)) as con:
        return take_census(lambda sql: con.execute(sql).fetchall(), tables or None)


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    """Give a table that holds every storage class, and some relations that are hard to list."""
    return write(
        tmp_path / "loose.db",
        "CREATE TABLE t (i INTEGER, r REAL, d DATE, s TEXT, u)",
        "CREATE TABLE empty (a INTEGER)",
        "CREATE VIEW v AS SELECT i, s FROM t",
        "CREATE VIEW broken AS SELECT * FROM gone",
        "CREATE VIRTUAL TABLE f USING fts5(body)",
        "INSERT INTO t VALUES (1, 1.5, '2025-07-01', 'a', 1), (2, NULL, '2025-07-01 10:00:00', 'é', x'00'),"
        " ('x', 2, 'soon', CAST(x'ff' AS TEXT), 1.5), (NULL, NULL, NULL, NULL, -5)",
    )


def test_every_storage_class_is_counted(loose: Path) -> None:
    table = census_of(loose)["t"]
    i, r, d, s, u = table.columns
    assert table.rows == 4
    assert (i.nulls, i.integers, i.reals, i.texts, i.blobs) == (1, 2, 0, 1, 0)
    assert (i.low, i.high) == (1, 2)
    assert (r.nulls, r.reals) == (2, 2)
    assert (d.texts, d.dates, d.stamps) == (3, 1, 1)
    assert (s.texts, s.encoding) == (3, "invalid")
    assert (u.integers, u.reals, u.blobs, u.low, u.high) == (2, 1, 1, -5, 1)


def test_duckdbs_sqlite_counts_the_same_as_pythons(loose: Path) -> None:
    with attached(loose) as (con, _):
        quoted = "SELECT * FROM sqlite_query('" + ALIAS + "', '{}')"
        through_duckdb = take_census(
            lambda sql: con.execute(quoted.format(sql.replace("'", "''"))).fetchall()
        )
    assert through_duckdb == census_of(loose)


def test_a_census_survives_json(loose: Path) -> None:
    for table in census_of(loose).values():
        assert TableCensus.from_json(json.loads(json.dumps(table.to_json()))) == table


def test_shadow_tables_are_left_out_and_a_broken_view_says_why(loose: Path) -> None:
    found = census_of(loose)
    assert {name: table.kind for name, table in found.items()} == {
        "t": "table",
        "empty": "table",
        "v": "view",
        "broken": "view",
        "f": "virtual",
    }
    assert found["broken"].problem == "no such table: main.gone"
    assert found["empty"].rows == 0


def test_only_the_named_tables_are_counted(loose: Path) -> None:
    assert list(census_of(loose, "v")) == ["v"]


def test_two_thousand_columns_are_counted(tmp_path: Path) -> None:
    columns = ", ".join(f"c{number} {'DATE' if number % 2 else 'NUM'}" for number in range(2000))
    path = write(
        tmp_path / "wide.db", f"CREATE TABLE wide ({columns})", "INSERT INTO wide (c0, c1999) VALUES (1, 'x')"
    )
    table = census_of(path)["wide"]
    assert (table.columns[0].integers, table.columns[1999].texts, table.columns[5].nulls) == (1, 1, 1)


@pytest.mark.parametrize("text", ["é" * 3, "a\0é", "\x7f", "日本\n語"])
def test_text_beyond_ascii_is_not_mistaken_for_invalid(tmp_path: Path, text: str) -> None:
    path = write(
        tmp_path / "t.db", "CREATE TABLE t (c TEXT)", rows=("INSERT INTO t VALUES (?)", [(text,), ("a",)])
    )
    assert census_of(path)["t"].columns[0].encoding == "utf-8"


@pytest.mark.parametrize("raw", ["ff", "636166e9", "6100ff", "c080", "eda080", "e282", "80"])
def test_invalid_utf_8_is_found_wherever_it_hides(tmp_path: Path, raw: str) -> None:
    path = write(
        tmp_path / "t.db", "CREATE TABLE t (c TEXT)", f"INSERT INTO t VALUES ('a'), (CAST(x'{raw}' AS TEXT))"
    )
    assert census_of(path)["t"].columns[0].encoding == "invalid"
