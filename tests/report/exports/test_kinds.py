"""Types that few programs agree on, from pandas, polars and Arrow: written in every format, and verified."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import greynb
from greynb.errors import UsageError
from greynb.report.verifying.carried import carried_by
from greynb.report.verifying.contents import edits
from tests.report.exports.rows import ALL, csv_rows

POLARS = {
    "1.5": pl.Series([Decimal("1.5"), None]),
    "P1DT0H0M0S": pl.Series([dt.timedelta(1), None]),
    "01:00:00": pl.Series([dt.time(1), None]),
    "a": pl.Series(["a", None], dtype=pl.Enum(["a"])),
    "ff": pl.Series([b"\xff", None]),
    "18446744073709551615": pl.Series([2**64 - 1, None], dtype=pl.UInt64),
    "1267650600228229401496703205376": pl.Series([2**100, None], dtype=pl.Int128),
    "": pl.Series([None, None]),
    "[1]": pl.Series([[1], None]),
    '{"a":1,"b":"x"}': pl.Series([{"a": 1, "b": "x"}, None]),
    "[1,2]": pl.Series([[1, 2], None], dtype=pl.Array(pl.Int8, 2)),
    "2025-07-01 01:00:00+01:00": pl.Series([dt.datetime(2025, 7, 1, 1), None]).dt.replace_time_zone(
        "Europe/London"
    ),
    "0.1": pl.Series([0.1, None], dtype=pl.Float32),
    '["a"]': pl.Series([["a"], None], dtype=pl.List(pl.Categorical)),
    "thing": pl.Series([type("", (), {"__str__": lambda _self: "thing"})(), None], dtype=pl.Object),
}
ARROW = {
    "a": pa.RunEndEncodedArray.from_arrays([1, 2], ["a", None]),
    "1.5": pa.array([1.5, None], pa.float16()),
    "2025-01-01": pa.array([dt.date(2025, 1, 1), None], pa.date64()),
    "1" + "0" * 40: pa.array([Decimal(10) ** 40, None]),
    "[1]": pa.array([[1], None], pa.list_view(pa.int8())),
    "78": pa.array([b"x", None], pa.binary_view()),
    "2025-01-02": pa.array([dt.date(2025, 1, 2), None]).dictionary_encode(),
    "6162": pa.array([b"ab", None], pa.binary(2)),
    "1970-01-01 00:00:00.000000001": pa.array([1, None], pa.timestamp("ns")),
    '{"a":1}': pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int8())),
    '[["a",1],["a",2]]': pa.array([[("a", 1), ("a", 2)], None], pa.map_(pa.string(), pa.int8())),
    "P1M2DT3.5S": pa.array([(1, 2, 3_500_000_000), None], pa.month_day_nano_interval()),
}
TOKYO = pd.Timestamp("2020-01-01", tz="Asia/Tokyo")
PANDAS = {
    "1.0": pd.arrays.SparseArray([1, None]),
    "(0.0, 1.0]": pd.Series(pd.arrays.IntervalArray.from_tuples([(0, 1), None])),
    "2020-01": pd.Categorical.from_codes([0, -1], pd.period_range("2020", periods=1, freq="M")),
    "1 months": pd.Series([pd.DateOffset(months=1), None], dtype=object),
    "2020-01-01 00:00:00+09:00": pd.Series([TOKYO, None, TOKYO.tz_convert("UTC")], dtype=object),
    "ff": pd.Series([bytearray(b"\xff"), None], dtype=object),
    "(1+2j)": pd.Series([1 + 2j, None]),
    r"\ud800": pd.Series(["\ud800", None], dtype=object),
    '{"a":1}': pd.Series([{"a": 1}, {"b": 2}], dtype=object),
    "true": pd.Series([True, 1], dtype=object),
    "2**70": pd.Series([f"{2}**70", None]),
}
CASES = [
    *(pytest.param(text, pl.DataFrame({"x": value}), id=f"polars {text}") for text, value in POLARS.items()),
    *(pytest.param(text, pa.table({"x": value}), id=f"arrow {text}") for text, value in ARROW.items()),
    *(pytest.param(text, pd.DataFrame({"x": value}), id=f"pandas {text}") for text, value in PANDAS.items()),
]


@pytest.mark.parametrize(("text", "frame"), CASES)
def test_a_column_of_any_type_is_written_and_not_taken_for_edited(
    text: str, frame: Any, tmp_path: Path
) -> None:
    paths = [tmp_path / f"x.{suffix}" for suffix in ALL]
    greynb.export(frame, *paths)
    assert (csv_rows(paths[0])[1] or [""])[0] == text
    for path in paths:
        carried = carried_by(path)
        assert not carried.edited and not edits(path, carried.sources[0], carried.facts or {})


def test_a_frame_that_duckdb_made_itself_is_written(tmp_path: Path) -> None:
    frame = duckdb.sql("SELECT INTERVAL 1 DAY i, MAP {'a': 1} m, '\\xAA'::BLOB b, uuid() u, [1, 2] l").df()
    greynb.export(frame, *[tmp_path / f"x.{suffix}" for suffix in ALL])
    assert csv_rows(tmp_path / "x.csv")[1][:3] == ["P1DT0H0M0S", '{"a":1}', "aa"]


def test_a_value_that_a_format_cannot_hold_is_one_short_error(tmp_path: Path) -> None:
    beyond = pa.table({"x": pa.array([2**62], pa.timestamp("s"))})
    with pytest.raises(UsageError, match=r"x\.parquet cannot hold these values"):
        greynb.export(beyond, tmp_path / "x.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "part",
    [lambda df: df[df.n > 1], lambda df: df.sort_values("n"), lambda df: df.iloc[[3, 0, 1]]],
)
def test_numbers_of_a_results_rows_are_no_column_of_what_was_picked_or_sorted(
    part: Callable[[pd.DataFrame], pd.DataFrame], tmp_path: Path
) -> None:
    frame = pd.DataFrame({"n": [3, 1, 4, 2]})
    frame.attrs["greynb"] = {"sql": "SELECT n", "role": "analytics", "rows": 4}
    done = greynb.export(part(frame), tmp_path / "x.csv", tmp_path / "x.parquet")
    assert csv_rows(tmp_path / "x.csv")[0] == ["n"] and len(done.notices) == 1
    assert pd.read_parquet(tmp_path / "x.parquet").columns.tolist() == ["n"]


def test_an_index_that_is_no_number_of_a_results_row_is_kept(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": [1, 2]})
    frame.attrs["greynb"] = {"sql": "SELECT n", "role": "analytics", "rows": 2}
    for index in ([2023, 2024], [1, 1], [-1, 0], pd.Index([0, 1], name="box")):
        greynb.export(frame.set_axis(index), tmp_path / "x.csv", force=True)
        assert len(csv_rows(tmp_path / "x.csv")[0]) == 2


def test_a_kept_index_and_renamed_columns_are_part_of_the_record(tmp_path: Path) -> None:
    frame = pd.DataFrame([[1, 2]], index=[7], columns=pd.Index(["a", "a"]))
    greynb.export(frame, tmp_path / "x.parquet")
    carried = carried_by(tmp_path / "x.parquet")
    assert carried.sources[0].columns == ("index", "a", "a_1")
    assert edits(tmp_path / "x.parquet", carried.sources[0], {}) == ()


def test_keys_of_the_same_text_lose_no_value(tmp_path: Path) -> None:
    greynb.export(pd.DataFrame({"d": [{1: "a", "1": "b"}]}), tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text()) == [{"d": '[[1,"a"],["1","b"]]'}]


def test_objects_that_cannot_be_compared_are_written_as_text(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"o": pd.Series([pd.Series([1, 2]), np.float32("nan"), np.datetime64("2025-07-01")])}
    )
    done = greynb.export(frame, *(tmp_path / f"x.{suffix}" for suffix in ALL))
    assert done.rows == 3
