"""The rows that differ, told by the bytes of their cells: none is missed, and few others are named."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb.errors import PublishError
from greynb.publish.pages import changed_tables, spans_of
from greynb.publish.pages.cells import joined
from tests.publish.histories import ROWID_TABLES, apply, begin, contents, histories, snapshot

Spans = tuple[tuple[int, int], ...]
ROWS = 3_000


def spans(old: Path, new: Path, table: str) -> Spans | None:
    """The ranges told for a table; None where it differs as a whole."""
    change = changed_tables(old, new)[table]
    if change.kind == "whole":
        return None
    return spans_of(old, new, change.leaves) if change.leaves else ()


def within(spans: Spans, rowid: int) -> bool:
    return any(low <= rowid <= high for low, high in spans)


def differing(old: Path, new: Path, table: str) -> set[int]:
    before, after = contents(old, table, by="rowid"), contents(new, table, by="rowid")
    return {row for row in before.keys() | after.keys() if before.get(row) != after.get(row)}


@settings(max_examples=80)
@given(histories, st.sampled_from([512, 1024, 4096, 65_536]), st.sampled_from([0, 1]))
def test_every_row_that_differs_lies_in_a_span_of_any_history(history, page_size, auto_vacuum):
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder, "0.db")
        with closing(begin(Path(folder, "live.db"), page_size, auto_vacuum)) as con:
            snapshot(con, old)
            for number, batch in enumerate(history, 1):
                for statement in batch:
                    apply(con, statement)
                new = snapshot(con, Path(folder, f"{number}.db"))
                for table in ROWID_TABLES:
                    check(old, new, table)
                old = new


def check(old: Path, new: Path, table: str) -> None:
    found = spans(old, new, table)
    if found is not None:
        assert all(low <= high for low, high in found)
        assert all(here[1] < there[0] for here, there in pairwise(found))
        missed = [row for row in differing(old, new, table) if not within(found, row)]
        assert not missed, missed[:5]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """3,000 rows of changing lengths; every hundredth goes on over several overflow pages."""
    path = tmp_path / "old.db"
    rng = random.Random(7)
    with closing(sqlite3.connect(path)) as con, con:
        con.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)")
        con.executemany(
            "INSERT INTO t VALUES (?, ?, ?)",
            (
                (n, rng.randbytes(9_000 if n % 100 == 50 else rng.randrange(90)), n % 7)
                for n in range(1, ROWS + 1)
            ),
        )
    return path


def edited(old: Path, *statements: str) -> Path:
    new = old.with_name("new.db")
    shutil.copyfile(old, new)
    with closing(sqlite3.connect(new, isolation_level=None)) as con:
        for statement in statements:
            con.execute(statement)
    return new


@pytest.mark.parametrize(
    ("statement", "touched"),
    [
        ("UPDATE t SET b = b + 1 WHERE id % 300 = 7", range(7, ROWS, 300)),
        ("UPDATE t SET a = zeroblob(length(a) / 2) WHERE id % 300 = 7", range(7, ROWS, 300)),
        ("UPDATE t SET a = x'' WHERE id % 300 = 7", range(7, ROWS, 300)),
        ("DELETE FROM t WHERE id % 300 = 7", range(7, ROWS, 300)),
        ("UPDATE t SET b = b + 1 WHERE id % 300 = 50", range(50, ROWS, 300)),
        ("UPDATE t SET a = zeroblob(9000) WHERE id = 1250", [1250]),
        ("INSERT INTO t VALUES (4000, 'new', 1)", [4000]),
    ],
)
def test_rows_changed_in_their_pages_are_told_exactly(old, statement, touched):
    assert spans(old, edited(old, statement), "t") == tuple((row, row) for row in touched)


def test_a_row_whose_overflow_page_alone_changed_is_told_exactly(old):
    new = edited(old)
    with closing(sqlite3.connect(new)) as con, con, closing(con.blobopen("t", "a", 1250)) as blob:
        blob.seek(8_990)
        blob.write(b"changed")
    assert spans(old, new, "t") == ((1250, 1250),)


def test_a_page_that_is_split_drags_only_the_rows_that_it_held(old):
    new = edited(old, "UPDATE t SET a = zeroblob(1500) WHERE id BETWEEN 1202 AND 1205")
    found = spans(old, new, "t")
    assert found and all(within(found, row) for row in range(1202, 1206))
    assert found[0][0] > 1000 and found[-1][1] < 1400


def test_rows_that_are_written_again_as_they_were_are_not_told(old):
    new = edited(old, "UPDATE t SET b = b + 1 WHERE id = 9", "UPDATE t SET b = b - 1 WHERE id = 9")
    assert spans(old, new, "t") == ()


def test_rows_near_each_other_are_told_as_one_range(old):
    assert spans(old, edited(old, "UPDATE t SET b = 9 WHERE id IN (600, 603, 640)"), "t") == (
        (600, 603),
        (640, 640),
    )


rowids = st.integers(-(2**63), 2**63 - 1) | st.integers(-20, 20)


@given(st.lists(st.tuples(rowids, rowids).map(sorted)), st.integers(1, 9))
def test_joined_ranges_hold_what_the_ranges_held_and_only_what_is_near(ranges, near):
    first, last = (np.array([each[end] for each in ranges], np.int64) for end in (0, 1))
    found = list(zip(*(each.tolist() for each in joined(first, last, near)), strict=True))
    assert all(there[0] - here[1] > near for here, there in pairwise(found))
    assert all(any(low <= one and other <= high for low, high in found) for one, other in ranges)
    for low, high in found:
        inside = sorted(each for each in ranges if low <= each[0] <= high)
        reached = low
        for one, other in inside:
            assert one - reached <= near
            reached = max(reached, other)
        assert reached == high and inside[0][0] == low


@given(st.binary(min_size=1, max_size=200), st.integers(0, 60_000))
@settings(max_examples=60)
def test_arbitrary_damage_ends_in_an_answer_or_a_refusal(noise, at):
    with tempfile.TemporaryDirectory() as folder:
        old, new = Path(folder, "old.db"), Path(folder, "new.db")
        with closing(sqlite3.connect(old, isolation_level=None)) as con:
            con.executescript("PRAGMA page_size = 512; BEGIN; CREATE TABLE t (id INTEGER PRIMARY KEY, a)")
            con.executemany("INSERT INTO t (a) VALUES (zeroblob(?))", [(n % 61 * 30,) for n in range(99)])
            con.execute("COMMIT")
        data = bytearray(old.read_bytes())
        at %= len(data)
        data[at : at + len(noise)] = noise[: len(data) - at]
        new.write_bytes(data)
        with suppress(PublishError):
            spans(old, new, "t")
