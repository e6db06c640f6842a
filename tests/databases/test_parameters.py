"""Binding the variables of the notebook to `:name` and `$name`."""

from __future__ import annotations

import datetime as dt
import enum
import math
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from greynb.databases.parameters import SEPARATE, bind
from greynb.databases.sqltext import Dialect, tokens
from greynb.errors import ParameterError

BOTH: list[Dialect] = ["duckdb", "sqlite"]
both = pytest.mark.parametrize("dialect", BOTH)


def answer(sql: str, dialect: Dialect, **variables: object) -> list[tuple[Any, ...]]:
    """Bind and run a statement on an empty database of the engine."""
    bound = bind(sql, variables, dialect=dialect)
    if dialect == "sqlite":
        with closing(sqlite3.connect(":memory:")) as con:
            return con.execute(bound.sql, bound.parameters).fetchall()
    with duckdb.connect() as engine:
        return engine.execute(bound.sql, bound.parameters or None).fetchall()


def value(dialect: Dialect, x: object) -> object:
    return answer("SELECT :x", dialect, x=x)[0][0]


@both
def test_both_marks_are_bound_in_the_order_of_appearance(dialect: Dialect) -> None:
    bound = bind("SELECT $b, :a, :b", {"a": 1, "b": 2, "c": 3}, dialect=dialect)
    assert bound.names == ("b", "a")
    assert bound.parameters == {"a": 1, "b": 2}
    assert answer("SELECT $b, :a, :b", dialect, a=1, b=2) == [(2, 1, 2)]


@both
def test_scalars_keep_the_length_and_the_lines_of_the_text(dialect: Dialect) -> None:
    sql = "SELECT :a,\r\n  $a -- :a\n FROM t"
    bound = bind(sql, {"a": 1}, dialect=dialect)
    assert bound.sql == (sql if dialect == "sqlite" else "SELECT $a,\r\n  $a -- :a\n FROM t")


class Grade(enum.Enum):
    A1 = np.int64(1)


NOON = dt.datetime(2025, 7, 1, 12, 30, 0, 250)


@both
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.int64(5), 5),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("x"), "x"),
        (np.array(5), 5),
        (Grade.A1, 1),
        (pa.scalar(7), 7),
        (pd.NA, None),
        (pd.NaT, None),
        (np.datetime64("NaT"), None),
        (None, None),
        (bytearray(b"\x00\xff"), b"\x00\xff"),
        (memoryview(b"ab"), b"ab"),
        (PurePosixPath("/a/b"), "/a/b"),
        (2**63 - 1, 2**63 - 1),
        (math.inf, math.inf),
        ("half\0way", "half\0way"),
    ],
)
def test_scalars_arrive_as_what_they_mean(dialect: Dialect, given: object, expected: object) -> None:
    assert value(dialect, given) == expected


@pytest.mark.parametrize(
    ("given", "sqlite", "native"),
    [
        (NOON, "2025-07-01 12:30:00.000250", NOON),
        (pd.Timestamp(NOON), "2025-07-01 12:30:00.000250", NOON),
        (np.datetime64(NOON), "2025-07-01 12:30:00.000250", NOON),
        (np.datetime64("2025-07-01"), "2025-07-01", dt.date(2025, 7, 1)),
        (dt.date(2025, 7, 1), "2025-07-01", dt.date(2025, 7, 1)),
        (dt.time(9, 5), "09:05:00", dt.time(9, 5)),
        (Decimal("1.50"), 1.5, Decimal("1.50")),
        (Decimal("4.00"), 4, Decimal("4.00")),
        (UUID(int=5), str(UUID(int=5)), UUID(int=5)),
    ],
)
def test_sqlite_gets_text_or_numbers_where_duckdb_has_a_type(
    given: object, sqlite: object, native: object
) -> None:
    assert value("sqlite", given) == sqlite
    assert type(value("sqlite", given)) is type(sqlite)
    assert value("duckdb", given) == native


