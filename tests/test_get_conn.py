"""`greynb.get_conn`: the same routing and protection for scripts."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

import greynb
from greynb.cli import main
from greynb.connections import close_all
from greynb.routing.settings import ROLE_VARIABLES, SHARED_VARIABLES

RACES = "CREATE TABLE races (id INTEGER PRIMARY KEY, venue TEXT); INSERT INTO races VALUES (1, '{}')"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("STAGING_DB_PATH", str(tmp_path / "stage.db"))
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "analytics.db"))
    con = sqlite3.connect(tmp_path / "stage.db")
    con.executescript(RACES.format("a"))
    con.close()
    greynb.sync(mode="full")
    yield tmp_path
    close_all()


def venues(con: sqlite3.Connection | object) -> list[str]:
    return [row[0] for row in con.execute("SELECT venue FROM races ORDER BY id").fetchall()]  # type: ignore[attr-defined]


def test_analytics_is_the_default_and_reads(folder: Path) -> None:
    with greynb.get_conn() as con:
        assert venues(con) == ["a"]
        assert con.execute("SELECT count(*) AS n FROM races WHERE id = $id", {"id": 1}).df()["n"][0] == 1


@pytest.mark.parametrize(
    "statement", ["DELETE FROM races", "ATTACH 'stage.db' AS s (TYPE sqlite)", "COPY races TO 'out.csv'"]
)
def test_a_raw_connection_cannot_write_either(folder: Path, statement: str) -> None:
    digest = hashlib.sha256((folder / "analytics.db").read_bytes()).digest()
    with greynb.get_conn("analytics") as con, pytest.raises(greynb.WriteRefused):
        con.execute(statement)
    assert hashlib.sha256((folder / "analytics.db").read_bytes()).digest() == digest


def test_a_connection_keeps_to_its_version_and_the_next_one_has_the_newest(folder: Path) -> None:
    old = greynb.get_conn()
    with greynb.get_conn("staging") as staging:
        staging.execute("INSERT INTO races VALUES (2, 'b')")
    greynb.sync(mode="full")
    assert venues(old) == ["a"]
    with greynb.get_conn() as new:
        assert venues(new) == ["a", "b"]
    assert venues(old) == ["a"]
    old.close()


def test_a_file_that_is_written_in_place_is_never_read_half(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tmp_path / "plain.db"
    con = sqlite3.connect(plain)
    con.executescript(RACES.format("x"))
    con.close()
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(plain))
    reader = greynb.get_conn()
    assert venues(reader) == ["x"]
    subprocess.run(
        [sys.executable, "-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
         "c.execute(\"UPDATE races SET venue = 'y'\"); c.commit()", str(plain)],
        check=True,
    )  # fmt: skip
    with pytest.raises(greynb.DatabaseError, match="written to while"):
        venues(reader)
    with greynb.get_conn() as again:
        assert venues(again) == ["y"]


def test_one_connection_serves_several_threads(folder: Path) -> None:
    con = greynb.get_conn()
    found: list[int] = []

    def work() -> None:
        cursor = con.cursor()
        found.extend(cursor.execute("SELECT count(*) FROM races").fetchone()[0] for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 80
    con.close()


def test_a_block_commits_at_its_end_and_closes(folder: Path) -> None:
    with greynb.get_conn("staging") as con:
        con.executemany("INSERT INTO races VALUES (?, ?)", [(2, "b"), (3, "c")])
    with pytest.raises(sqlite3.ProgrammingError):
        con.execute("SELECT 1")
    with greynb.get_conn("analytics", engine="sqlite") as read:
        assert venues(read) == ["a"]
    with pytest.raises(sqlite3.ProgrammingError):
        read.execute("SELECT 1")
    with greynb.get_conn("staging") as con:
        assert venues(con) == ["a", "b", "c"]


def test_a_staging_block_that_fails_writes_nothing(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), greynb.get_conn("staging") as con:
        con.execute("DELETE FROM races")
        _ = 1 / 0
    with greynb.get_conn("staging") as con:
        assert venues(con) == ["a"]


def test_sqlite_on_analytics_only_reads(folder: Path) -> None:
    with greynb.get_conn("analytics", engine="sqlite") as con:
        assert venues(con) == ["a"]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            con.execute("DELETE FROM races")


@pytest.mark.parametrize(
    ("script", "kind"),
    [("scripts/ingest_csv.py", sqlite3.Connection), ("scripts/evaluate_model.py", object)],
)
def test_a_script_gets_the_connection_of_its_category(folder: Path, script: str, kind: type) -> None:
    with greynb.get_conn(for_script=script) as con:
        assert isinstance(con, kind) and venues(con) == ["a"]
        assert isinstance(con, sqlite3.Connection) == (kind is sqlite3.Connection)


def test_an_engine_that_does_not_serve_a_role_is_refused(folder: Path) -> None:
    with pytest.raises(greynb.UsageError, match="no engine 'duckdb' for the role 'staging'"):
        greynb.get_conn("staging", engine="duckdb")  # type: ignore[call-overload]
    with pytest.raises(greynb.UsageError, match="not both"):
        greynb.get_conn("staging", for_script="ingest_x.py")  # type: ignore[call-overload]


def test_a_missing_analytics_file_is_not_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(folder / "none.db"))
    for engine in ("duckdb", "sqlite"):
        with pytest.raises(greynb.MissingDatabase) as caught:
            greynb.get_conn("analytics", engine=engine)  # type: ignore[call-overload]
        assert "ANALYTICS_DB_PATH" in str(caught.value) and "greynb sync" in str(caught.value)
    assert not (folder / "none.db").exists()


def test_connections_left_open_are_closed_at_exit_without_a_word(folder: Path) -> None:
    script = """
