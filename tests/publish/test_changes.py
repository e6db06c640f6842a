"""What changed between two versions is counted exactly, and shown row by row."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb.cli import main
from greynb.errors import PublishError, UsageError
from greynb.notebook.commands import run
from greynb.notebook.config import Greynb
from greynb.publish import sync
from greynb.publish.changes import changed_rows, changes, two_versions
from tests.publish.histories import IDENTITY, TABLES, apply, begin, contents, histories, snapshot


@settings(max_examples=60)
@given(histories, st.sampled_from([512, 4096]))
def test_counts_equal_those_of_a_comparison_of_all_rows(history, page_size):
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder, "0.db")
        with closing(begin(Path(folder, "live.db"), page_size, 0)) as con:
            snapshot(con, old)
            for number, batch in enumerate(history, 1):
                for statement in batch:
                    apply(con, statement)
                new = snapshot(con, Path(folder, f"{number}.db"))
                check(old, new)
                old = new


def check(old: Path, new: Path) -> None:
    found = {each.name: each for each in changes(old, new).tables}
    assert set(found) == set(TABLES)
    for table in TABLES:
        before, after = (contents(path, table, by=IDENTITY[table]) for path in (old, new))
        expected = (
            len(after.keys() - before.keys()),
            sum(before[key] != after[key] for key in before.keys() & after.keys()),
            len(before.keys() - after.keys()),
        )
        each = found[table]
        assert (each.inserted, each.updated, each.deleted) == expected, each


def counts(found, table="t"):
    (each,) = (each for each in found.tables if each.name == table)
    return each.inserted, each.updated, each.deleted


@pytest.fixture
def compared(tmp_path):
    """Make two versions, the second by `edit`."""

    def make(create, edit):
        path = tmp_path / "live.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as con:
            con.executescript(create)
            old = snapshot(con, tmp_path / "old.db")
            con.executescript(edit)
            return old, snapshot(con, tmp_path / "new.db")

    return make


KEYED = "CREATE TABLE t (id TEXT PRIMARY KEY, v); INSERT INTO t VALUES ('a', 1), ('b', 2), ('c', 3)"
PLAIN = "CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 1), (2, NULL), (3, 'x')"

PAIRED = "CREATE TABLE t (É, é TEXT PRIMARY KEY, v); INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2)"
EMPTY = "CREATE TABLE t (a, b, v, PRIMARY KEY (a, b)); INSERT INTO t VALUES (NULL, NULL, 2), (NULL, NULL, 1)"


@pytest.mark.parametrize(
    ("create", "edit", "expected"),
    [
        (PLAIN, "UPDATE t SET v = 1.0 WHERE id = 1", (0, 1, 0)),
        (PLAIN, "UPDATE t SET v = '1' WHERE id = 1", (0, 1, 0)),
        (PLAIN, "UPDATE t SET v = CAST(v AS BLOB) WHERE id = 3", (0, 1, 0)),
        (PLAIN, "UPDATE t SET v = v", (0, 0, 0)),
        (PLAIN, "UPDATE t SET id = 9 WHERE id = 1", (1, 0, 1)),
        (PLAIN, "ALTER TABLE t ADD COLUMN w DEFAULT 3", (0, 0, 0)),
        (PLAIN, "DROP TABLE t; CREATE TABLE t (id, v); INSERT INTO t VALUES (1, 1)", (0, 0, 2)),
        (KEYED, "REPLACE INTO t VALUES ('a', 9)", (0, 1, 0)),
        (KEYED, "REPLACE INTO t VALUES ('a', 1)", (0, 0, 0)),
        (KEYED, "UPDATE t SET id = 'z' WHERE id = 'a'", (1, 0, 1)),
        (KEYED, "DELETE FROM t WHERE id = 'a'; VACUUM", (0, 0, 1)),
        (KEYED, "INSERT INTO t VALUES (NULL, 1), (NULL, 2)", (2, 0, 0)),
        (KEYED, "INSERT INTO t VALUES (CAST(x'ff' AS TEXT), 1)", (1, 0, 0)),
        (PAIRED, "REPLACE INTO t VALUES (1, 'a', 9)", (0, 1, 0)),
        (PLAIN.replace("v", "é", 1), "ALTER TABLE t RENAME COLUMN é TO É", (0, 0, 0)),
        (EMPTY, "UPDATE t SET v = 5 WHERE v = 2; DELETE FROM t WHERE v = 1", (0, 1, 1)),
        (EMPTY, "DELETE FROM t WHERE v = 1; INSERT INTO t VALUES (NULL, NULL, 7)", (0, 1, 0)),
    ],
)
def test_each_way_to_change_a_row_counts_as_what_it_is(compared, create, edit, expected):
    assert counts(changes(*compared(create, edit))) == expected


def test_rows_that_a_cascade_or_a_trigger_changes_are_counted(compared):
    create = (
        "PRAGMA foreign_keys = ON; CREATE TABLE p (id INTEGER PRIMARY KEY);"
        " CREATE TABLE t (id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE);"
        " INSERT INTO p VALUES (1), (2); INSERT INTO t VALUES (1, 1), (2, 1), (3, 2)"
    )
    found = changes(*compared(create, "DELETE FROM p WHERE id = 1"))
    assert counts(found) == (0, 0, 2) and counts(found, "p") == (0, 0, 1)


def test_texts_that_are_no_valid_utf8_are_compared_byte_by_byte(compared):
    create = "CREATE TABLE t (id TEXT PRIMARY KEY, v) WITHOUT ROWID;" + "".join(
        f"INSERT INTO t VALUES (CAST(x'6{n}ff' AS TEXT), CAST(x'fe' AS TEXT));" for n in range(4)
    )
    edit = "UPDATE t SET v = CAST(x'fd' AS TEXT) WHERE id = CAST(x'61ff' AS TEXT)"
    assert counts(changes(*compared(create, edit))) == (0, 1, 0)


def test_a_table_of_2000_columns_is_compared(compared):
    names = ", ".join(f"c{n}" for n in range(2_000))
    create = f"CREATE TABLE t ({names}); INSERT INTO t (c0) VALUES (1), (2), (3)"
    assert counts(changes(*compared(create, "UPDATE t SET c1999 = 7 WHERE c0 = 2"))) == (0, 1, 0)


def test_columns_that_take_every_name_of_the_rowid_are_no_obstacle(compared):
    keyed = (
        "CREATE TABLE t (rowid INTEGER PRIMARY KEY, oid, _rowid_); INSERT INTO t VALUES (5, 1, 1), (6, 1, 1)"
    )
    assert counts(changes(*compared(keyed, "UPDATE t SET oid = 2 WHERE t.rowid = 6"))) == (0, 1, 0)


def test_rows_that_nothing_tells_apart_are_not_counted_and_it_says_why(compared):
    create = "CREATE TABLE t (rowid, oid, _rowid_); INSERT INTO t VALUES (1, 1, 1)"
    old, new = compared(create, "UPDATE t SET oid = 2")
    (each,) = changes(old, new).tables
    assert each.inserted is None and "no key in common" in each.reason
    with pytest.raises(PublishError, match="no key in common"):
        changed_rows(old, new, "t")


def test_generated_columns_follow_from_stored_ones(compared):
    create = "CREATE TABLE t (id INTEGER PRIMARY KEY, v, w AS (v * 2)); INSERT INTO t (id, v) VALUES (1, 1)"
    assert counts(changes(*compared(create, "UPDATE t SET v = 2"))) == (0, 1, 0)


def test_schema_changes_are_named(compared):
    create = "CREATE TABLE t (a); CREATE TABLE gone (a); CREATE VIEW v AS SELECT 1"
    edit = "DROP TABLE gone; DROP VIEW v; CREATE VIEW v AS SELECT 2; CREATE INDEX i ON t (a)"
    found = changes(*compared(create, edit))
    assert {(each.change, each.type, each.name) for each in found.schema} == {
        ("dropped", "table", "gone"),
        ("changed", "view", "v"),
        ("added", "index", "i"),
    }


def test_changed_rows_are_shown_before_and_after(compared):
    edit = "UPDATE t SET v = 'new' WHERE id = 1; DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (4, 4)"
    frame = changed_rows(*compared(PLAIN, edit), "t")
    assert frame.to_numpy().tolist() == [
        ["updated", "before", 1, 1],
        ["updated", "after", 1, "new"],
        ["deleted", "before", 2, None],
        ["inserted", "after", 4, 4],
    ]
    assert list(frame.columns) == ["change", "version", "id", "v"]


def test_changed_rows_are_limited_and_their_columns_never_collide(compared):
    create = "CREATE TABLE t (change, version); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)"
    frame = changed_rows(*compared(create, "UPDATE t SET version = 9"), "t", limit=2)
    assert len(frame) == 4 and list(frame.columns) == ["change_", "version_", "change", "version"]


def test_a_table_that_is_not_there_is_refused_with_those_that_are(compared):
    with pytest.raises(PublishError, match="neither version has a table") as caught:
        changed_rows(*compared(PLAIN, ""), "races")
    assert "t" in str(caught.value.hint)


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Two published versions, which the environment names."""
    source, target = tmp_path / "stage.db", tmp_path / "analytics.db"
    monkeypatch.setenv("STAGING_DB_PATH", str(source))
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(target))
    with closing(sqlite3.connect(source, isolation_level=None)) as con:
        con.executescript(PLAIN)
        sync(source, target)
        con.execute("UPDATE t SET v = 'new' WHERE id = 3")
        sync(source, target)
    return target


