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
    "text",
    [
        *("", "[1]", '[["a", "a", "real", "E)", false]]', '[["a", "a", "x", "DATE", false]]'),
        *('[["a", "a", [], "DATE"]]', '[["a", 1, "real", "DATE"]]'),
    ],
)
def test_a_journal_that_says_something_else_is_not_believed(text):
    with pytest.raises(ValueError):
        columns_from_json(text)


FILTERS = [
    *(
        "i = 3",
        "i > 3 AND i <= 2000000000000000003",
        "i IN (1, 5, 7)",
        "i IS NULL",
        "i <> 3",
        "i IS DISTINCT FROM 3",
    ),
    *("r < 0", "r = 'inf'::DOUBLE", "r >= 1.5 OR r IS NULL", "r = 0", "NOT r > 0"),
    *(
        "s = ''",
        "s > 'b'",
        "s LIKE 'a%'",
        "s = 'a' || chr(0) || 'b'",
        "s IN ('é', '🐕')",
        "s IS NOT NULL",
        "s < chr(1)",
    ),
    *("b = '\\x00\\xFF'::BLOB", "b >= ''::BLOB", "b IS NULL"),
    *("day > DATE '2020-02-01'", "day BETWEEN DATE '2020-01-05' AND DATE '2025-01-02'", "flag", "NOT flag"),
]


def test_filters_find_the_same_rows_in_files_as_in_the_table(staging):
    columns = (
        [None, 1, 3, 5, 2**61 - 1, 2_000_000_000_000_000_003, -(2**63)],
        [None, 0.0, -0.5, 1.5, float("inf"), float("-inf"), 5e-324],
        [None, "", "a", "a\0b", "é", "🐕", "b", "a%"],
        [None, b"", b"\x00\xff", b"a"],
        [None, 0, 1],
    )
    with closing(sqlite3.connect(staging)) as con:
        con.execute("CREATE TABLE t (n INTEGER, day DATE, i INTEGER, r REAL, s TEXT, b BLOB, flag BOOLEAN)")
        con.executemany(
            "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    n,
                    f"{2020 + n % 2 * 5}-0{n % 3 + 1}-0{n % 7 + 1}",
                    *(each[n % len(each)] for each in columns),
                )
                for n in range(200)
            ),
        )
        con.commit()
    greynb.sync()
    asked = [f"SELECT count(*), coalesce(sum(n), 0) FROM {{}} WHERE {each}" for each in FILTERS]
    before = [rows(each.format("t")) for each in asked]
    archive(staging, "t", "day", dt.date(2023, 1, 1), staging.parent / "old")
    greynb.sync()
    assert [rows(each.format("t_all")) for each in asked] == before
    assert len({str(each) for each in before}) > len(before) // 2
