"""The hash of a table's rows: what it depends on, and what it does not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.publish.content import Content, content_hash

VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False).map(lambda x: x or 0.0),  # SQLite shows both zeros alike
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
)
ROWS = st.lists(st.tuples(VALUES, VALUES), max_size=12)


def table(rows: list[tuple[object, ...]], columns: str = "a, b") -> sqlite3.Connection:
    con = sqlite3.connect(":memory:", isolation_level=None)
    con.execute(f"CREATE TABLE t ({columns})")
    con.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(columns.split(',')))})", rows)
    return con


def hash_of(rows: list[tuple[object, ...]], columns: str = "a, b") -> str:
    with closing(table(rows, columns)) as con:
        return content_hash(con, "t")


def stored(rows: list[tuple[object, ...]]) -> list[object]:
    """The rows as SQLite shows them to be, in an order of their own."""
    with closing(table(rows)) as con:
        shown = "typeof(a), hex(a), quote(a), typeof(b), hex(b), quote(b)"
        return con.execute(f"SELECT {shown} FROM t ORDER BY 1, 2, 3, 4, 5, 6").fetchall()


@given(ROWS, st.randoms())
def test_the_order_of_the_rows_does_not_matter(rows: list[tuple[object, ...]], random: object) -> None:
    mixed = list(rows)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert hash_of(mixed) == hash_of(rows)


@given(ROWS, ROWS)
def test_hashes_are_equal_exactly_where_the_rows_are(
    one: list[tuple[object, ...]], two: list[tuple[object, ...]]
) -> None:
    assert (hash_of(one) == hash_of(two)) == (stored(one) == stored(two))


@pytest.mark.parametrize(
    ("one", "two"),
    [(1, 1.0), (1, "1"), ("1", b"1"), (None, ""), (None, 0), ("", b""), ("a", "a\0"), ("a\0b", "a\0c")],
)
def test_values_of_other_storage_classes_differ(one: object, two: object) -> None:
    assert hash_of([(one, 0)]) != hash_of([(two, 0)])


def test_equal_rows_count_and_do_not_cancel_each_other() -> None:
    row = ("a", 1)
    assert len({hash_of([row] * n) for n in range(5)}) == 5


def test_values_do_not_run_into_their_neighbours() -> None:
    assert hash_of([("ab", "c")]) != hash_of([("a", "bc")])
    assert hash_of([("a", "b"), ("c", "d")]) != hash_of([("a", "d"), ("c", "b")])


def test_names_and_order_of_the_columns_count() -> None:
    rows: list[tuple[object, ...]] = [(1, 1)]
    assert len({hash_of(rows, columns) for columns in ("a, b", "b, a", "a, c")}) == 3


def test_text_that_is_not_utf_8_is_told_apart(tmp_path: Path) -> None:
    hashes = set()
    for raw in ("ff", "fe", "c3bf", "edb3bf"):
        with closing(sqlite3.connect(":memory:")) as con:
            con.execute(f"CREATE TABLE t AS SELECT CAST(x'{raw}' AS TEXT) AS a")
            hashes.add(content_hash(con, "t"))
            assert con.text_factory is str
    assert len(hashes) == 4


def test_vacuum_page_size_and_indexes_do_not_matter(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as con:
        con.execute("CREATE TABLE t (a TEXT, b)")
        con.executemany("INSERT INTO t VALUES (?, ?)", ((f"x{i}" * 50, i / 3) for i in range(900)))
        con.execute("DELETE FROM t WHERE rowid % 3 = 0")
        before = content_hash(con, "t")
        con.execute("PRAGMA page_size = 8192")
        con.execute("VACUUM")
        con.execute("CREATE INDEX i ON t (b)")
        assert content_hash(con, "t") == before


def test_a_hash_is_carried_on_and_read_back() -> None:
    found = Content.read(hash_of([(1, 2)]))
    assert found is not None and found.rows == 1
    assert str(found.changed(-1, -found.total)) == hash_of([])
    assert Content.read(str(found)) == found
    assert Content.read("2:x:1:0") is None


def test_the_definition_stays_as_published() -> None:
    assert hash_of([(1, "a"), (None, 2.5), (b"\x00", 2**40)]) == PINNED


PINNED = "1:ffc151170352baa3:3:ecfe781fa7d0df2d9626d67adb2cfd93"