def test_the_command_compares_the_version_before_with_the_current_one(published, capsys):
    assert main(["changes"]) == 0
    shown = capsys.readouterr().out
    assert "gen-000001" in shown and "gen-000002" in shown and "t " in shown
    assert main(["changes", "2", "gen-000001", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["updated"] for each in found["tables"] if each["name"] == "t"] == [1]
    assert main(["changes", "--table", "t"]) == 0
    assert "before" in capsys.readouterr().out


def test_rows_with_blobs_and_broken_texts_can_be_printed(published, tmp_path, capsys):
    with closing(sqlite3.connect(tmp_path / "stage.db")) as con, con:
        con.execute("INSERT INTO t VALUES (7, x'ff00'), (8, CAST(x'ff' AS TEXT))")
    sync(tmp_path / "stage.db", published)
    assert main(["changes", "--table", "t"]) == 0
    assert main(["changes", "--table", "t", "--json"]) == 0
    lines = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [each["v"] for each in lines] == ["ff00", "\udcff"]


def test_the_magic_takes_the_words_of_the_command(published):
    assert "gen-000001 → gen-000002" in str(run("changes", {}, Greynb()))
    assert len(run("changes 1 2 --table t", {}, Greynb())) == 2
    for line in ("changes --table", "changes 1 2 3", "changes --rows"):
        with pytest.raises(UsageError, match="versions and a table"):
            run(line, {}, Greynb())


def test_a_version_that_is_not_there_is_refused_with_those_that_are(published):
    with pytest.raises(PublishError, match="no version gen-000009") as caught:
        two_versions(published, 9)
    assert "gen-000001, gen-000002" in str(caught.value.hint)
    with pytest.raises(PublishError, match="no version before gen-000001"):
        two_versions(published, None, 1)
