"""What a profile says of a frame, compared with what pandas counts."""

from __future__ import annotations

import datetime as dt
import threading
import time

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.errors import QueryInterrupted, UsageError
from greynb.profiling.frames import FrameProfiler
from greynb.profiling.measuring import BINS, EXACT_ROWS
from greynb.profiling.profile import ColumnProfile


def profiled(frame: object) -> dict[str, ColumnProfile]:
    found = FrameProfiler(frame, "frame").measure()
    return {each.name: each for each in found.columns}


NUMBERS = st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), max_size=60)


@given(NUMBERS)
def test_figures_of_numbers_are_those_of_pandas(values: list[int | None]) -> None:
    series = pd.Series(values, dtype="Int64")
    column = profiled(pd.DataFrame({"n": series}))["n"]
    held = sorted(int(each) for each in series.dropna())
    assert (column.nulls, column.distinct) == (len(values) - len(held), len(set(held)))
    assert (column.low, column.high) == ((str(held[0]), str(held[-1])) if held else ("", ""))
    assert all(
        low <= high
        for low, high in zip(map(int, column.quartiles), map(int, column.quartiles[1:]), strict=False)
    )
    assert set(map(int, column.quartiles)) <= set(held)
    assert sum(column.bars) == (len(held) if len(set(held)) > 1 else 0)
    assert len(column.bars) in (0, BINS)


def test_bars_show_where_the_values_lie() -> None:
    column = profiled(pd.DataFrame({"n": [0.0] * 5 + [10.0] * 3 + [20.0]}))["n"]
    assert (column.bars[0], column.bars[10], column.bars[-1]) == (5, 3, 1)
    assert sum(column.bars) == 9


def test_texts_and_booleans_name_their_most_frequent_values() -> None:
    found = profiled(
        pd.DataFrame({"venue": ["TAR", "RICH", "TAR", None], "won": [True, False, False, False]})
    )
    assert found["venue"].common == (("TAR", 2), ("RICH", 1))
    assert (found["venue"].nulls, found["venue"].low, found["venue"].high) == (1, "RICH", "TAR")
    assert found["won"].common == (("false", 3), ("true", 1))


def test_dates_are_measured_like_numbers() -> None:
    days = pd.DataFrame({"day": pd.date_range("2025-01-01", periods=21)})
    column = profiled(days)["day"]
    assert (column.low, *column.quartiles, column.high) == (
        *("2025-01-01", "2025-01-06", "2025-01-11", "2025-01-16", "2025-01-21"),
    )
    assert sum(column.bars) == 21


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"x": []}),
        pd.DataFrame({"x": [None, None]}),
        pd.DataFrame({"x": [np.inf, -np.inf, 1.0]}),
        pd.DataFrame({"x": [1.7e308, -1.7e308]}),
        pd.DataFrame({"x": [[1], [2]]}),
        pd.DataFrame({"x": [{"a": 1}]}),
        pd.DataFrame({"x": [b"\xff", None]}),
        pd.DataFrame({"x": [dt.time(10, 0)]}),
        pd.DataFrame({"x": pd.to_datetime(["2025-01-01"], utc=True)}),
        pd.DataFrame({"x": pd.Categorical(["a", "b", "a"])}),
        pd.DataFrame({'odd "name" $x$': [1], "select": [2], "": ["x"]}),
        pl.DataFrame({"x": [1, 2]}),
        pl.DataFrame({"x": [1, 2]}).to_arrow(),
    ],
    ids=repr,
)
def test_whatever_a_frame_holds_has_a_profile(frame: object) -> None:
    assert len(profiled(frame)) == len(frame.columns)  # type: ignore[attr-defined]


def test_large_frames_are_estimated_and_say_so() -> None:
    rows = EXACT_ROWS + 1
    column = profiled(pd.DataFrame({"n": np.arange(rows)}))["n"]
    assert not column.exact
    assert column.distinct is not None and abs(column.distinct / rows - 1) < 0.1
    assert abs(int(column.quartiles[1]) / (rows / 2) - 1) < 0.1
    assert sum(column.bars) == rows


def test_a_frame_without_columns_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="frame cannot be profiled"):
        FrameProfiler(pd.DataFrame(), "frame").measure()


def test_a_profile_can_be_interrupted() -> None:
    frame = pd.DataFrame({"n": np.random.default_rng(1).random(3_000_000)})
    profiler = FrameProfiler(frame, "frame")
    stopping = threading.Event()

    def stop() -> None:
        while not stopping.is_set():
            profiler.interrupt()
            time.sleep(0.005)

    thread = threading.Thread(target=stop)
    thread.start()
    try:
        with pytest.raises(QueryInterrupted):
            profiler.measure()
    finally:
        stopping.set()
        thread.join()
