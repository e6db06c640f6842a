"""Leaving out tables and columns, and what happens to views, triggers and indexes that need them."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb.databases.identifiers import quote
from greynb.errors import PublishError
from greynb.publish.etl import Plan, apply
from greynb.publish.etl.patterns import matches
from tests.publish.etl.helpers import applied, database, query

COLLECTOR = Path(__file__).parents[4] / "shared" / "data" / "collector_columns.csv"
DOGS = """
CREATE TABLE dogs (id INTEGER PRIMARY KEY, name TEXT, url TEXT, weight REAL);
CREATE TABLE dogs_backup_2024 (id, name);
CREATE TABLE log (what);
CREATE INDEX by_url ON dogs (url);
CREATE INDEX by_expression ON dogs (lower(URL));
CREATE INDEX by_name ON dogs (name);
INSERT INTO dogs VALUES (1, 'Rex', 'http://a', 30.5), (7, 'Bo', NULL, 31);
INSERT INTO dogs_backup_2024 VALUES (1, 'Rex');
CREATE VIEW old_dogs AS SELECT * FROM dogs_backup_2024;
CREATE VIEW older_dogs AS SELECT * FROM old_dogs;
CREATE VIEW links AS SELECT url FROM dogs;
CREATE VIEW named AS SELECT name FROM dogs;
CREATE VIEW broken AS SELECT * FROM nowhere;
CREATE TRIGGER logged AFTER INSERT ON dogs BEGIN INSERT INTO log VALUES (new.name); END;
CREATE TRIGGER archived AFTER DELETE ON dogs BEGIN
  INSERT INTO dogs_backup_2024 VALUES (old.id, old.name); END;