def test_a_moment_with_a_zone_stays_the_same_moment() -> None:
    moment = pd.Timestamp("2025-07-01 12:00", tz="Australia/Sydney")
    assert value("sqlite", moment) == "2025-07-01 12:00:00+10:00"
    assert answer("SELECT epoch(:x)", "duckdb", x=moment) == [(moment.timestamp(),)]


def test_nan_is_a_value_of_duckdb_and_null_in_sqlite() -> None:
    assert value("sqlite", math.nan) is None
    assert answer("SELECT isnan(:x)", "duckdb", x=np.nan) == [(True,)]


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18))
@example(Decimal("1E+2"))
@example(Decimal("-1.5E+3"))
@example(Decimal("0E+3"))
def test_a_decimal_is_the_same_number_however_it_is_written(x: Decimal) -> None:
    given = x.normalize()  # 1E+2 for 100
    for native in (value("duckdb", given), answer("SELECT unnest(:x)", "duckdb", x=[given])[0][0]):
        assert native == given if isinstance(native, Decimal) else native == pytest.approx(float(given))
    assert value("sqlite", given) == pytest.approx(float(x))


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
@pytest.mark.parametrize("written", ["Infinity", "-Infinity", "1E+999999999", "-1E+999999999"])
def test_a_decimal_beyond_all_doubles_is_infinite_with_its_sign(dialect: Dialect, written: str) -> None:
    x = Decimal(written)
    assert value(dialect, x) == math.copysign(math.inf, x)


def test_a_duration_is_an_interval_of_duckdb() -> None:
    assert value("duckdb", pd.Timedelta("1.5s")) == dt.timedelta(seconds=1.5)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8")),
    st.binary(),
)


@settings(deadline=None)
@given(SCALARS)
def test_any_plain_value_comes_back_from_both_engines(x: object) -> None:
    for dialect in BOTH:
        assert value(dialect, x) == x


@settings(deadline=None, max_examples=40)
@given(
    st.one_of(
        st.lists(st.none() | st.integers(-3, 3), max_size=6),
        st.lists(st.none() | st.sampled_from(["", "a", "'", "é", "a'b"]), max_size=6),
    ),
    st.booleans(),
)
def test_a_list_in_in_answers_as_written_out_values_do(items: list[object], parenthesised: bool) -> None:
    probes: tuple[object, ...] = (
        ("NULL", 1, 2) if all(not isinstance(i, str) for i in items) else ("NULL", "'a'")
    )
    marks = "(:items)" if parenthesised else ":items"
    for dialect in BOTH:
        for probe in probes:
            got = answer(f"SELECT {probe} IN {marks}, {probe} NOT IN {marks}", dialect, items=items)[0]
            written = {None if probe == "NULL" else (probe if isinstance(probe, int) else "a")}
            assert got == expected_membership(written.pop(), items)


def expected_membership(probe: object, items: list[object]) -> tuple[bool | None, bool | None]:
    """SQL's three-valued IN and NOT IN."""
    if not items:
        return False, True
    if probe is not None and probe in [i for i in items if i is not None]:
        return True, False
    return (None, None) if probe is None or None in items else (False, True)


@both
@pytest.mark.parametrize(
    "ids",
    [
        [1, 3],
        (1, 3),
        {1, 3},
        range(1, 4, 2),
        np.array([1, 3]),
        pd.Series([1, 3], index=[7, 8]),
        pd.Index([1, 3]),
        pd.Series([1, 3, None]),
        pd.Series([1, 3], dtype="Int64"),
        pl.Series([1, 3]),
        pa.array([1, 3]),
        {1: "a", 3: "b"}.keys(),
    ],
    ids=lambda ids: type(ids).__name__,
)
def test_every_kind_of_list_can_be_looked_in(dialect: Dialect, ids: object) -> None:
    rows = "SELECT n FROM (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3) t"
    assert answer(f"{rows} WHERE n IN (:ids) ORDER BY n", dialect, ids=ids) == [(1,), (3,)]


