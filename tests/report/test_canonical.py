"""A result's hash depends on its values alone: not on order, dtypes, or the engine that gave them."""

from __future__ import annotations

import datetime as dt
import sqlite3
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.databases.frames import Fetched, from_sqlite
from greynb.report.canonical import column_codes, content_hash, content_of
from greynb.report.valuecodes import code
from tests.databases.attached import attached

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(),
    st.binary(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.timedeltas(dt.timedelta(-100_000), dt.timedelta(100_000)),
    st.uuids(),
)
VALUES = st.recursive(
    SCALARS, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3)
)


def objects(values: list[object]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def duck(sql: str) -> pd.DataFrame:
    return Fetched.last(duckdb.connect().execute(sql)).frame()


@given(st.lists(VALUES, max_size=30))
def test_a_column_has_the_codes_of_its_values_one_by_one(values: list[object]) -> None:
    assert column_codes(objects(values)).tobytes() == b"".join(map(code, values))


@given(st.lists(st.floats() | st.integers(-(2**53), 2**53).map(float), max_size=30))
def test_a_column_of_floats_has_the_codes_of_its_values(values: list[float]) -> None:
    assert column_codes(np.array(values, float)).tobytes() == b"".join(map(code, values))


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=30))
def test_a_column_of_integers_has_the_codes_of_its_values(values: list[int | None]) -> None:
    assert column_codes(pd.array(values, dtype="Int64")).tobytes() == b"".join(map(code, values))


@given(st.lists(st.none() | st.datetimes(), max_size=30))
def test_a_column_of_moments_has_the_codes_of_its_values(values: list[dt.datetime | None]) -> None:
    array = np.array(values, "M8[us]") if values else np.array([], "M8[us]")
    assert column_codes(pd.Series(array).array).tobytes() == b"".join(map(code, values))


@given(st.lists(st.none() | st.datetimes(dt.datetime(1900, 1, 1)), min_size=1, max_size=30))
def test_moments_with_a_zone_are_compared_in_utc(values: list[dt.datetime | None]) -> None:
    aware = [value and value.replace(tzinfo=dt.UTC) for value in values]
    series = pd.Series(pd.to_datetime(aware, utc=True)).astype("datetime64[us, UTC]")
    expected = b"".join(map(code, aware))
    assert column_codes(series.array).tobytes() == expected
    assert column_codes(series.dt.tz_convert("Australia/Melbourne").array).tobytes() == expected


@given(st.lists(st.none() | st.text(), max_size=30))
def test_a_column_of_texts_has_the_codes_of_its_values(values: list[str | None]) -> None:
    expected = b"".join(map(code, values))
    for dtype in ("object", "string", "str", "category"):
        assert column_codes(pd.Series(values, dtype=dtype).array).tobytes() == expected


ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc"), st.floats(0, 1)), max_size=40)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_count(rows, random) -> None:
    shuffled = random.sample(rows, len(rows))
    names = ["a", "b", "c"]
    assert content_of(pd.DataFrame(rows, columns=names)) == content_of(pd.DataFrame(shuffled, columns=names))


@given(ROWS, ROWS)
def test_two_results_have_one_hash_just_if_they_hold_the_same_rows_as_often(left, right) -> None:
    names = ["a", "b", "c"]
    same = sorted(map(str, [tuple(map(code, row)) for row in left])) == sorted(
        map(str, [tuple(map(code, row)) for row in right])
    )
    left, right = pd.DataFrame(left, columns=names), pd.DataFrame(right, columns=names)
    assert (content_hash(left) == content_hash(right)) == same


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("SELECT 1 AS a", "SELECT 1 AS b"),
        ("SELECT 1 AS a, 2 AS b", "SELECT 2 AS a, 1 AS b"),
        ("SELECT 'x' AS a", "SELECT 'x' AS a FROM range(2)"),
        ("SELECT NULL AS a", "SELECT '' AS a"),
        ("SELECT '1' AS a", "SELECT 1 AS a"),
        ("SELECT 'ab' AS a, 'c' AS b", "SELECT 'a' AS a, 'bc' AS b"),
        ("SELECT [1, 2] AS a", "SELECT [2, 1] AS a"),
        ("SELECT TIMESTAMPTZ '2025-07-01 00:00:00+00' AS a", "SELECT TIMESTAMP '2025-07-01' AS a"),
        ("SELECT 1.0000000001::DOUBLE AS a", "SELECT 1 AS a"),
        ("SELECT 9007199254740993 AS a", "SELECT 9007199254740992 AS a"),
    ],
)
def test_what_differs_has_another_hash(left: str, right: str) -> None:
    assert content_hash(duck(left)) != content_hash(duck(right))


