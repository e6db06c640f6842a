"""Random histories of statements: after each publication the incremental result equals a full one."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.publish.survival.test_schemas import rows
from tests.publish.survival.twins import Twins

SHAPES = [
    "(id INTEGER PRIMARY KEY, a, b)",
    "(a INTEGER, b TEXT)",
    "(a, b UNIQUE)",
    "(id INTEGER PRIMARY KEY AUTOINCREMENT, a, b)",
    "(a, b, PRIMARY KEY (a, b)) WITHOUT ROWID",
    "(a INT, b ANY) STRICT",
    "(a, b, c AS (a || '.') STORED, d AS (length(b)))",
]
VALUES = [
    "i",
    "-i * 1e300",
    "'text ' || i",
    "NULL",
    "zeroblob(i % 90 * 40)",
    "printf('%.*c', i * 11 % 2000, 'x')",
    "CAST(x'ff00' AS TEXT)",
    "CAST(i AS REAL)",
]

tables = st.sampled_from(["t0", "t1", "t2"])
numbers = st.integers(1, 400)
values = st.sampled_from(VALUES)


def _insert(table: str, number: int, a: str, b: str, word: str) -> str:
    return rows(f"{table} (a, b)", number, f"{a}, {b}").replace("INSERT", f"INSERT OR {word}", 1)


def _where(number: int, divisor: int, ordered: bool) -> str:
    """Rows here and there, or a run of them; tables without rowid take the first alone."""
    return f"rowid BETWEEN {number} AND {number + divisor}" if ordered else f"length(a) % {divisor} = 1"


wheres = st.builds(_where, numbers, st.integers(2, 60), st.booleans())
statements = st.one_of(
    st.builds("CREATE TABLE {} {}".format, tables, st.sampled_from(SHAPES)),
    st.builds("CREATE VIRTUAL TABLE {} USING fts5 (a, b)".format, tables),
    st.builds("DROP TABLE {}".format, tables),
    st.builds("ALTER TABLE {} RENAME TO {}".format, tables, tables),
    st.builds("ALTER TABLE {} ADD COLUMN {} DEFAULT 5".format, tables, st.sampled_from(["e", "f"])),
    st.builds("ALTER TABLE {} DROP COLUMN {}".format, tables, st.sampled_from(["b", "e"])),
    st.builds("ALTER TABLE {} RENAME COLUMN e TO g".format, tables),
    st.builds("CREATE INDEX i{1} ON {0} (b, a)".format, tables, st.integers(0, 1)),
    st.builds("DROP INDEX i{}".format, st.integers(0, 1)),
    st.builds("CREATE VIEW v AS SELECT a FROM {}".format, tables),
    st.just("DROP VIEW v"),
    st.builds("PRAGMA user_version = {}".format, numbers),
    st.builds("PRAGMA auto_vacuum = {}".format, st.integers(0, 2)),
    st.builds("PRAGMA page_size = {}".format, st.sampled_from([512, 2048, 4096])),
    st.builds("PRAGMA journal_mode = {}".format, st.sampled_from(["WAL", "DELETE"])),
    st.sampled_from(["VACUUM", "REINDEX", "ANALYZE", "PRAGMA incremental_vacuum(5)"]),
)
changes = st.one_of(
    st.builds(_insert, tables, numbers, values, values, st.sampled_from(["IGNORE", "REPLACE"])),
    st.builds("UPDATE OR IGNORE {} SET b = {} WHERE {}".format, tables, st.sampled_from(["a", "9"]), wheres),
    st.builds("UPDATE OR REPLACE {} SET a = a || 'y' WHERE {}".format, tables, wheres),
    st.builds("UPDATE OR IGNORE {} SET rowid = rowid + 1000 WHERE {}".format, tables, wheres),
    st.builds("DELETE FROM {} WHERE {}".format, tables, wheres),
    st.builds("DELETE FROM {}".format, tables),
)
batches = st.lists(st.one_of(changes, changes, statements), min_size=0, max_size=5)
histories = st.tuples(
    st.sampled_from([512, 1024, 4096]),
    st.tuples(*(st.sampled_from(SHAPES) for _ in range(2))),
    st.lists(batches, min_size=2, max_size=4),
)
slow_down = [HealthCheck.too_slow, HealthCheck.data_too_large]


def live(history: tuple[int, tuple[str, ...], list[list[str]]]) -> None:
    """Publish after each batch of statements; those that SQLite refuses are left out."""
    size, shapes, later = history
    with tempfile.TemporaryDirectory() as folder:
        twins = Twins(Path(folder))
        begin = [f"PRAGMA page_size = {size}"]
        for number, shape in enumerate(shapes):
            begin += [f"CREATE TABLE t{number} {shape}", _insert(f"t{number}", 300, "i", "i || ''", "IGNORE")]
        for batch in (begin, *later):
            with closing(sqlite3.connect(twins.stage, isolation_level=None)) as con:
                for statement in batch:
                    with suppress(sqlite3.Error):
                        con.execute(statement).fetchall()
            note(twins.publish().mode)


@settings(max_examples=15, suppress_health_check=slow_down)
@given(histories)
def test_any_history_is_published_incrementally_as_in_full(
    history: tuple[int, tuple[str, ...], list[list[str]]],
) -> None:
    live(history)


@pytest.mark.slow
@settings(max_examples=50, suppress_health_check=slow_down)
@given(histories)
def test_many_histories_are_published_incrementally_as_in_full(
    history: tuple[int, tuple[str, ...], list[list[str]]],
) -> None:
    live(history)