@both
def test_a_hundred_thousand_values_can_be_looked_in(dialect: Dialect) -> None:
    ids = list(range(0, 200_000, 2))
    rows = "WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 99)"
    assert answer(f"{rows} SELECT count(*) FROM r WHERE n IN (:ids)", dialect, ids=ids) == [(50,)]
    assert answer("SELECT NULL IN (:ids), -1 NOT IN (:ids)", dialect, ids=[*ids, None]) == [(None, None)]


@both
@pytest.mark.parametrize("many", [1, SEPARATE + 1])
@pytest.mark.parametrize("item", [2**62 + 1, -0.1, 1e300, "it's", "ü\n"])
def test_values_of_long_and_short_lists_keep_their_type(dialect: Dialect, many: int, item: object) -> None:
    assert answer("SELECT :item IN (:items)", dialect, item=item, items=[item] * many) == [(True,)]


def test_long_lists_that_sqlite_would_misread_are_refused() -> None:
    with pytest.raises(ParameterError, match="1,001 values"):
        bind("SELECT 1 IN (:x)", {"x": [b"a"] * (SEPARATE + 1)}, dialect="sqlite")


def test_dates_as_text_are_found_in_a_date_column_of_duckdb() -> None:
    assert answer("SELECT DATE '2025-07-01' IN (:days)", "duckdb", days=["2025-07-01"]) == [(True,)]


def test_the_names_made_for_a_list_keep_clear_of_variables() -> None:
    bound = bind("SELECT :ids__1 IN (:ids)", {"ids": [5], "ids__1": 6}, dialect="sqlite")
    assert sorted(bound.parameters.values()) == [5, 6]  # type: ignore[type-var]


def test_a_list_elsewhere_is_a_list_of_duckdb_and_refused_for_sqlite() -> None:
    assert answer("SELECT :x, len($x), [i + 1 FOR i IN $x]", "duckdb", x=[1, 2]) == [([1, 2], 2, [2, 3])]
    with pytest.raises(ParameterError, match="list"):
        bind("SELECT :x", {"x": [1, 2]}, dialect="sqlite")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 5::int, '1:x', ':x', 'a' || '{x}'",
        "SELECT [1,2,3][1:2], [1,2,3][:n], [1,2,3][n:3] FROM (SELECT 2 AS n)",
        "SELECT {'a': 1}, {a: 1}, MAP {'k': 2}, {'a':n} FROM (SELECT 2 AS n)",
        "SELECT list_transform([1], x -> x + 1), $$ :x $$, $t$ {{x}} $t$",
        "SELECT '{\"a\": 1}'::JSON ->> '$.a'",
        "SELECT total: 1 + 1, other:n FROM (SELECT 2 AS n)",
        "SELECT sum(n) OVER (ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (SELECT 1 AS n)",
        "SELECT TIME '10:30:00' -- :x\n /* {x} /* :x */ */",
    ],
)
def test_statements_without_parameters_stay_as_they_are(sql: str) -> None:
    assert bind(sql, {}, dialect="duckdb") == bind(sql, {"x": 1}, dialect="duckdb")
    assert bind(sql, {}, dialect="duckdb").sql == sql
    with duckdb.connect() as con:
        con.execute(sql).fetchall()


PIECES = st.sampled_from(
    [
        "'it''s :x'",
        '"a:x"',
        "-- :x $x\n",
        "/* :x */",
        "$x",
        ":x",
        " ",
        "\n",
        "=",
        ",",
        "(",
        ")",
        "::int",
        "n",
        "$$ :x $$",
    ]
)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=30).map("".join), st.sampled_from(BOTH))
def test_only_parameters_are_ever_altered(sql: str, dialect: Dialect) -> None:
    before = tokens(sql, dialect)
    if any(token.kind == "mark" for token in before):
        return
    variables = {token.text[1:]: 1 for token in before if token.kind == "parameter"}
    after = tokens(bind(sql, variables, dialect=dialect).sql, dialect)
    native = dialect == "duckdb"
    expected = [
        "$" + token.text[1:] if native and token.kind == "parameter" else token.text for token in before
    ]
    assert [token.text for token in after] == expected