CREATE TRIGGER renamed INSTEAD OF UPDATE ON named BEGIN UPDATE dogs SET name = new.name; END;
CREATE TRIGGER gone INSTEAD OF DELETE ON old_dogs BEGIN DELETE FROM dogs; END;
"""


def objects(path: Path) -> set[str]:
    return {name for (name,) in query(path, "SELECT name FROM sqlite_schema")}


def test_excluded_tables_take_along_what_needs_them(tmp_path: Path) -> None:
    path = database(tmp_path / "d.db", DOGS)
    report = applied(path, "[tables]\nexclude = ['*_backup_*']")
    assert report.dropped == ("dogs_backup_2024",)
    assert objects(path) >= {
        "dogs",
        "log",
        "links",
        "named",
        "broken",
        "logged",
        "renamed",
        "by_url",
        "by_name",
    }
    assert not objects(path) & {"dogs_backup_2024", "old_dogs", "older_dogs", "archived", "gone"}
    told = "\n".join(report.notices)
    for name in ("view old_dogs", "view older_dogs", "trigger archived"):
        assert f"the {name} was dropped, as it does not work any more" in told
    assert query(path, "SELECT * FROM dogs") == [(1, "Rex", "http://a", 30.5), (7, "Bo", None, 31.0)]


def test_only_included_tables_and_views_stay(tmp_path: Path) -> None:
    path = database(tmp_path / "d.db", DOGS)
    report = applied(path, "[tables]\ninclude = ['DOGS', 'named']")
    assert report.tables == ("dogs", "named")
    assert "broken" in report.dropped
    assert "logged" not in objects(path)


def test_a_table_to_include_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    path = database(tmp_path / "d.db", DOGS)
    with pytest.raises(PublishError, match=r"names dog, which is not there\n.*did you mean"):
        applied(path, "[tables]\ninclude = ['dog']")


def test_patterns_without_effect_are_noticed(tmp_path: Path) -> None:
    path = database(tmp_path / "d.db", DOGS)
    report = applied(path, "[tables]\nexclude = ['cats*']\n[columns]\ndrop = ['*.tail']")
    assert report.notices == ("no table fits the pattern cats*", "no column fits the pattern *.tail")


def test_a_dropped_column_takes_along_its_indexes_and_views(tmp_path: Path) -> None:
    path = database(tmp_path / "d.db", DOGS)
    report = applied(path, "[columns]\ndrop = ['*.url', 'dogs.weight']")
    assert report.columns == ("dogs.url", "dogs.weight")
    assert query(path, "SELECT * FROM dogs") == [(1, "Rex"), (7, "Bo")]
    assert not objects(path) & {"by_url", "by_expression", "links"}
    assert objects(path) >= {"by_name", "named", "logged", "archived", "broken", "old_dogs"}


def test_a_column_of_a_key_cannot_be_dropped(tmp_path: Path) -> None:
    path = database(tmp_path / "d.db", DOGS)
    with pytest.raises(PublishError, match=r"dogs.id cannot be dropped"):
        applied(path, "[columns]\ndrop = ['dogs.id']")
    assert "by_name" in objects(path)
    assert "named" in objects(path)


@pytest.mark.parametrize("vacuum", ["true", "false"])
def test_what_is_left_out_is_not_in_the_file_any_more(tmp_path: Path, vacuum: str) -> None:
    path = database(
        tmp_path / "d.db",
        "CREATE TABLE kept (a, b); CREATE TABLE secret (a);"
        " INSERT INTO kept VALUES (1, 'hidden-in-a-column'); INSERT INTO secret VALUES ('hidden-in-a-table')",
    )
    assert b"hidden-in-a" in path.read_bytes()
    applied(path, f"vacuum = {vacuum}\n[tables]\nexclude = ['secret']\n[columns]\ndrop = ['kept.b']")
    assert b"hidden-in-a" not in path.read_bytes()


def test_full_text_tables_go_with_their_shadows(tmp_path: Path) -> None:
    path = database(tmp_path / "d.db", "CREATE VIRTUAL TABLE words USING fts5(w); CREATE TABLE t (a)")
    assert applied(path, "[tables]\nexclude = ['w*']").tables == ("t",)
    assert objects(path) - {"sqlite_stat1"} == {"t"}


def test_references_to_a_table_left_out_are_reported(tmp_path: Path) -> None:
    path = database(
        tmp_path / "d.db",
        "PRAGMA foreign_keys = ON; CREATE TABLE p (id INTEGER PRIMARY KEY);"
        " CREATE TABLE c (p REFERENCES p ON DELETE CASCADE); INSERT INTO p VALUES (1);"
        " INSERT INTO c VALUES (1)",
    )
    report = applied(path, "[tables]\nexclude = ['p']\n[contracts.c]\nforeign_keys = true\nrows = {min = 1}")
    assert report.notices == ("c refers to p, which is left out",)


def test_indexes_are_made_once(tmp_path: Path) -> None:
    path = database(tmp_path / "d.db", DOGS)
    report = applied(path, "[indexes]\ndogs = ['NAME', ['name', 'weight'], 'weight']")
    assert report.indexes == ("greynb_dogs_name_weight", "greynb_dogs_weight")
    assert report.notices == ("no index on dogs (name) was made: by_name does the same",)
    with pytest.raises(PublishError, match=r"dogs has no column nam\n.*did you mean name"):
        applied(path, "[indexes]\ndogs = ['nam']")


def test_an_empty_plan_and_an_empty_database_change_nothing(tmp_path: Path) -> None:
    report = applied(database(tmp_path / "d.db", "VACUUM"), "")
    assert report.tables == ()
    assert report.to_dict()["file"].endswith("greynb.toml")
    assert "0 tables kept" in str(report)


NAMES = st.lists(st.text("abAB_*?[].\"' ", min_size=1, max_size=5), max_size=6, unique_by=str.lower)


@settings(max_examples=60)
@given(names=NAMES, include=NAMES, exclude=NAMES)
def test_what_is_kept_fits_an_include_and_no_exclude(
    names: list[str], include: list[str], exclude: list[str]
) -> None:
    include = [*(f"{each}*" for each in include), "*a*"]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "d.db"
        with closing(sqlite3.connect(path)) as con, con:
            for name in names:
                con.execute(f"CREATE TABLE {quote(name)} (a)")
        plan = Plan(Path(folder) / "greynb.toml", include=tuple(include), exclude=tuple(exclude))
        report = apply(path, plan)
        kept = {
            name
            for name in names
            if any(matches(name, each) for each in include)
            and not any(matches(name, each) for each in exclude)
        }
        assert set(report.tables) == kept
        assert set(report.dropped) == set(names) - kept
        assert {name for (name,) in query(path, "SELECT name FROM sqlite_schema")} - {"sqlite_stat1"} == kept


@pytest.mark.skipif(not COLLECTOR.exists(), reason="the collector's columns are not beside the checkout")
def test_the_collectors_backups_are_left_out(tmp_path: Path) -> None:
    tables: dict[str, list[str]] = {}
    with COLLECTOR.open(newline="") as file:
        for row in csv.DictReader(file):
            column = f"{quote(row['column'])} {row['declared_type']}"
            tables.setdefault(row["table"], []).append(column)
    path = tmp_path / "collector.db"
    with closing(sqlite3.connect(path)) as con, con:
        for table, columns in tables.items():
            con.execute(f"CREATE TABLE {quote(table)} ({', '.join(columns)})")
            stamps = [each.split('"')[1] for each in columns if each.startswith('"extraction_timestamp"')]
            for name in stamps:
                con.execute(f"INSERT INTO {quote(table)} ({quote(name)}) VALUES ('2025-07-01T10:00:00.5')")
    report = applied(
        path, "[tables]\nexclude = ['*_backup*']\n[types]\n'*.extraction_timestamp' = 'timestamp'"
    )
    assert {"race_metadata", "dog_race_data"} <= set(report.tables)
    assert set(report.dropped) == {name for name in tables if "_backup" in name}
    assert len(report.dropped) >= 2
    assert len(report.wishes) == sum(
        any(each.startswith('"extraction_timestamp"') for each in columns)
        for name, columns in tables.items()
        if "_backup" not in name
    )
    assert all(each.lost == 0 for each in report.wishes)
