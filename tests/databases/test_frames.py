from __future__ import annotations

import datetime as dt
import math
import sqlite3
from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb.databases.frames import Fetched, from_sqlite, unique_names

INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
CON = duckdb.connect()
STR = str(pd.Series(["x"]).dtype)


def duck(sql: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    fetched = Fetched.last(CON.execute(sql))
    return fetched.frame(), fetched.types


def lite(values: list[Any]) -> tuple[pd.Series[Any], str]:
    con = sqlite3.connect(":memory:")
    con.execute("CREATE TABLE t (v)")
    con.executemany("INSERT INTO t VALUES (?)", [(value,) for value in values])
    frame, types = from_sqlite(con.execute("SELECT v FROM t ORDER BY rowid"))
    return frame["v"], types[0]


def plain(column: pd.Series[Any]) -> list[Any]:
    return [None if pd.api.types.is_scalar(v) and pd.isna(v) else v for v in column.tolist()]


@pytest.mark.parametrize(
    ("value", "without", "with_null"),
    [
        ("1::TINYINT", "int64", "Int64"),
        ("1", "int64", "Int64"),
        ("sum(9223372036854775807 // 2) OVER ()", "int64", "Int64"),
        ("18446744073709551615::UBIGINT", "uint64", "UInt64"),
        ("18446744073709551615::HUGEINT", "uint64", "UInt64"),
        ("18446744073709551616::HUGEINT", "object", "object"),
        ("340282366920938463463374607431768211455::UHUGEINT", "object", "object"),
        ("1.5::FLOAT", "float32", "float32"),
        ("1.5::DOUBLE", "float64", "float64"),
        ("1.5", "float64", "float64"),
        ("true", "bool", "boolean"),
        ("DATE '2025-07-01'", "datetime64[s]", "datetime64[s]"),
        ("TIMESTAMP '2025-07-01 10:00'", "datetime64[us]", "datetime64[us]"),
        ("TIMESTAMP_S '2025-07-01 10:00'", "datetime64[s]", "datetime64[s]"),
        ("TIME '10:00'", "object", "object"),
        ("TIMETZ '10:00:00+02'", "object", "object"),
        ("INTERVAL 3 DAY", "timedelta64[us]", "timedelta64[us]"),
        ("INTERVAL 3 MONTH", "object", "object"),
        ("'x'", STR, STR),
        ("uuid()", STR, STR),
        ("'101'::BIT", STR, STR),
        ("'x'::ENUM('x', 'y')", "category", "category"),
        ("'x'::BLOB", "object", "object"),
        ("[1, 2]", "object", "object"),
        ("MAP {'a': 1}", "object", "object"),
    ],
)
def test_each_duckdb_type_has_its_dtype_with_and_without_null(
    value: str, without: str, with_null: str
) -> None:
    assert str(duck(f"SELECT {value} AS v")[0].dtypes["v"]) == without
    frame, _ = duck(f"SELECT {value} AS v UNION ALL SELECT NULL")
    assert str(frame.dtypes["v"]) == with_null
    assert frame["v"].isna().tolist() == [False, True]


@pytest.mark.parametrize("beside", ["1 AS x", "'text' AS x"])
def test_a_column_has_the_same_dtype_beside_numbers_and_beside_text(beside: str) -> None:
    sql = "unnest([1, NULL]) AS i, 1.5::FLOAT AS f, unnest([true, NULL]) AS b, TIMESTAMP '2025-01-01' AS t"
    alone, _ = duck(f"SELECT {sql}")
    frame, _ = duck(f"SELECT {sql}, {beside}")
    pd.testing.assert_frame_equal(frame[list("ifbt")], alone)


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("170141183460469231731687303715884105727::HUGEINT", 2**127 - 1),
        ("(-170141183460469231731687303715884105728)::HUGEINT", -(2**127)),
        ("340282366920938463463374607431768211455::UHUGEINT", 2**128 - 1),
        ("12345678901234567.89::DECIMAL(38,2)", Decimal("12345678901234567.89")),
        ("-12.51::DECIMAL(38,2)", -12.51),
        ("'101'::BIT", "101"),
        ("'\\x00\\xFF'::BLOB", b"\x00\xff"),
        ("[1::HUGEINT, NULL]", [1, None]),
        ("{'a': 1, 'd': DATE '2025-01-01'}", {"a": 1, "d": dt.date(2025, 1, 1)}),
        ("MAP {1: ['x']}", {1: ["x"]}),
        ("[DATE '20000-01-01']", ["20000-01-01"]),
        ("{'a': TIMESTAMP '20000-01-01'}", {"a": "20000-01-01 00:00:00.000000"}),
        ("MAP {DATE '20000-01-01': [1]}", {"20000-01-01": [1]}),
        ("TIME '10:00:01'", dt.time(10, 0, 1)),
        ("DATE '0001-01-01'", pd.Timestamp("0001-01-01")),
        ("TIMESTAMP '9999-12-31 23:59:59.999999'", pd.Timestamp("9999-12-31 23:59:59.999999")),
        ("INTERVAL '1 month 2 days'", pd.DateOffset(months=1, days=2, microseconds=0)),
    ],
)
def test_values_at_the_edges_come_back_whole(sql: str, value: object) -> None:
    assert duck(f"SELECT {sql} AS v")[0]["v"].tolist() == [value]