@both
def test_an_undefined_name_says_where_and_what_was_meant(dialect: Dialect) -> None:
    with pytest.raises(ParameterError, match="no variable race_dat") as caught:
        bind("SELECT 1\nWHERE d = :race_dat", {"race_date": 1, "_race_dat": 2}, dialect=dialect)
    assert caught.value.detail == "line 2: WHERE d = :race_dat\n                  ^^^^^^^^^"
    assert caught.value.hint == "did you mean :race_date?"


@both
@pytest.mark.parametrize(
    "sql", ["SELECT {x}", "SELECT {{x}}", "SELECT {{ x }}", "SELECT {x.y}", "FROM {f(x)}", "{% if x %}"]
)
def test_templates_are_refused_with_the_way_to_bind(dialect: Dialect, sql: str) -> None:
    with pytest.raises(ParameterError) as caught:
        bind(sql, {"x": 1, "f": len}, dialect=dialect)
    assert ":" in str(caught.value.hint)


@both
@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT ?", "no value"),
        ("SELECT $1", "no value"),
        ("SELECT :x.id", "whole variables"),
        ("SELECT :frame", "FROM frame"),
        ("SELECT :table", "FROM table"),
        ("SELECT :function", "name of a function"),
        ("SELECT :mapping", "mapping\\['key'\\]"),
        ("SELECT :nested", "flat list"),
        ("SELECT :grid", "flat list"),
        ("SELECT :fine", "nanoseconds"),
        ("SELECT :huge", "bits"),
        ("SELECT :surrogate", "surrogate"),
        ("SELECT :thing", "object"),
        ("SELECT 1 IN (:things)", "holds a value that is of type object"),
    ],
)
def test_what_cannot_be_bound_is_refused_with_a_way_out(dialect: Dialect, sql: str, said: str) -> None:
    variables = {
        "x": 1,
        "frame": pd.DataFrame({"a": [1]}),
        "table": pa.table({"a": [1]}),
        "function": len,
        "mapping": {"a": 1},
        "nested": [[1], [2]],
        "grid": np.zeros((2, 2)),
        "fine": pd.Timestamp(1),
        "huge": 2**130,
        "surrogate": "\ud800",
        "thing": object(),
        "things": [object()],
    }
    with pytest.raises(ParameterError, match=said):
        bind(sql, variables, dialect=dialect)


def test_integers_that_sqlite_cannot_hold_are_refused_there_only() -> None:
    assert value("duckdb", 2**100) == 2**100
    with pytest.raises(ParameterError, match="64 bits"):
        value("sqlite", 2**63)
    with pytest.raises(ParameterError, match="timedelta"):
        value("sqlite", dt.timedelta(1))


def test_names_that_differ_in_case_only_are_refused_where_duckdb_would_mix_them_up() -> None:
    assert answer("SELECT :a, :A", "sqlite", a=1, A=2) == [(1, 2)]
    with pytest.raises(ParameterError, match="tell A from a"):
        bind("SELECT :a, :A", {"a": 1, "A": 2}, dialect="duckdb")


def test_a_bare_in_with_one_value_compares_with_that_value() -> None:
    bound = bind(
        "SELECT v FROM (VALUES ('SAN'), ('S'), ('XSANY')) t(v) WHERE v IN :v", {"v": "SAN"}, dialect="duckdb"
    )
    con = duckdb.connect()
    assert con.execute(bound.sql, bound.parameters).fetchall() == [("SAN",)]


def test_a_midnight_finds_the_dates_of_sqlite() -> None:
    con = sqlite3.connect(":memory:")
    con.executescript("CREATE TABLE t (d DATE); INSERT INTO t VALUES ('2025-01-01'), ('2025-01-02')")
    day = pd.Timestamp("2025-01-01")
    bound = bind(
        "SELECT count(*) FROM t WHERE d = :day OR d IN (:days)", {"day": day, "days": [day]}, dialect="sqlite"
    )
    assert con.execute(bound.sql, bound.parameters).fetchone() == (1,)
