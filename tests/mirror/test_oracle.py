"""A mirror of a random table holds what sqlite3 says the table holds, and its census is the whole census."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greynb.databases.census import take_census
from greynb.databases.columns import choose
from greynb.databases.mirrored import Contents
from greynb.mirror import build
from tests.databases.test_oracle import BadText, Table, as_type, stored, tables, truth

relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check(path: Path) -> Contents:
    """Build a mirror of the table ``t`` and compare it with what sqlite3 reads and counts."""
    target = path.with_name("mirror.duckdb")
    contents = build(path, target)
    census = contents.tables["t"].census
    types = [choose(column) for column in census.columns]
    wanted = [tuple(as_type(v, kind) for v, kind in zip(row, types, strict=True)) for row in truth(path)]
    with duckdb.connect(str(target), read_only=True) as con:
        cursor = con.execute("SELECT * EXCLUDE (greynb_rowid) FROM t ORDER BY greynb_rowid")
        assert [str(column[1]) for column in cursor.description or []] == types
        assert cursor.fetchall() == wanted
    with closing(sqlite3.connect(path)) as con:
        con.text_factory = lambda raw: raw.decode(errors="replace")
        assert census == take_census(lambda sql: con.execute(sql).fetchall())["t"]
    return contents


@relaxed
@given(tables())
def test_a_mirror_of_any_table_holds_what_sqlite_stores(table: Table) -> None:
    with stored(*table) as path:
        check(path)


@st.composite
def nearly(draw: st.DrawFn) -> str:
    """Draw a date or a moment in which one or two characters are others."""
    valid = ["2025-07-01", "2025-07-01 10:20:30", "2025-07-01T10:20", "0001-01-01 00:00:00.123456"]
    valid += [
        "29-9-12-31",
        "99-9-12-:1",
        "2023-02-28  3:59:59",
        "2025-02-2T 23:59:57",
    ]  # as DuckDB takes them
    text = list(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(text) - 1))
        text[place] = draw(st.sampled_from([*"0123456789 +-:.TZtzabe/", "\0", "\u0662", ""]))
    return "".join(text)


@settings(relaxed, max_examples=100)
@given(st.sampled_from(["DATE", "DATETIME", "date text", "DATE STRING"]), st.lists(nearly(), max_size=3))
def test_what_is_nearly_a_date_is_kept_as_it_is(declared: str, texts: list[str]) -> None:
    usual = "2025-07-01" if declared == "DATE" else "2025-07-01 10:20:30"
    with stored([declared], [[usual], *([text] for text in texts)]) as path:
        check(path)


@settings(relaxed, max_examples=15)
@given(tables())
def test_without_the_extension_a_mirror_holds_the_same(table: Table) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "duckdb_extension_sqlite_scanner", None)  # as if it were not installed
        with stored(*table) as path:
            check(path)


@settings(relaxed, max_examples=10)
@given(tables(), st.sampled_from(["UTF-16le", "UTF-16be"]))
def test_a_mirror_of_a_file_in_utf_16_holds_what_sqlite_stores(table: Table, encoding: str) -> None:
    types, rows = table
    rows = [[None if isinstance(value, BadText) else value for value in row] for row in rows]
    with stored(types, rows, encoding=encoding) as path:
        check(path)