def test_a_sum_of_integers_stays_exact() -> None:
    frame, types = duck("SELECT sum(x) AS s FROM (VALUES (9007199254740993), (2)) t(x)")
    assert (frame["s"].tolist(), str(frame.dtypes["s"]), types) == ([9007199254740995], "int64", ("HUGEINT",))


def test_timestamps_with_zone_are_aware_in_the_sessions_zone() -> None:
    con = duckdb.connect()
    con.execute("SET TimeZone = 'Australia/Melbourne'")
    frame = Fetched.last(con.execute("SELECT TIMESTAMPTZ '2025-07-01 10:00:00+00' AS t")).frame()
    assert frame["t"][0].isoformat() == "2025-07-01T20:00:00+10:00"


def test_dates_group_and_merge_with_timestamps() -> None:
    frame, types = duck("SELECT DATE '2025-07-01' AS d, TIMESTAMP '2025-07-01' AS t")
    assert types == ("DATE", "TIMESTAMP")
    assert len(frame.merge(frame, left_on="d", right_on="t")) == 1
    assert frame.groupby(frame["d"].dt.month).size().to_dict() == {7: 1}


def test_an_empty_result_keeps_names_and_dtypes() -> None:
    frame, types = duck("SELECT 1 AS i, 'x' AS s, DATE '2025-01-01' AS d, 'a'::ENUM('a') AS e WHERE false")
    assert [str(dtype) for dtype in frame.dtypes] == ["int64", STR, "datetime64[s]", "category"]
    assert types == ("INTEGER", "VARCHAR", "DATE", "ENUM('a')")


def test_repeated_names_are_numbered_clear_of_names_that_are_there() -> None:
    assert list(duck("SELECT 1 AS a, 2 AS a, 3 AS a_1")[0].columns) == ["a", "a_2", "a_1"]
    cursor = sqlite3.connect(":memory:").execute("SELECT 1 AS a, 2 AS a")
    assert from_sqlite(cursor)[0].iloc[0].to_dict() == {"a": 1, "a_1": 2}


@given(st.lists(st.sampled_from(["a", "a_1", "a_2", "b"])))
def test_names_are_unique_and_unrepeated_ones_stay(names: list[str]) -> None:
    unique = unique_names(names)
    assert len(set(unique)) == len(names)
    assert all(u == n for u, n in zip(unique, names, strict=True) if names.count(n) == 1)


@pytest.mark.parametrize(
    ("sql_type", "strategy"),
    [
        ("BIGINT", INT64),
        ("HUGEINT", st.integers(-(2**127), 2**127 - 1)),
        ("DOUBLE", st.floats(allow_nan=False)),
        ("VARCHAR", TEXT),
        ("BLOB", st.binary()),
        ("BOOLEAN", st.booleans()),
        ("DECIMAL(38,4)", st.decimals(-(10**30), 10**30, places=4)),
        ("DATE", st.dates()),
        ("TIMESTAMP", st.datetimes()),
    ],
)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_values_survive_the_way_out_of_duckdb(sql_type: str, strategy: Any, data: Any) -> None:
    values = data.draw(st.lists(st.none() | strategy, min_size=1, max_size=6))
    sql = " UNION ALL ".join(f"SELECT $v{i}::{sql_type} AS v" for i in range(len(values)))
    bound = {f"v{i}": value for i, value in enumerate(values)}
    fetched = Fetched.last(CON.execute(sql, bound))
    frame, types = fetched.frame(), fetched.types
    assert types == (sql_type,)
    found = plain(frame["v"])
    if sql_type == "DATE":
        found = [None if value is None else value.date() for value in found]
    if sql_type.startswith("DECIMAL"):
        found = [None if value is None else Decimal(repr(value) if isinstance(value, float) else value)
                 for value in found]  # fmt: skip
    assert found == values


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | INT64 | st.floats(allow_nan=False) | TEXT | st.binary()))
def test_values_survive_the_way_out_of_sqlite(values: list[Any]) -> None:
    column, _ = lite(values)
    assert plain(column) == values
    exact = [(type(a), type(b)) for a, b in zip(plain(column), values, strict=True) if a is not None]
    assert all(a is b or (a, b) == (float, int) for a, b in exact)


