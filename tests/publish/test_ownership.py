"""A check of some tables finds damage wherever one of the whole file does; SQLite itself is the oracle."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from greynb.publish.pages import MalformedFile, changed_file, to_check
from greynb.publish.pages.ownership import MOSTLY

PAGE = 512
CREATE = """
    CREATE TABLE ballast (id INTEGER PRIMARY KEY, v);
    CREATE TABLE small (id INTEGER PRIMARY KEY, v, n);
    CREATE TABLE long (id INTEGER PRIMARY KEY, v);
    CREATE TABLE keyed (id TEXT PRIMARY KEY, v) WITHOUT ROWID;
    CREATE TABLE gone (v);
    CREATE INDEX small_v ON small (v);
    CREATE INDEX long_v ON long (v);
"""
EDITS = [
    "INSERT INTO small (v, n) SELECT 'new ' || id, id FROM small LIMIT 9",
    "UPDATE small SET n = n + 1 WHERE id = 5",
    "UPDATE small SET v = 'moved' WHERE id % 40 = 5",
    "DELETE FROM small WHERE id > 150",
    "UPDATE long SET v = zeroblob(2000) WHERE id = 3",
    "DELETE FROM long WHERE id IN (4, 5)",
    "INSERT INTO long (v) VALUES (zeroblob(5000))",
    "UPDATE keyed SET v = zeroblob(900) WHERE id = '7'",
    "INSERT INTO keyed VALUES ('new', 1)",
    "DELETE FROM gone",
    "DROP INDEX small_v",
    "CREATE INDEX fresh ON small (n)",
    "CREATE TABLE added (v)",
    "ALTER TABLE small ADD COLUMN more DEFAULT 3",
    "ANALYZE",
]
Damage = Callable[[bytearray], None]


@cache
def sound() -> bytes:
    """Small pages; half of the file is one table, the rest has all kinds of pages, free ones among them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "old.db")
        with closing(sqlite3.connect(path, isolation_level=None)) as con:
            con.executescript(f"PRAGMA page_size = {PAGE}; PRAGMA synchronous = OFF; {CREATE}")
            for table, sizes in (("ballast", 300), ("small", 30), ("long", 1500), ("gone", 400)):
                rows = [
                    (bytes([n % 251]) * (sizes + n % 7),) for n in range(900 if table == "ballast" else 60)
                ]
                con.executemany(f"INSERT INTO {table} (v) VALUES (?)", rows)
            rows = [(str(n), bytes(n * 9)) for n in range(90)]
            con.executemany("INSERT INTO keyed VALUES (?, ?)", rows)
            con.execute("INSERT INTO ballast (v) SELECT zeroblob(4000) FROM small LIMIT 20")
            con.execute("DELETE FROM gone WHERE rowid % 3")
        return path.read_bytes()


def byte_damage(at: int, noise: bytes) -> Damage:
    def damage(data: bytearray) -> None:
        begin = at % len(data)
        data[begin : begin + len(noise)] = noise[: len(data) - begin]

    return damage


def number_damage(page: int, offset: int, number: int) -> Damage:
    """Let a page lead to another: 0 where chains and free pages go on, 8 the last child, 32 free pages."""

    def damage(data: bytearray) -> None:
        pages = len(data) // PAGE
        begin = page % pages * PAGE + offset
        data[begin : begin + 4] = (number % (pages + 2)).to_bytes(4, "big")

    return damage


def copy_damage(one: int, other: int) -> Damage:
    def damage(data: bytearray) -> None:
        pages = len(data) // PAGE
        begin, end = one % pages * PAGE, other % pages * PAGE
        data[end : end + PAGE] = data[begin : begin + PAGE]

    return damage


places = st.integers(0, 4_000)
damages = st.one_of(
    st.builds(byte_damage, st.integers(0, 2_000_000), st.binary(min_size=1, max_size=40)),
    st.builds(byte_damage, st.integers(24, 110), st.binary(min_size=1, max_size=4)),
    st.builds(number_damage, places, st.sampled_from([0, 4, 8, 12, 32, 36, 508]), places),
    st.builds(copy_damage, places, places),
)


