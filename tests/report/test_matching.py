"""Two results are compared row by row, and what differs is counted and named, in any order of rows."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.report.verifying.matching import compare

NAMES = ["venue", "day", "n", "odds"]
KEYED = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 9), st.integers(0, 5), st.floats(0.1, 100)),
    min_size=1,
    max_size=20,
    unique_by=lambda row: row[:2],
)
ANY = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2) | st.none(), st.floats()), max_size=15)


@given(ANY, st.randoms(use_true_random=False))
def test_the_same_rows_in_any_order_are_equal(rows, random) -> None:
    found = compare(["a", "b", "c"], rows, random.sample(rows, len(rows)))
    assert found.equal and found.first is None and found.largest == 0


@given(ANY, st.randoms(use_true_random=False))
def test_last_digits_are_within_the_tolerance_in_any_order(rows, random) -> None:
    noisy = [(a, b, c * (1 + 1e-12) if math.isfinite(c) and abs(c) < 1e300 else c) for a, b, c in rows]
    found = compare(["a", "b", "c"], rows, random.sample(noisy, len(noisy)))
    assert found.equal and found.largest <= 1e-9


@given(KEYED, st.data())
def test_a_changed_value_is_named_by_its_row_s_leading_columns(rows, data) -> None:
    place = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.sampled_from([2, 3]))
    changed = [list(row) for row in rows]
    changed[place][column] += 1
    shuffled = data.draw(st.permutations(changed))
    found = compare(NAMES, rows, shuffled)
    assert (found.values, found.of, found.gone, found.new) == (1, 4 * len(rows), 0, 0)
    assert found.first is not None and found.first.column == NAMES[column]
    assert found.first.row.startswith(f"venue={rows[place][0]}")


@given(KEYED, st.data())
def test_rows_that_came_or_went_are_counted(rows, data) -> None:
    place = data.draw(st.integers(0, len(rows) - 1))
    fewer = rows[:place] + rows[place + 1 :]
    gone, new = compare(NAMES, rows, fewer), compare(NAMES, fewer, rows)
    assert (gone.gone, gone.new, gone.values) == (1, 0, 0)
    assert (new.gone, new.new, new.values) == (0, 1, 0)
    assert gone.first is not None and gone.first.now == "gone"
    assert new.first is not None and new.first.now == "there"


@pytest.mark.parametrize(
    ("then", "now", "same"),
    [
        (1.0, 1.0 + 9e-10, True),
        (1.0, 1.0 + 2e-9, False),
        (0.0, 9e-13, True),
        (0.0, 2e-12, False),
        (3, 3.0000000001, True),
        (3, 4, False),
        (10**17, 10**17 + 1, False),
        (1.5, "1.5", False),
        (None, 0, False),
        (None, float("nan"), True),
        (float("inf"), 1e308, False),
        ("a", "a ", False),
        (True, 1, True),
    ],
)
def test_the_tolerance_is_for_floats_alone(then, now, same) -> None:
    assert compare(["a"], [[then]], [[now]]).equal is same
    assert compare(["a"], [[now]], [[then]]).equal is same


JUST_BELOW = float.fromhex("0x1.33333333337ffp-2")
JUST_ABOVE = math.nextafter(JUST_BELOW, 1)
"""Two neighbours that the hash rounds to different numbers."""


def test_last_digits_of_one_column_do_not_mix_up_another() -> None:
    then = [(JUST_BELOW, 5.0), (JUST_ABOVE, 3.0), (JUST_BELOW, 7.0)]
    now = [(JUST_BELOW, 3.0), (JUST_ABOVE, 7.0), (JUST_ABOVE, 5.0)]
    assert compare(["a", "b"], then, now).equal


def test_rows_that_came_do_not_hide_those_that_are_the_same_but_for_last_digits() -> None:
    found = compare(["a"], [(JUST_BELOW,)], [(9.0,), (JUST_ABOVE,), (5.0,)])
    assert (found.values, found.gone, found.new) == (0, 0, 2)
    found = compare(["a"], [(JUST_BELOW,), (math.inf,)], [(math.inf,), (JUST_BELOW + 1e-8,), (0.0,)])
    assert (found.values, found.gone, found.new) == (0, 1, 2)


def test_rows_without_a_key_are_compared_by_their_place() -> None:
    found = compare(["a", "b"], [["x", 1], ["x", 2], ["x", 1]], [["x", 1], ["x", 7], ["x", 1]])
    assert found.values == 1 and found.first is not None
    assert (found.first.row, found.first.then, found.first.now) == ("row 2", "2", "7")
