"""What changed within ranges of rowids, counted over parts of both versions."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from itertools import pairwise
from typing import Any

import pytest

from greynb.publish.content import content_of
from greynb.publish.rowsums import row_sums

EVERYTHING = ((-(1 << 63), (1 << 63) - 1),)
Rows = dict[int, Any]


def database(rows: Rows) -> sqlite3.Connection:
    con = sqlite3.connect(":memory:")
    con.execute("CREATE TABLE t (x)")
    con.executemany("INSERT INTO t (rowid, x) VALUES (?, ?)", rows.items())
    return con


def changed_at_random(rng: random.Random, rows: Rows) -> Rows:
    """Runs of rows deleted, replaced and inserted, some longer than what is compared at once."""
    new = dict(rows)
    for _ in range(rng.randrange(6)):
        begin, length = rng.randrange(-2000, 6000), rng.choice([1, 3, 400, 1700])
        for rowid in range(begin, begin + length):
            match begin % 3:
                case 0:
                    new.pop(rowid, None)
                case 1:
                    new[rowid] = rng.choice([1, 1.0, "1", b"1", None])
                case 2 if rowid in new:
                    new[rowid] = f"{new[rowid]}!"
    return new


@pytest.mark.parametrize("seed", range(20))
def test_the_sums_carry_a_hash_from_one_version_to_the_next(seed: int) -> None:
    rng = random.Random(seed)
    before: Rows = {n: n % 7 for n in range(rng.choice([0, 499, 500, 501, 3000]))}
    after = changed_at_random(rng, before)
    both = before.keys() & after.keys()
    with closing(database(before)) as old, closing(database(after)) as new:
        found = row_sums(old, new, "t", EVERYTHING)
        carried = content_of(old, "t").changed(found.inserted - found.deleted, found.total)
        assert carried == content_of(new, "t")
    assert found.inserted == len(after.keys() - both)
    assert found.deleted == len(before.keys() - both)
    differ = [n for n in both if (type(before[n]), before[n]) != (type(after[n]), after[n])]
    assert found.updated == len(differ)


@pytest.mark.parametrize("seed", range(10))
def test_the_ranges_given_hold_every_row_that_differs_in_order_and_apart(seed: int) -> None:
    rng = random.Random(100 + seed)
    before: Rows = {n: n % 7 for n in range(3000)}
    after = changed_at_random(rng, before)
    with closing(database(before)) as old, closing(database(after)) as new:
        spans = row_sums(old, new, "t", EVERYTHING).spans
    flat = [end for span in spans for end in span]
    assert flat == sorted(flat)
    assert all(here[1] < there[0] for here, there in pairwise(spans))
    for rowid in before.keys() | after.keys():
        if repr(before.get(rowid, "none")) != repr(after.get(rowid, "none")):
            assert any(low <= rowid <= high for low, high in spans)


def test_equal_versions_give_nothing() -> None:
    with closing(database({1: "a"})) as old, closing(database({1: "a"})) as new:
        found = row_sums(old, new, "t", EVERYTHING)
    assert (found.inserted, found.updated, found.deleted, found.total, found.spans) == (0, 0, 0, 0, ())