import greynb
con, staging = greynb.get_conn(), greynb.get_conn("staging")
print(con.execute("FROM races").fetchall())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[(1, 'a')]\n" and done.stderr == ""


def test_private_files_of_a_session_go_away_with_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(folder / "temporary"))
    (folder / "temporary").mkdir()
    script = """
import os, sqlite3, greynb, tempfile
os.environ["ANALYTICS_DB_PATH"] = os.environ["STAGING_DB_PATH"]
con = greynb.get_conn()
print(con.execute("FROM races").fetchall(), len(os.listdir(tempfile.gettempdir())))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[(1, 'a')] 1\n" and list((folder / "temporary").iterdir()) == []


def test_many_versions_leave_no_copies_and_few_descriptors_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """
import os, sqlite3, tempfile, greynb
os.environ["ANALYTICS_DB_PATH"] = os.environ["STAGING_DB_PATH"]
descriptors = []
for number in range(2, 14):
    with greynb.get_conn("staging") as staging:
        staging.execute("INSERT INTO races VALUES (?, 'x')", [number])
    with greynb.get_conn() as con:
        assert con.execute("SELECT count(*) FROM races").fetchone() == (number,)
    descriptors.append(len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0)
folders = [name for name in os.listdir(tempfile.gettempdir()) if name.startswith(".greynb")]
read = greynb.get_conn("analytics", engine="sqlite")
print(len(folders), descriptors[-1] - descriptors[2])
"""
    monkeypatch.setenv("TMPDIR", str(folder / "temporary"))
    (folder / "temporary").mkdir()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    left, more = map(int, done.stdout.split())
    assert left <= 2 and more <= 4
    assert list((folder / "temporary").iterdir()) == [] and done.stderr == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_process_leaves_the_sessions_to_the_one_that_opened_them(folder: Path) -> None:
    script = """
import os, sys, greynb
from greynb.notebook import cells
from greynb.notebook.config import Greynb
from greynb.notebook.options import CellOptions
def count():
    outcome = cells.run("analytics", "SELECT count(*) AS n FROM races", {}, CellOptions(), Greynb())
    return int(outcome.results[0].frame["n"][0])
con = greynb.get_conn()
assert count() == con.execute("SELECT count(*) FROM races").fetchone()[0] == 1
child = os.fork()
if child == 0:
    sys.exit(0)
