"""No changed row escapes the comparison of pages: random histories, and each odd part of the file format."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb.errors import PublishError
from greynb.publish.pages import MalformedFile, TableChange, changed_file, changed_tables
from tests.publish.histories import ROWID_TABLES, TABLES, apply, begin, contents, histories, snapshot

PAGE_SIZES = (512, 1024, 4096, 65_536)


@settings(max_examples=60)
@given(histories, st.sampled_from(PAGE_SIZES), st.sampled_from([0, 1, 2]))
def test_every_row_that_differs_lies_in_a_reported_range(history, page_size, auto_vacuum):
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder, "0.db")
        with closing(begin(Path(folder, "live.db"), page_size, auto_vacuum)) as con:
            snapshot(con, old)
            for number, batch in enumerate(history, 1):
                for statement in batch:
                    apply(con, statement)
                new = snapshot(con, Path(folder, f"{number}.db"))
                check(old, new)
                old = new


def check(old: Path, new: Path) -> None:
    found = changed_tables(old, new)
    assert set(found) == set(TABLES)
    for table in TABLES:
        by = "rowid" if table in ROWID_TABLES else "id"
        before, after = contents(old, table, by=by), contents(new, table, by=by)
        differ = [row for row in before.keys() | after.keys() if before.get(row) != after.get(row)]
        missed = [row for row in differ if not covers(found[table], row)]
        assert not missed, (found[table], missed[:5])


def covers(change: TableChange, rowid: int) -> bool:
    return change.kind == "whole" or any(low < rowid <= high for low, high in change.ranges)


@pytest.fixture
def pair(tmp_path):
    """Make an old and a new version: the second differs by what `edit` does."""

    def make(create, edit, *, pragmas=("page_size = 4096",)):
        path = tmp_path / "old.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as con:
            for pragma in pragmas:
                con.execute(f"PRAGMA {pragma}")
            con.executescript(f"BEGIN; {create}; COMMIT")
        shutil.copyfile(path, tmp_path / "new.db")
        with closing(sqlite3.connect(tmp_path / "new.db", isolation_level=None)) as con:
            con.executescript(edit)
        return path, tmp_path / "new.db"

    return make


def rows(number, value="printf('%0100d', i)", table="t", columns="(i INTEGER PRIMARY KEY, v)"):
    return (
        f"CREATE TABLE {table} {columns}; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
        f" WHERE i < {number}) INSERT INTO {table} SELECT i, {value} FROM n"
    )


def test_one_changed_row_is_found_in_one_small_range(pair):
    old, new = pair(rows(20_000), "UPDATE t SET v = 'x' WHERE i = 7777")
    change = changed_tables(old, new)["t"]
    ((low, high),) = change.ranges
    assert change.kind == "ranges" and low < 7777 <= high and high - low < 100


def test_files_without_difference_have_only_tables_that_are_the_same(pair):
    found = changed_file(*pair(rows(10), ""))
    assert found.tables["t"].kind == "same" and found.pages.changed == 0 and found.pages.bytes == 0


def test_of_a_file_that_became_smaller_only_its_own_pages_count(pair):
    found = changed_file(*pair(rows(20_000), "DELETE FROM t WHERE i % 4; VACUUM"))
    assert 0 < found.pages.changed <= found.pages.total


@pytest.mark.parametrize("auto_vacuum", [0, 1, 2])
@pytest.mark.parametrize("page_size", [512, 4096, 65_536])
def test_a_change_in_an_overflow_page_alone_leads_back_to_its_leaf(pair, page_size, auto_vacuum):
    big = "zeroblob(CASE WHEN i % 100 = 7 THEN 300000 ELSE 50 END)"
    old, new = pair(
        rows(2_000, big), "", pragmas=(f"page_size = {page_size}", f"auto_vacuum = {auto_vacuum}")
    )
    with closing(sqlite3.connect(new)) as con, con, closing(con.blobopen("t", "v", 1207)) as blob:
        blob.seek(299_990)
        blob.write(b"changed")
    found = changed_file(old, new)
    change = found.tables["t"]
    assert found.pages.changed == 2  # the overflow page and the header
    assert covers(change, 1207) and not covers(change, 107) and not covers(change, 1900)


def test_an_overflow_page_of_a_table_without_rowids_makes_it_differ_as_a_whole(pair):
    create = (
        rows(200, "zeroblob(20000)", columns="(i INTEGER PRIMARY KEY, v) WITHOUT ROWID")
        + ";"
        + rows(9, table="other")
    )
    old, new = pair(create, "UPDATE t SET v = CAST(zeroblob(19999) || 'x' AS BLOB) WHERE i = 77")
    found = changed_tables(old, new)
    assert found["t"].kind == "whole" and "without rowids" in found["t"].reason
    assert found["other"].kind == "same"


def test_an_unchanged_table_without_rowids_is_the_same(pair):
    create = rows(5_000, columns="(i INTEGER PRIMARY KEY, v) WITHOUT ROWID") + ";" + rows(9, table="other")
    found = changed_tables(*pair(create, "UPDATE other SET v = 1"))
    assert found["t"].kind == "same" and found["other"].kind == "ranges"


@pytest.mark.parametrize("rowid", [-(2**63), -(2**63) + 1, -1, 0, 2**63 - 1])
def test_rowids_at_the_ends_of_their_range_are_covered_and_can_be_bound(pair, rowid):
    old, new = pair(rows(5_000), f"INSERT INTO t VALUES ({rowid}, 'far')")
    change = changed_tables(old, new)["t"]
    assert covers(change, rowid)
    with closing(sqlite3.connect(new)) as con:
        sql = "SELECT count(*) FROM t WHERE i = ? AND i BETWEEN ? AND ?"
        assert sum(con.execute(sql, (rowid, *span)).fetchone()[0] for span in change.spans) == 1


def test_a_table_that_grows_by_a_level_is_covered(pair):
    old, new = pair(
        rows(20),
        "WITH RECURSIVE n(i) AS (SELECT 21 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
        " INSERT INTO t SELECT i, printf('%0100d', i) FROM n",
    )
    change = changed_tables(old, new)["t"]
    assert all(covers(change, rowid) for rowid in (21, 2_500, 5_000))


def test_a_table_that_was_emptied_is_covered(pair):
    change = changed_tables(*pair(rows(5_000), "DELETE FROM t"))["t"]
    assert all(covers(change, rowid) for rowid in (1, 2_500, 5_000))


def test_a_vacuum_that_moves_everything_is_covered(pair):
    old, new = pair(rows(5_000), "DELETE FROM t WHERE i % 3 = 0; VACUUM")
    change = changed_tables(old, new)["t"]
    assert all(covers(change, rowid) for rowid in range(3, 5_000, 3))


def test_added_dropped_and_renamed_tables_are_named(pair):
    create = ";".join(rows(9, table=name) for name in ("kept", "gone", "before"))
    edit = "DROP TABLE gone; ALTER TABLE before RENAME TO after; CREATE TABLE fresh (x)"
    found = changed_tables(*pair(create, edit))
    kinds = {name: each.kind for name, each in found.items()}
    assert kinds == {
        "kept": "same",
        "gone": "dropped",
        "before": "dropped",
        "after": "added",
        "fresh": "added",
    }


def test_a_changed_definition_makes_the_whole_table_differ(pair):
    change = changed_tables(*pair(rows(9), "ALTER TABLE t ADD COLUMN w DEFAULT 3"))["t"]
    assert change.kind == "whole" and "definition" in change.reason


@pytest.mark.parametrize(
    ("pragma", "reason"), [("page_size = 8192", "page size"), ("encoding = 'UTF-16le'", "encoding")]
)
def test_files_of_another_make_differ_as_a_whole(tmp_path, pair, pragma, reason):
    old, _ = pair(rows(9), "")
    with closing(sqlite3.connect(tmp_path / "other.db", isolation_level=None)) as con:
        con.executescript(f"PRAGMA {pragma}; {rows(9)}")
    change = changed_tables(old, tmp_path / "other.db")["t"]
    assert change.kind == "whole" and reason in change.reason


def test_tables_of_sqlite_itself_are_left_out_and_shadow_tables_are_not(pair):
    create = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE VIRTUAL TABLE f USING fts5(x)"
    found = changed_tables(*pair(create, "INSERT INTO t VALUES (1); INSERT INTO f VALUES ('words'); ANALYZE"))
    assert not [name for name in found if name.startswith("sqlite_")]
    assert found["f_content"].kind == "ranges" and found["f"].kind == "whole"


def reserve(path: Path, size: int) -> None:
    """Reserve bytes at the end of each page, in the header of a file that holds one empty page."""
    data = bytearray(path.read_bytes())
    assert len(data) == 4096
    data[20] = size
    data[105:107] = (4096 - size).to_bytes(2, "big")
    path.write_bytes(data)


def test_reserved_space_is_no_part_of_the_rows(tmp_path):
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    with closing(sqlite3.connect(old)) as con:
        con.execute("PRAGMA user_version = 1")
    reserve(old, 32)
    with closing(sqlite3.connect(old, isolation_level=None)) as con:
        con.executescript(f"BEGIN; {rows(500, 'zeroblob(9000 + i)')}; COMMIT")
        assert con.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    new.write_bytes(old.read_bytes())
    with closing(sqlite3.connect(new)) as con, con, closing(con.blobopen("t", "v", 333)) as blob:
        blob.seek(9_300)
        blob.write(b"changed")
    change = changed_tables(old, new)["t"]
    assert change.kind == "ranges" and covers(change, 333) and not covers(change, 1)


@pytest.mark.slow
def test_a_file_beyond_one_gibibyte_has_a_page_that_nobody_uses(pair):
    old, new = pair(
        rows(1_120, "zeroblob(1000000)"),
        "UPDATE t SET v = CAST(zeroblob(999999) || 'x' AS BLOB) WHERE i IN (1, 1110)",
        pragmas=("page_size = 65536", "synchronous = OFF", "journal_mode = OFF"),
    )
    assert new.stat().st_size > 1 << 30
    change = changed_tables(old, new)["t"]
    assert covers(change, 1) and covers(change, 1110) and not covers(change, 500)


def test_an_empty_file_is_a_database_without_tables(tmp_path, pair):
    (tmp_path / "empty.db").touch()
    _, new = pair(rows(9), "")
    assert changed_tables(tmp_path / "empty.db", new)["t"].kind == "added"
    assert changed_tables(new, tmp_path / "empty.db")["t"].kind == "dropped"


@pytest.mark.parametrize("damage", ["text", "short", "log", "child", "kind", "cells"])
def test_damaged_and_unfinished_files_are_refused(pair, damage):
    old, new = pair(rows(5_000), "UPDATE t SET v = 1 WHERE i = 5")
    data = bytearray(new.read_bytes())
    root = 4096  # the second page is the table's root
    if damage == "text":
        data[:16] = b"not a database!!"
    elif damage == "short":
        del data[-5_000:]
    elif damage == "log":
        Path(f"{new}-wal").write_bytes(b"frames")
    else:
        at, value = {"child": (8, b"\xff\xff\xff\xff"), "kind": (0, b"\x07"), "cells": (3, b"\xff\xff")}[
            damage
        ]
        data[root + at : root + at + len(value)] = value
    new.write_bytes(data)
    with pytest.raises(MalformedFile) as caught:
        changed_tables(old, new)
    assert isinstance(caught.value, PublishError)


def test_a_missing_file_is_refused_with_its_path(tmp_path, pair):
    _, new = pair(rows(9), "")
    with pytest.raises(PublishError, match=r"gone\.db"):
        changed_tables(tmp_path / "gone.db", new)


@given(st.binary(min_size=1, max_size=200), st.integers(0, 40_000))
@settings(max_examples=60)
def test_arbitrary_damage_ends_in_an_answer_or_a_refusal(noise, at):
    with tempfile.TemporaryDirectory() as folder:
        path, new = Path(folder, "old.db"), Path(folder, "new.db")
        with closing(sqlite3.connect(path)) as con:
            con.executescript(
                f"PRAGMA page_size = 512; BEGIN; {rows(300)}; {rows(3, 'zeroblob(4000)', 'o')}; COMMIT"
            )
        data = bytearray(path.read_bytes())
        data[at : at + len(noise)] = noise
        new.write_bytes(data)
        with suppress(PublishError):
            changed_tables(path, new)
