"""The type of a column whose live and archived values are read as different types."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing

import pytest

import greynb
from greynb import connections
from greynb.archive import archive
from greynb.databases.archivedcolumns import columns_from_json
from tests.archive.test_reading import rows, staging

__all__ = ["staging"]


@pytest.mark.parametrize(
    ("declared", "old", "new", "kind", "shown"),
    [
        ("INTEGER", 1, 2, "BIGINT", [1, 2]),
        ("BOOLEAN", 7, 1, "BIGINT", [7, 1]),
        ("INTEGER", 0.5, 2, "DOUBLE", [0.5, 2.0]),
        ("INTEGER", 0.5, 2**60, "VARCHAR", ["0.5", str(2**60)]),
        ("INTEGER", 2**60, 0.5, "VARCHAR", [str(2**60), "0.5"]),
        ("INTEGER", None, "x", "VARCHAR", [None, "x"]),
        ("DATE", "2020-01-01 10:00:00", "2025-01-01", "TIMESTAMP", None),
        ("", b"\x00a", "🐕", "VARCHAR", ["\\x00a", "🐕"]),
        ("BOOLEAN", "yes", 1, "VARCHAR", ["yes", "1"]),
        ("BLOB", None, None, "BLOB", [None, None]),
    ],
)
def test_the_common_type_loses_nothing(staging, declared, old, new, kind, shown):
    with closing(sqlite3.connect(staging)) as con:
        con.execute(f"CREATE TABLE t (day TEXT, x {declared})")
        con.execute("INSERT INTO t VALUES ('2020-01-01', ?), ('2025-01-01', ?)", (old, new))
        con.commit()
    archive(staging, "t", "day", dt.date(2023, 1, 1), staging.parent / "old")
    greynb.sync()
    assert rows("SELECT column_type FROM (DESCRIBE t_all) WHERE column_name = 'x'") == [(kind,)]
    if shown is not None:
        assert [x for (x,) in rows("SELECT x FROM t_all ORDER BY day")] == shown
    connections.close_all()


@pytest.mark.parametrize(
    "text", ["", "[1]", '[["a", "a", "real", "EVIL)", false]]', '[["a", "a", "x", "DATE", false]]']
)
def test_a_journal_that_says_something_else_is_not_believed(text):
    with pytest.raises(ValueError):
        columns_from_json(text)
