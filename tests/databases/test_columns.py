"""Each column gets the narrowest type that loses nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from greynb.databases.columns import choose, is_widened, plan, unique_names
from greynb.databases.declared import scanned_as
from greynb.databases.identifiers import quote
from greynb.databases.relations import ColumnCensus
from tests.databases.attached import ALIAS, attached

CASES = [  # declared type, stored values, type chosen, values read (None: as stored)
    ("INTEGER", [1, -(2**63), 2**63 - 1], "BIGINT", None),
    ("INTEGER", [1, 2.5], "DOUBLE", [1.0, 2.5]),
    ("INTEGER", [2**53, 2.5], "DOUBLE", [float(2**53), 2.5]),
    ("INTEGER", [2**53 + 1, 2.5], "VARCHAR", [str(2**53 + 1), "2.5"]),
    ("INTEGER", ["", 7], "VARCHAR", ["", "7"]),
    ("REAL", [1.5, float("inf"), float("-inf")], "DOUBLE", None),
    ("REAL", [1.5, "SCR"], "VARCHAR", ["1.5", "SCR"]),
    ("NUM", [1, 2], "BIGINT", None),
    ("NUM", [2**60, 2], "BIGINT", None),
    ("NUM", [1, 2.5], "DOUBLE", [1.0, 2.5]),
    ("NUM", ["2025-07-01T10:00:00", None], "VARCHAR", None),
    ("BOOLEAN", [0, 1, None], "BOOLEAN", [False, True, None]),
    ("BOOLEAN", [0, 2], "BIGINT", None),
    ("BOOLEAN", [0, "true"], "VARCHAR", ["0", "true"]),
    ("DATE", ["2025-07-01", "2024-02-29", None], "DATE", [date(2025, 7, 1), date(2024, 2, 29), None]),
    ("DATE", ["2025-07-01 10:00:00"], "TIMESTAMP", [datetime(2025, 7, 1, 10)]),
    (
        "DATE",
        ["2025-07-01", "2025-07-01T10:00"],
        "TIMESTAMP",
        [datetime(2025, 7, 1), datetime(2025, 7, 1, 10)],
    ),
    ("DATE", ["2025-02-30"], "VARCHAR", None),
    ("DATE", ["01/07/2025"], "VARCHAR", None),
    ("DATE", ["2025-07-01", ""], "VARCHAR", None),
    ("DATE", [20250701], "BIGINT", None),
    ("DATE(8)", ["2025-07-01"], "DATE", [date(2025, 7, 1)]),
    ("TIMESTAMP", [1751364000000], "BIGINT", None),
    ("DATETIME", ["2025-07-01"], "TIMESTAMP", [datetime(2025, 7, 1)]),
    ("DATETIME", ["2025-07-01 10:00:00.123456"], "TIMESTAMP", [datetime(2025, 7, 1, 10, 0, 0, 123456)]),
    ("DATETIME", ["2025-07-01 10:00:00.1234567"], "VARCHAR", None),
    ("DATETIME", ["2025-07-01T10:00:00Z"], "VARCHAR", None),
    ("DATETIME", ["2025-07-01T10:00:00+10:00"], "VARCHAR", None),
    ("TEXT", ["é", "a\0b", ""], "VARCHAR", None),
    ("TEXT", ["a", b"\x00\xffA"], "VARCHAR", ["a", "\\x00\\xFFA"]),
    ("BLOB", [b"", b"\x00\xff"], "BLOB", None),
    ("BLOB", ["text"], "VARCHAR", None),
    ("", [1, 2], "BIGINT", None),
    ("", ["a", "b"], "VARCHAR", None),
    ("", [1, "a"], "VARCHAR", ["1", "a"]),
    ("", [0.1], "DOUBLE", None),
    ("INTEGER", [None], "BIGINT", None),
    ("REAL", [], "DOUBLE", None),
    ("BOOLEAN", [], "BOOLEAN", None),
    ("DATE", [None], "DATE", None),
    ("DATETIME", [], "TIMESTAMP", None),
    ("BLOB", [], "BLOB", None),
    ("", [None], "VARCHAR", None),
    ("JSON", ['{"a": 1}'], "VARCHAR", None),
]


def write(path: Path, *statements: str, rows: tuple[str, list[tuple[Any, ...]]] | None = None) -> Path:
    """Create a SQLite file by statements, then insert rows."""
    with closing(sqlite3.connect(path)) as con, con:
        for statement in statements:
            con.execute(statement)
        if rows:
            con.executemany(*rows)
    return path


@pytest.mark.parametrize(("declared", "values", "chosen", "read"), CASES)
def test_a_column_gets_the_narrowest_type_that_holds_its_values(
    tmp_path: Path, declared: str, values: list[Any], chosen: str, read: list[Any] | None
) -> None:
    path = write(
        tmp_path / "t.db",
        f"CREATE TABLE t (c {declared})",
        rows=("INSERT INTO t VALUES (?)", [(value,) for value in values]),
    )
    with attached(path) as (con, catalog):
        catalog.ensure(["t"])
        got = con.execute("SELECT c FROM t").fetchall()
        assert str(con.execute("SELECT c FROM t").description[0][1]) == chosen
    assert [row[0] for row in got] == (values if read is None else read)


def test_the_scanner_maps_declared_types_as_this_module_believes(tmp_path: Path) -> None:
    declared = [
        *sorted({case[0] for case in CASES}),
        "INT8", "UNSIGNED BIG INT", "DOUBLE PRECISION", "FLOAT", "DECIMAL(10,2)", "DEC", "BOOL", "date",
        " DATE ", "TIMESTAMP WITH TIME ZONE", "TIME", "CHAR(3)", "NVARCHAR(5)", "CLOB", "ANY",
        "FLOATING POINT", "STRING", "UUID", "INTERVAL", "HUGEINT", "MONEY",
        "DATETIME TEXT", "BLOB REAL", "date_time", "NUMBER",
    ]  # fmt: skip
    columns = ", ".join(f"c{number} {each}" for number, each in enumerate(declared))
    with attached(write(tmp_path / "t.db", f"CREATE TABLE t ({columns})")) as (con, _):
        rows = con.execute(f"DESCRIBE SELECT * FROM {ALIAS}.main.t").fetchall()
    assert [row[1] for row in rows] == [scanned_as(each) for each in declared]


def test_numbers_are_read_directly_and_mixed_values_through_sqlite() -> None:
    assert plan(ColumnCensus("a", "INTEGER", integers=3), "a").direct == "{x}"
    assert plan(ColumnCensus("a", "INTEGER", integers=3, texts=1), "a").direct is None
    assert plan(ColumnCensus("a", "TEXT", texts=3, encoding="invalid"), "a").direct is None


def test_a_narrower_number_is_no_widening() -> None:
    assert not is_widened(ColumnCensus("a", "NUM", integers=3, low=1, high=3))
    assert is_widened(ColumnCensus("a", "INTEGER", integers=3, reals=1, low=1, high=3))
    assert choose(ColumnCensus("a", "INTEGER", integers=3, reals=1, low=1, high=3)) == "DOUBLE"


def test_names_that_duckdb_cannot_tell_apart_get_a_number() -> None:
    assert unique_names(["a", "A", "", "é", "É", "A_1"]) == ["a", "A_1", "column3", "é", "É", "A_1_1"]


@pytest.mark.parametrize(
    "name", ['q"q', "select", "with space", "{x}", "%s", "'", "名", "rowid", "a.b", "c0", "ROWID"]
)
def test_an_odd_column_name_reads_directly_and_beside_a_widened_one(tmp_path: Path, name: str) -> None:
    plain = ", ".join(f"p{number} INTEGER" for number in range(6))
    path = write(
        tmp_path / "t.db",
        f"CREATE TABLE narrow ({quote(name)} INTEGER)",
        f"CREATE TABLE wide ({quote(name)} INTEGER, odd INTEGER, {plain})",
        "INSERT INTO narrow VALUES (5)",
        "INSERT INTO wide VALUES (5, 'x', 1, 2, 3, 4, 5, 6)",
    )
    with attached(path) as (con, catalog):
        catalog.ensure(["narrow", "wide"])
        assert con.execute(f"SELECT {quote(name)} FROM narrow").fetchall() == [(5,)]
        assert con.execute(f"SELECT {quote(name)}, odd, p5 FROM wide").fetchall() == [(5, "x", 6)]
