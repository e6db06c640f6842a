"""The sums that a large result's floats are compared by notice each change beyond the last digits."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from greynb.report.canonical import content_of
from greynb.report.probes import apart

FLOATS = [False, True, True]


def frame(count: int = 500, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "dog": random.integers(0, count, count),
            "odds": random.random(count) * 50,
            "p": random.random(count),
        }
    )


def between(left: pd.DataFrame, right: pd.DataFrame) -> float | None:
    return apart(content_of(left, FLOATS).sums or {}, content_of(right, FLOATS).sums or {})


@given(st.integers(0, 1000))
def test_order_and_last_digits_do_not_count(seed: int) -> None:
    before = frame(seed=seed)
    after = before.sample(frac=1, random_state=seed)
    noise = np.random.default_rng(seed).normal(0, 1e-15, len(after))
    found = between(before, after.assign(odds=after["odds"] * (1 + noise)))
    assert found is not None and found < 1e-12


@given(st.integers(0, 499), st.floats(1e-6, 10), st.sampled_from(["odds", "p"]))
def test_one_changed_value_moves_every_sum_by_as_much(row: int, change: float, column: str) -> None:
    before = frame()
    after = before.copy()
    after.loc[row, column] += change
    found = between(before, after)
    assert found is not None
    share = np.log((after.loc[row, column] + 1e-3) / (before.loc[row, column] + 1e-3))
    assert abs(found / share - 1) < 1e-3


@given(st.sampled_from([0.0, 1e-9, 0.3, -7.0, 4e8]), st.integers(0, 499))
def test_a_changed_value_is_found_beside_one_that_is_much_larger(value: float, row: int) -> None:
    before = frame().assign(odds=1.0)
    before.loc[0, "odds"] = 1e15
    before.loc[row, "odds"] = value
    after = before.copy()
    after.loc[row, "odds"] += 3e-12 + 3e-9 * abs(value)
    found = between(before, after)
    assert found is not None and 1e-9 < found < 1e-8


def test_values_at_the_edge_of_what_a_float_holds_are_compared() -> None:
    before = frame().assign(odds=1.7e308)
    assert between(before, before) == 0


@given(st.integers(0, 200))
def test_changes_that_cancel_in_a_plain_sum_are_found(seed: int) -> None:
    before = frame(seed=seed)
    after = before.copy()
    random = np.random.default_rng(seed + 1)
    change = random.normal(0, 0.01, len(after))
    after["odds"] += change - change.mean()
    found = between(before, after)
    assert found is not None and found > 1e-5


def test_anything_else_that_changes_is_not_the_floats_affair() -> None:
    before = frame()
    for changed in (
        before.assign(dog=before["dog"] + 1),
        before.assign(p=before["p"].where(before["dog"] > 3)),
        before.assign(p=before["p"].where(before["dog"] > 3, np.inf)),
        before.iloc[1:],
    ):
        assert between(before, changed) is None
    assert apart({}, {}) is None
    assert apart({"rest": "a", "columns": [1]}, {"rest": "a", "columns": [1]}) is None
    assert apart({"rest": "a", "columns": [[]]}, {"rest": "a", "columns": [[1.0]]}) is None