def complaints(path: Path, tables: set[str] | None) -> bool:
    """Whether SQLite finds damage, in some tables or in the whole file."""
    try:
        with closing(sqlite3.connect(path)) as con:
            found = [
                row
                for each in (["PRAGMA quick_check"] if tables is None else sorted(tables))
                for row in con.execute(each if tables is None else f"PRAGMA quick_check('{each}')")
            ]
    except sqlite3.Error:
        return True
    return any(row != ("ok",) for row in found)


def wanted(old: Path, new: Path, mostly: float = MOSTLY) -> set[str] | None:
    try:
        compared = changed_file(old, new).compared
    except MalformedFile:
        return None
    return None if compared is None else to_check(old, new, compared, mostly)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(EDITS), max_size=3), st.lists(damages, max_size=2))
def test_damage_to_any_file_is_found_in_the_tables_that_are_to_be_checked(edits, damage):
    with tempfile.TemporaryDirectory() as folder:
        old, new = Path(folder, "old.db"), Path(folder, "new.db")
        old.write_bytes(sound())
        new.write_bytes(sound())
        with closing(sqlite3.connect(new, isolation_level=None)) as con:
            con.execute("PRAGMA synchronous = OFF")
            for edit in dict.fromkeys(edits):
                con.execute(edit)
        assert not complaints(new, None)
        data = bytearray(new.read_bytes())
        for each in damage:
            each(data)
        new.write_bytes(data)
        tables = wanted(old, new, 1.0)
        event("whole file" if tables is None else "some tables")
        if tables is not None:
            found = complaints(new, tables)
            event(f"damage: {found}")
            assert found == complaints(new, None)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("old.db", "new.db"):
        (tmp_path / name).write_bytes(sound())
    return tmp_path / "old.db", tmp_path / "new.db"


@pytest.mark.parametrize(
    ("edit", "tables"),
    [
        ("PRAGMA user_version = 3", set()),
        ("UPDATE small SET n = 3 WHERE id = 5", {"small"}),
        ("UPDATE long SET v = zeroblob(2000) WHERE id = 3", {"long"}),
        ("INSERT INTO keyed VALUES ('new', 1)", {"keyed"}),
        ("DROP INDEX small_v", set()),
        ("CREATE TABLE added (v)", {"added"}),
        ("ALTER TABLE small ADD COLUMN more DEFAULT 3", {"small"}),
        ("DROP TABLE gone", set()),
        ("DELETE FROM gone", {"gone"}),
    ],
)
def test_only_tables_with_changed_pages_are_to_be_checked(pair, edit, tables):
    old, new = pair
    with closing(sqlite3.connect(new, isolation_level=None)) as con:
        con.execute(edit)
    assert wanted(old, new) == {"sqlite_schema", *tables}


def test_where_most_of_a_file_changed_all_of_it_is_to_be_checked(pair):
    old, new = pair
    with closing(sqlite3.connect(new, isolation_level=None)) as con:
        con.execute("UPDATE ballast SET v = v || 'x' WHERE id = 9")
    assert wanted(old, new) is None


def test_a_page_that_a_changed_table_takes_from_another_makes_the_whole_file_be_checked(pair):
    old, new = pair
    with closing(sqlite3.connect(new)) as con:
        roots = dict(con.execute("SELECT name, rootpage FROM sqlite_schema"))
        data = bytearray(new.read_bytes())
        child = slice((roots["ballast"] - 1) * PAGE + 8, (roots["ballast"] - 1) * PAGE + 12)
        taken = slice((roots["gone"] - 1) * PAGE + 8, (roots["gone"] - 1) * PAGE + 12)
        data[taken] = data[child]
    new.write_bytes(data)
    assert wanted(old, new) is None and complaints(new, None)


def test_files_that_vacuum_themselves_are_to_be_checked_as_a_whole(tmp_path):
    for name in ("old.db", "new.db"):
        with closing(sqlite3.connect(tmp_path / name, isolation_level=None)) as con:
            con.executescript("PRAGMA auto_vacuum = 1; CREATE TABLE t (v); CREATE TABLE u (v)")
    with closing(sqlite3.connect(tmp_path / "new.db", isolation_level=None)) as con:
        con.execute("INSERT INTO t VALUES (1)")
    assert wanted(tmp_path / "old.db", tmp_path / "new.db") is None