@pytest.mark.parametrize(
    ("values", "dtype", "storage"),
    [
        ([1, 2], "int64", "integer"),
        ([1, None, 2**62 + 1], "Int64", "integer"),
        ([1.5, None], "float64", "real"),
        ([2.5, 3, None], "float64", "integer|real"),
        ([2.5, 2**53 + 1], "object", "integer|real"),
        (["a", None], STR, "text"),
        ([1, "a"], "object", "integer|text"),
        ([b"a"], "object", "blob"),
        ([None], "object", "null"),
        ([], "object", ""),
    ],
)
def test_each_mix_of_storage_classes_has_its_dtype(values: list[Any], dtype: str, storage: str) -> None:
    column, types = lite(values)
    assert (str(column.dtype), types) == (dtype, storage)
    assert plain(column) == values


def test_a_column_that_changes_its_type_after_many_rows_keeps_every_value() -> None:
    values: list[Any] = [*range(10_000), 0.5, *["late"] * 10_000, None]
    column, types = lite(values)
    assert types == "integer|real|text"
    assert column.tolist() == values
    column, types = lite([*range(10_000), *[0.5] * 10_000])
    assert (str(column.dtype), types, math.fsum(column)) == ("float64", "integer|real", 49_995_000 + 5_000)


def test_the_rows_fetched_so_far_are_told() -> None:
    con = sqlite3.connect(":memory:")
    seen: list[int] = []
    sql = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 25000) SELECT x FROM c"
    from_sqlite(con.execute(sql), fetched=seen.append)
    assert seen == [10_000, 20_000, 25_000]


def test_a_statement_without_a_result_gives_an_empty_frame() -> None:
    frame, types = from_sqlite(sqlite3.connect(":memory:").execute("CREATE TABLE t (x)"))
    assert (frame.shape, types) == ((0, 0), ())


KINDS = (
    "1::TINYINT, 2.5::FLOAT, 1.5, true, 'x', DATE '2025-07-01', TIMESTAMP '2025-07-01 10:00',"
    " TIMESTAMP_NS '2025-07-01 10:00', TIMESTAMPTZ '2025-07-01 10:00:00+02', INTERVAL 3 DAY, 'a'::ENUM('a'),"
    " 18446744073709551615::UBIGINT"
)


@pytest.mark.parametrize("where", ["WHERE true", "WHERE false"])
@pytest.mark.parametrize("kinds", [KINDS, f"{KINDS}, TIME '10:00'", f"unnest([{KINDS.split(',')[0]}, NULL])"])
def test_a_frame_is_the_one_that_pandas_makes_of_its_columns(kinds: str, where: str) -> None:
    frame, _ = duck(f"SELECT {kinds} {where}")
    arrays = {name: frame[name].array for name in frame}
    expected = pd.DataFrame({name: array.copy() for name, array in arrays.items()}, copy=False)
    pd.testing.assert_frame_equal(frame, expected, check_column_type=True, check_index_type="equiv")
    assert type(frame.index) is type(expected.index)
    assert [type(frame[name].array) for name in frame] == [type(expected[name].array) for name in frame]


def test_naming_the_columns_of_one_frame_leaves_the_next_frame_alone() -> None:
    first, _ = duck("SELECT 1 AS a, 2 AS b")
    first.columns.name = "mine"
    assert duck("SELECT 1 AS a, 2 AS b")[0].columns.name is None


@pytest.mark.parametrize("beside", ["", ", 'text' AS x"])
def test_every_column_of_numbers_and_moments_can_be_assigned_to(beside: str) -> None:
    columns = (
        "i, i * 1.5::DOUBLE AS f, i > 0 AS b, nullif(i, 0) AS n, i = nullif(i, 0) AS m,"
        " TIMESTAMP '2025-07-01' AS t, TIMESTAMPTZ '2025-07-01 00:00:00+00' AS z, DATE '2025-07-01' AS d"
    )
    frame, _ = duck(f"SELECT {columns}{beside} FROM range(3) r(i)")
    for name in "ifbnmtzd":
        frame.loc[0, name] = frame[name].iloc[2]
        assert frame[name].iloc[0] == frame[name].iloc[2]