@pytest.mark.parametrize(
    "values",
    [
        [1, 1.0, True, np.int8(1), Decimal("1.00"), 1 + 1e-13],
        [0.1 + 0.2, 0.3, Decimal("0.3"), np.float64(0.3)],
        [0.0, -0.0, 0, False],
        [None, float("nan"), pd.NaT, pd.NA, np.datetime64("NaT")],
        [dt.date(2025, 7, 1), dt.datetime(2025, 7, 1), "2025-07-01", np.datetime64("2025-07-01")],
        [dt.datetime(2025, 7, 1, 10, 30), pd.Timestamp("2025-07-01 10:30"), "2025-07-01 10:30:00"],
        [dt.timedelta(seconds=1.5), pd.Timedelta("1.5s"), np.timedelta64(1500, "ms")],
        [2**80, Decimal(2**80)],
        [[1, 2], (1.0, 2), np.array([1, 2])],
        [{"a": 1, "b": None}, {"b": None, "a": 1}],
        [b"x", bytearray(b"x")],
    ],
)
def test_values_that_mean_the_same_have_one_code(values: list[object]) -> None:
    assert len({code(value) for value in values}) == 1
    assert len({column_codes(objects([value])).tobytes() for value in values}) == 1


def test_the_engines_and_files_give_one_hash(tmp_path: Path) -> None:
    con = sqlite3.connect(tmp_path / "a.db")
    con.executescript(
        "CREATE TABLE t (id INTEGER, dog TEXT, odds REAL, day DATE, won BOOLEAN, note TEXT);"
        "INSERT INTO t VALUES (1, 'Zoom', 2.5, '2025-07-01', 1, NULL), (2, 'Ääh', 3.0, '2025-07-02', 0, ''),"
        "  (3, NULL, NULL, NULL, NULL, 'x')"
    )
    expected, _ = from_sqlite(con.execute("SELECT * FROM t"))
    con.close()
    with attached(tmp_path / "a.db") as (engine, catalog):
        catalog.ensure(["t"])
        through_sqlite = Fetched.last(engine.execute("SELECT * FROM t ORDER BY id DESC")).frame()
        engine.execute("CREATE TABLE mirror AS SELECT * REPLACE (won = 1 AS won) FROM t")
        mirror = Fetched.last(engine.execute("FROM mirror ORDER BY odds")).frame()
    mirror.to_parquet(tmp_path / "t.parquet")
    mirror.to_csv(tmp_path / "t.csv", index=False)
    frames = [
        *(through_sqlite, mirror, pd.read_parquet(tmp_path / "t.parquet")),
        pd.read_parquet(tmp_path / "t.parquet", dtype_backend="pyarrow"),
        pd.read_parquet(tmp_path / "t.parquet", dtype_backend="numpy_nullable"),
        duckdb.sql(f"FROM '{tmp_path / 't.parquet'}'").df(),
    ]
    assert [content_hash(frame) for frame in frames] == [content_hash(expected)] * len(frames)
    assert content_hash(pd.read_csv(tmp_path / "t.csv")[["id", "odds"]]) == content_hash(
        expected[["id", "odds"]]
    )


def test_frames_of_no_rows_or_no_columns_have_hashes_of_their_own() -> None:
    frames = [pd.DataFrame(), pd.DataFrame(index=range(2)), pd.DataFrame({"a": []}), pd.DataFrame({"b": []})]
    assert len({content_hash(frame) for frame in frames}) == 4


def test_a_result_larger_than_one_piece_is_the_sum_of_its_rows() -> None:
    frame = pd.DataFrame({"a": np.arange(150_001), "b": np.arange(150_001) / 7})
    assert content_of(frame) == content_of(frame.iloc[::-1])
    changed = frame.copy()
    changed.loc[140_000, "b"] += 1e-3
    before, after = content_of(frame), content_of(changed)
    assert before.hash != after.hash
    assert [a == b for a, b in zip(before.columns, after.columns, strict=True)] == [True, False]


def test_the_hash_is_the_one_that_the_documentation_works_out() -> None:
    frame = pd.DataFrame({"dog": ["Zoom", None], "odds": [2.5, 3.0]})
    assert content_hash(frame) == _by_the_book([["Zoom", 2.5], [None, 3]], ["dog", "odds"])


def _by_the_book(rows: list[list[object]], names: list[str]) -> str:
    """docs/verify.md, word by word, for texts, NULL, whole numbers and short doubles."""
    import hashlib
    import json
    import struct

    def one(value: object) -> bytes:
        if value is None:
            return bytes(17)
        if isinstance(value, str):
            return b"t" + hashlib.sha256(value.encode()).digest()[:16]
        if isinstance(value, int):
            return b"i" + struct.pack("<q", value) + bytes(8)
        return b"f" + struct.pack("<d", value) + bytes(8)

    total = sum(int.from_bytes(hashlib.sha256(b"".join(map(one, row))).digest(), "big") for row in rows)
    told = json.dumps([names, len(rows), f"{total % 2**256:064x}"], separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()
