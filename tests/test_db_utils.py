"""The collector's helper names, as its scripts use them."""

from __future__ import annotations

import importlib.util
import sqlite3
import sys
from pathlib import Path

import pytest

from greynb import db_utils
from greynb.errors import MissingDatabase, RoutingError, UnreadableDatabase

VARIABLES = ("STAGING_DB_PATH", "ANALYTICS_DB_PATH", "GREYHOUND_DB_PATH", "DATABASE_PATH", "DATABASE_URL")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(path: Path) -> Path:
    con = sqlite3.connect(path)
    con.executescript(
        "CREATE TABLE dogs (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO dogs VALUES (1, 'Ace')"
    )
    con.close()
    return path


def test_a_script_that_imports_its_own_db_utils_runs_unchanged(project: Path) -> None:
    make(project / "greyhound_racing_data_analytics.db")
    (project / "db_utils_of_scripts.py").write_text("from greynb.db_utils import *\n")
    spec = importlib.util.spec_from_file_location("db_utils_of_scripts", project / "db_utils_of_scripts.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert {name for name in vars(module) if not name.startswith("_")} == set(db_utils.__all__)
    con = module.open_sqlite_readonly()
    assert con.execute("SELECT name FROM dogs").fetchall() == [("Ace",)]
    con.close()


def test_the_writable_connection_is_what_the_scripts_expect(project: Path) -> None:
    with pytest.warns(UserWarning, match=r"greyhound_racing_data_stage\.db did not exist and was created"):
        con = db_utils.open_sqlite_writable()
    assert type(con) is sqlite3.Connection
    assert con.row_factory is None
    assert con.execute("PRAGMA foreign_keys").fetchone() == (1,)
    assert con.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert con.execute("PRAGMA busy_timeout").fetchone() == (5000,)
    con.execute("CREATE TABLE dogs (id INTEGER)")
    con.commit()
    con.execute("INSERT INTO dogs VALUES (1)")
    con.rollback()
    con.execute("INSERT INTO dogs VALUES (2)")
    con.commit()
    con.close()
    check = sqlite3.connect(project / "greyhound_racing_data_stage.db")
    assert check.execute("SELECT id FROM dogs").fetchall() == [(2,)]
    check.close()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO dogs VALUES (2, 'Bo')",
        "CREATE TABLE blocked (id)",
        "DROP TABLE dogs",
        "PRAGMA user_version = 7",
    ],
)
def test_the_readonly_connection_cannot_write(project: Path, statement: str) -> None:
    path = make(project / "a.db")
    before = path.read_bytes()
    con = db_utils.open_sqlite_readonly(str(path))
    assert con.execute("PRAGMA query_only").fetchone() == (1,)
    assert con.execute("PRAGMA foreign_keys").fetchone() == (1,)
    with pytest.raises(sqlite3.OperationalError):
        con.execute(statement)
    con.execute("PRAGMA query_only = OFF")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        con.execute(statement)
    con.close()
    assert path.read_bytes() == before


def test_without_a_path_the_environment_chooses_at_each_call(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        make(project / f"{name}.db")
        monkeypatch.setenv("ANALYTICS_DB_PATH", f"{name}.db")
        monkeypatch.setenv("STAGING_DB_PATH", f"sqlite:///{name}.db?timeout=0.25")
        for opener in (db_utils.open_sqlite_readonly, db_utils.open_sqlite_writable):
            opener("").close()
            con = opener()
            assert con.execute("PRAGMA database_list").fetchone()[2] == str(project / f"{name}.db")
            con.close()
    con = db_utils.open_sqlite_writable()
    assert con.execute("PRAGMA busy_timeout").fetchone() == (250,)
    con.close()


def test_a_missing_file_is_not_created_by_a_reader(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_DB_PATH", "gone.db")
    with pytest.raises(MissingDatabase) as caught:
        db_utils.open_sqlite_readonly()
    assert isinstance(caught.value, sqlite3.OperationalError)
    assert "ANALYTICS_DB_PATH (environment)" in str(caught.value)
    assert str(project / "gone.db") in str(caught.value)
    assert "greynb sync" in str(caught.value)
    assert list(project.iterdir()) == []


def test_a_writer_does_not_create_folders(project: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="folder"):
        db_utils.open_sqlite_writable("no/such/stage.db")
    assert list(project.iterdir()) == []


def test_a_file_that_is_not_sqlite_is_an_error_of_both_kinds(project: Path) -> None:
    (project / "a.db").write_text("id,name\n" * 200)
    with pytest.raises(sqlite3.DatabaseError) as caught:
        db_utils.open_sqlite_readonly("a.db")
    assert isinstance(caught.value, UnreadableDatabase)


@pytest.mark.parametrize("opener", [db_utils.open_sqlite_readonly, db_utils.open_sqlite_writable])
def test_an_address_that_names_no_file_is_refused(opener: object) -> None:
    assert callable(opener)
    with pytest.raises(RoutingError, match="in-memory"):
        opener(":memory:")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows allows none of these in a name")
@pytest.mark.parametrize("name", ["a?b", "a#b", "100%", "a%20b", "two words", "it's", 'sa"y', "?mode=memory"])
def test_odd_file_names_work_on_both_sides(project: Path, name: str) -> None:
    path = project / f"{name}.db"
    with pytest.warns(UserWarning, match="did not exist and was created"):
        writer = db_utils.open_sqlite_writable(str(path))
    writer.execute("CREATE TABLE t (x)")
    writer.commit()
    writer.close()
    for spelling in (str(path), path):
        reader = db_utils.open_sqlite_readonly(spelling)
        assert reader.execute("SELECT count(*) FROM t").fetchone() == (0,)
        reader.close()
    # A reader cannot remove the -wal and -shm that it had to make.
    assert {entry.name for entry in project.iterdir()} - {f"{path.name}-wal", f"{path.name}-shm"} == {
        path.name
    }


def test_paths_are_text_and_absolute(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert db_utils.get_staging_db_path() == str(project / "greyhound_racing_data_stage.db")
    assert db_utils.get_analytics_db_path() == str(project / "greyhound_racing_data_analytics.db")
    assert db_utils.get_staging_db_path("mine.db") == str(project / "mine.db")
    assert db_utils.get_analytics_db_path(default="data/mine.db") == str(project / "data/mine.db")
    monkeypatch.setenv("GREYHOUND_DB_PATH", "all.db")
    assert db_utils.get_staging_db_path("mine.db") == str(project / "all.db")
    assert db_utils.get_analytics_db_path() == str(project / "all.db")