print(os.waitpid(child, 0)[1])
print(count())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "1"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_process_that_reads_ends_as_it_would_without(folder: Path, monkeypatch) -> None:
    script = """
import os, sys, greynb
from greynb.notebook import cells
from greynb.notebook.config import Greynb
from greynb.notebook.options import CellOptions
def count():
    outcome = cells.run("analytics", "SELECT count(*) AS n FROM races", {}, CellOptions(), Greynb())
    return int(outcome.results[0].frame["n"][0])
count()
child = os.fork()
if child == 0:
    assert greynb.get_conn().execute("SELECT count(*) FROM races").fetchone() == (1,)
    sys.exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), count())
"""
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(folder / "plain.db"))
    with closing(sqlite3.connect(folder / "plain.db")) as con:
        con.executescript(RACES.format("a"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["7", "1"]


def test_a_frame_says_where_it_came_from_and_its_export_can_be_verified(folder: Path) -> None:
    sql = "SELECT id, venue FROM races WHERE venue = $venue"
    with greynb.get_conn() as con:
        frames = [con.execute(sql, {"venue": "a", "other": 1}).df(), con.sql(sql, params={"venue": "a"}).df()]
    for frame in frames:
        origin = frame.attrs["greynb"]
        assert (origin["sql"], origin["parameters"], origin["rows"]) == (sql, {"venue": "a"}, 1)
        assert (origin["role"], origin["file"]) == ("analytics", str(folder / "analytics.db"))
        assert origin["snapshot"] == "gen-000001"
    greynb.export(frames[0], folder / "races.parquet")
    assert main(["verify", str(folder / "races.parquet")]) == 0


def test_a_frame_that_no_query_of_the_file_gives_again_says_nothing(folder: Path) -> None:
    whole = "SELECT id FROM races"
    with greynb.get_conn() as con:
        assert "greynb" not in con.execute("SELECT id FROM races WHERE id = ?", [1]).df().attrs
        con.execute("SELECT * FROM range(5000) UNION ALL SELECT id FROM races").fetchone()
        assert "greynb" not in con.df().attrs
        assert "greynb" in con.execute(whole).df().attrs
        con.execute("CREATE TEMP TABLE races2 AS SELECT 7 AS id")
        assert "greynb" not in con.execute("SELECT id FROM races2").df().attrs
    with greynb.get_conn() as con:
        con.register("mine", pd.DataFrame({"id": [1]}))
        assert "greynb" not in con.sql("SELECT id FROM mine").df().attrs
        assert "greynb" in con.cursor().sql(whole).df().attrs


def test_a_mistyped_path_of_staging_does_not_become_an_empty_database(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGING_DB_PATH", str(folder / "stagd.db"))
    with pytest.raises(greynb.MissingDatabase) as raised:
        greynb.get_conn("staging")
    block = str(raised.value).splitlines()
    assert block[0] == "the database does not exist"
    assert block[1] == f"  on: staging · {folder / 'stagd.db'} · chosen by STAGING_DB_PATH (environment)"
    assert block[2].startswith("  do: set STAGING_DB_PATH to stage.db where that is meant; a new ")
    with pytest.raises(greynb.MissingDatabase):
        greynb.load(pd.DataFrame({"id": [1]}), "races")
    assert not (folder / "stagd.db").exists()


def test_a_first_staging_file_is_made_where_that_is_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGING_DB_PATH", str(folder / "new.db"))
    with greynb.get_conn("staging", create=True) as con:
        con.execute("CREATE TABLE races (id INTEGER PRIMARY KEY, venue TEXT)")
        con.execute("INSERT INTO races VALUES (7, 'z')")
    with greynb.get_conn("staging", create=True) as con:  # what is there stays
        assert venues(con) == ["z"]
    with greynb.get_conn(for_script="ingest_csv.py", create=True) as con:
        assert venues(con) == ["z"]


def test_analytics_is_never_created_by_a_connection(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(folder / "new.db"))
    with pytest.raises(greynb.UsageError, match="only staging is created"):
        greynb.get_conn("analytics", create=True)  # type: ignore[call-overload]
    with pytest.raises(greynb.MissingDatabase, match="greynb sync"):
        greynb.get_conn()
    assert not (folder / "new.db").exists()


def test_the_file_of_the_other_role_is_never_proposed_for_a_missing_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (*ROLE_VARIABLES.values(), *SHARED_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    sqlite3.connect("greyhound_racing_data_analytics.db").close()
    with pytest.raises(greynb.MissingDatabase) as raised:
        greynb.get_conn("staging")
    hint = raised.value.hint or ""
    assert hint.startswith("set STAGING_DB_PATH, or change to the file's folder; a new file is made by ")


def test_a_load_says_that_it_made_the_file_as_well(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGING_DB_PATH", str(folder / "new.db"))
    frame = pd.DataFrame({"id": [1]})
    first = greynb.load(frame, "races", create=True)
    assert first.new_file == folder / "new.db"
    assert str(first).startswith(f"races, created in the new file {folder / 'new.db'}: 1 inserted")
    assert greynb.load(frame, "races", create=True).new_file is None
