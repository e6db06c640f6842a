"""Comparing analytics with staging, on real files."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.errors import MissingDatabase
from greynb.publish import sync
from greynb.publish.verifying import TableComparison, Verification, compare, compare_files
from greynb.publish.versions import rollback
from tests.publish import processes

RACES = """
CREATE TABLE races (id INTEGER PRIMARY KEY, venue TEXT, prize);
INSERT INTO races VALUES (1, 'RICH', 10), (2, 'TAR', 20.5), (3, NULL, x'0102');
CREATE TABLE dogs (name TEXT COLLATE NOCASE PRIMARY KEY, box INTEGER) WITHOUT ROWID;
INSERT INTO dogs VALUES ('Cochise Squaw', 1), ('Trips And Cars', 2), ('ärger', 3);
CREATE TABLE notes (note TEXT);
INSERT INTO notes VALUES ('a'), ('b'), ('b');
CREATE VIEW winners AS SELECT * FROM races;
CREATE VIRTUAL TABLE words USING fts5(word);
INSERT INTO words VALUES ('greyhound');
"""

Change = Callable[[str], None]


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "stage.db")) as con:
        con.executescript(RACES)
    return tmp_path / "stage.db"


@pytest.fixture
def target(stage: Path) -> Path:
    target = stage.with_name("analytics.db")
    sync(stage, target)
    return target


def change(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as con:
        con.executescript(script)


def table(found: Verification, name: str) -> TableComparison:
    return next(each for each in found.tables if each.name == name)


def test_a_fresh_publication_is_equal_in_every_table(stage: Path, target: Path) -> None:
    found = compare(stage, target)
    assert found.equal and found.version == "gen-000001"
    assert {each.state for each in found.tables} == {"equal"}
    assert f"equal to staging ({len(found.tables)} tables)" in str(found)
    assert (table(found, "races").staging_rows, table(found, "races").analytics_rows) == (3, 3)


CHANGES = {
    "UPDATE races SET venue = 'BAL' WHERE id = 2": ("races", "id = 2: venue: 'BAL' in staging, 'TAR' in"),
    "UPDATE races SET prize = 10.0 WHERE id = 1": (
        "races",
        "id = 1: prize: 10.0 in staging, 10 in analytics",
    ),
    "UPDATE races SET prize = '' WHERE id = 3": ("races", "id = 3: prize: '' in staging, b'\\x01\\x02'"),
    "UPDATE races SET venue = '' WHERE id = 3": ("races", "id = 3: venue: '' in staging, NULL in analytics"),
    "DELETE FROM races WHERE id = 1": ("races", "id = 1: only in analytics"),
    "INSERT INTO races VALUES (-5, 'x', 1)": ("races", "id = -5: only in staging"),
    "UPDATE dogs SET name = 'cochise squaw' WHERE box = 1": (
        "dogs",
        "name = 'Cochise Squaw': only in analytics",
    ),
    "UPDATE dogs SET box = 9 WHERE name = 'ärger'": ("dogs", "name = 'ärger': box: 9 in staging, 3 in"),
    "UPDATE notes SET note = 'c' WHERE rowid = 2": ("notes", "rowid = 2: note: 'c' in staging, 'b' in"),
}


@pytest.mark.parametrize("statement", CHANGES)
def test_the_first_differing_rows_are_named_with_both_values(
    stage: Path, target: Path, statement: str
) -> None:
    name, said = CHANGES[statement]
    change(stage, statement)
    found = compare(stage, target)
    assert not found.equal
    assert [each.name for each in found.tables if each.state != "equal"] == [name]
    assert said in str(found)
    number = len(found.tables)
    assert f"not equal to staging ({number} tables: " in str(found) and f"{number - 1} equal" in str(found)


def test_only_the_first_rows_are_named_and_the_counts_are_true(stage: Path, target: Path) -> None:
    change(stage, "INSERT INTO races SELECT value, 'x', 0 FROM json_each('[11,12,13,14,15,16,17]')")
    races = table(compare(stage, target), "races")
    assert (races.staging_rows, races.analytics_rows, len(races.rows)) == (10, 3, 5)
    assert races.rows[0].key == "id = 11"


def test_rows_that_vacuum_numbers_anew_are_the_same_rows(stage: Path, target: Path) -> None:
    change(stage, "DELETE FROM notes WHERE rowid = 1; INSERT INTO notes VALUES ('a'); VACUUM")
    assert compare(stage, target).equal


def test_missing_and_extra_tables_other_columns_and_views_are_told(stage: Path, target: Path) -> None:
    change(
        stage,
        "CREATE TABLE new (a); DROP TABLE notes; ALTER TABLE dogs ADD COLUMN trainer;"
        " DROP VIEW winners; CREATE VIEW winners AS SELECT 1",
    )
    found = compare(stage, target)
    states = {each.name: each.state for each in found.tables if each.state != "equal"}
    assert states == {"new": "missing", "notes": "extra", "dogs": "different", "winners": "different"}
    assert table(found, "dogs").reason == "analytics lacks trainer"


def test_texts_that_are_not_utf8_and_utf16_files_are_compared(tmp_path: Path) -> None:
    for encoding in ("UTF-8", "UTF-16le"):
        stage, target = tmp_path / f"{encoding}.db", tmp_path / f"{encoding}-a.db"
        change(stage, f"PRAGMA encoding = '{encoding}'; CREATE TABLE t (k TEXT PRIMARY KEY, v)")
        change(
            stage, "INSERT INTO t VALUES (CAST(x'ff41' AS TEXT), 1), ('ü', 2), ('\U0001f415', 3), ('z', 4)"
        )
        sync(stage, target)
        assert compare(stage, target).equal
        change(stage, "UPDATE t SET v = 5 WHERE k = 'z'")
        assert [row.key for row in table(compare(stage, target), "t").rows] == ["k = 'z'"]


def test_a_table_of_two_thousand_columns_is_compared(tmp_path: Path) -> None:
    stage, target = tmp_path / "stage.db", tmp_path / "analytics.db"
    columns = [f"c{number}" for number in range(2000)]
    change(stage, f"CREATE TABLE wide ({', '.join(columns)}); INSERT INTO wide (c0) VALUES (1), (2)")
    sync(stage, target)
    assert compare(stage, target).equal
    change(stage, "UPDATE wide SET c1999 = 7 WHERE c0 = 2")
    assert "row = 2: c1999: 7 in staging, NULL in analytics" in str(compare(stage, target)).replace(
        "rowid", "row"
    )


def test_a_flipped_bit_in_the_published_file_is_damage_and_names_the_file(stage: Path, target: Path) -> None:
    path = target.resolve()
    times = path.stat()
    (path.parent / "second-name").touch()  # the manifest's ctime would tell at once
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(24)
        file.write(b"\x7f")  # the change counter: no row is touched
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    found = compare(stage, target)
    assert not found.equal and found.damaged == (str(path),)
    assert {each.state for each in found.tables} == {"equal"}
    assert f"equal to staging ({len(found.tables)} tables)" in str(found)


def test_staging_is_compared_as_of_one_moment_while_a_writer_commits(tmp_path: Path) -> None:
    stage = processes.make_books(tmp_path / "stage.db", wal=True)
    target = tmp_path / "analytics.db"
    sync(stage, target)
    writer = processes.booking(stage)
    try:
        processes.wait_until_changed(stage, 0)
        states = {each.name: each.state for each in compare(stage, target).tables}
    finally:
        processes.stop(writer)
    assert states == {"debit": "different", "credit": "different"}


def test_a_rolled_back_version_is_compared_like_any_other(stage: Path, target: Path) -> None:
    change(stage, "DELETE FROM races WHERE id = 1")
    sync(stage, target)
    assert compare(stage, target).equal
    rollback(target)
    assert "id = 1: only in analytics" in str(compare(stage, target))


def test_a_plain_file_without_versions_is_compared_too(stage: Path) -> None:
    target = stage.with_name("plain.db")
    target.write_bytes(stage.read_bytes())
    assert compare(stage, target).equal


def test_what_a_plan_made_different_is_told_but_no_error(stage: Path, target: Path) -> None:
    change(stage, "CREATE TABLE races_backup_1 (a); UPDATE races SET venue = 'X'")
    found = compare_files(stage, target, planned=True)
    assert {each.name: each.state for each in found if each.state != "equal"} == {
        "races_backup_1": "by plan",
        "races": "by plan",
    }
    assert Verification(stage, target, "gen-000001", found).equal


def test_one_file_in_both_roles_is_equal_to_itself(stage: Path) -> None:
    found = compare(stage, stage)
    assert found.equal
    assert str(found).splitlines()[1:] == ["  note: staging and analytics are one file"]


def test_a_missing_file_is_an_error_that_names_the_role(stage: Path) -> None:
    with pytest.raises(MissingDatabase) as caught:
        compare(stage, stage.with_name("gone.db"))
    assert caught.value.role == "analytics"


def test_the_result_is_json(stage: Path, target: Path) -> None:
    change(stage, "UPDATE races SET prize = 1 WHERE id = 3")
    plain = json.loads(json.dumps(compare(stage, target).as_dict(), default=repr))
    assert plain["equal"] is False and plain["version"] == "gen-000001"


VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=3),
    st.binary(max_size=3),
)
ROWS = st.dictionaries(VALUES, VALUES, max_size=6)


@given(here=ROWS, there=ROWS)
def test_any_two_tables_differ_in_exactly_the_rows_that_are_named(
    tmp_path_factory: pytest.TempPathFactory, here: dict[object, object], there: dict[object, object]
) -> None:
    folder = tmp_path_factory.mktemp("pair")
    for name, rows in (("a", here), ("b", there)):
        with closing(sqlite3.connect(folder / name)) as con:
            con.execute("CREATE TABLE t (k PRIMARY KEY, v)")
            con.executemany("INSERT OR IGNORE INTO t VALUES (?, ?)", rows.items())
            con.commit()
    stored = [_stored(folder / name) for name in ("a", "b")]
    (found,) = compare_files(folder / "a", folder / "b")
    assert (found.state == "equal") == (stored[0] == stored[1])
    if found.state == "different":
        assert found.rows
        assert len(found.rows) <= len(stored[0] ^ stored[1])


def _stored(path: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as con:
        return {(repr(key), repr(value)) for key, value in con.execute("SELECT k, v FROM t")}
