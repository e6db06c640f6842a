"""Storage classes, counted quickly, are those that SQLite says."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from greynb.databases.census import take_census
from greynb.doctor.counting import storage_classes
from greynb.publish import sync
from tests.doctor.conftest import change, found

VALUES = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.binary()
DECLARED = st.sampled_from(["", "INTEGER", "REAL", "TEXT", "NUM", "DATE", "BOOLEAN", "BLOB"])


@given(st.lists(st.tuples(DECLARED, st.lists(VALUES, min_size=5, max_size=5)), min_size=1, max_size=4))
def test_counts_are_those_of_the_census(columns):
    with closing(sqlite3.connect(":memory:")) as con:
        con.execute(
            "CREATE TABLE t (" + ", ".join(f"a{i} {kind}" for i, (kind, _) in enumerate(columns)) + ")"
        )
        marks = ", ".join("?" * len(columns))
        con.executemany(
            f"INSERT INTO t VALUES ({marks})", zip(*(values for _, values in columns), strict=True)
        )

        def run(sql):
            return con.execute(sql).fetchall()

        (quick,), (slow,) = storage_classes(run).values(), take_census(run).values()
    assert quick.rows == slow.rows == 5
    for one, other in zip(quick.columns, slow.columns, strict=True):
        for name in ("name", "declared", "nulls", "integers", "reals", "texts", "blobs"):
            assert getattr(one, name) == getattr(other, name)


def test_a_table_of_more_columns_than_a_row_of_sqlite_takes_is_counted():
    with closing(sqlite3.connect(":memory:")) as con:
        con.execute("CREATE TABLE wide (" + ", ".join(f"c{i} TEXT" for i in range(999)) + ")")
        con.execute(f"INSERT INTO wide VALUES ({', '.join(['x' + repr('00')] * 999)})")
        found = storage_classes(lambda sql: con.execute(sql).fetchall())["wide"]
    assert {(each.texts, each.blobs) for each in found.columns} == {(0, 1)}


def test_what_was_just_published_is_not_counted_again_and_what_was_written_since_is(demo, look):
    """The same answer both ways, and the new value is seen."""
    change(
        demo.staging,
        "CREATE TABLE marks (a NUM)",
        "INSERT INTO marks VALUES (1), ('scr'), (x'00')",
    )
    counted = found(look(), "mixed-types").evidence
    sync(demo.staging, demo.analytics)
    assert (
        found(look(), "mixed-types").evidence == counted == ("marks.a (NUM): 1 integers, 1 texts, 1 blobs",)
    )
    change(demo.staging, "INSERT INTO marks VALUES ('void')")
    assert found(look(), "mixed-types").evidence == ("marks.a (NUM): 1 integers, 2 texts, 1 blobs",)
