"""Keeping cells to one version, and the other commands about versions."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import greynb
from greynb import connections
from greynb.cli import main
from greynb.databases.generations import home_of
from greynb.errors import GreynbError, MissingDatabase, UsageError
from tests.notebook.shell import RACES, run, text

COUNT = "%%analytics df\nSELECT count(*) AS n FROM races"


@pytest.fixture
def versions(shell, tmp_path):
    """Three published versions with 4, 5 and 6 races."""
    (tmp_path / "analytics.db").unlink()
    greynb.sync()
    for number in range(2):
        add_race(tmp_path / "stage.db", f"new{number}")
        greynb.sync()
    yield shell
    connections.close_all()


def add_race(path: Path, name: str) -> None:
    with closing(sqlite3.connect(path)) as con:
        con.execute("INSERT INTO races VALUES (?, 'BAL', '2025-07-09', 8)", (name,))
        con.commit()


def races(shell) -> tuple[int, str]:
    """Races that a cell counts, and the version that it says it read."""
    run(shell, COUNT)
    df = shell.user_ns["df"]
    return int(df["n"][0]), df.attrs["greynb"]["snapshot"]


def publish_another(folder: Path, name: str = "another") -> None:
    add_race(folder / "stage.db", name)
    greynb.sync()


def test_a_pin_keeps_cells_to_the_version_that_was_newest(versions, tmp_path):
    assert "pinned to gen-000003" in text(run(versions, "%greynb pin"))
    publish_another(tmp_path)
    assert races(versions) == (6, "gen-000003")
    assert "back to the newest version, gen-000004" in text(run(versions, "%greynb unpin"))
    assert races(versions) == (7, "gen-000004")


@pytest.mark.parametrize("name", ["gen-000001", "1"])
def test_an_older_version_can_be_pinned_by_name_or_number(versions, name):
    assert races(versions) == (6, "gen-000003")
    run(versions, f"%greynb pin {name}")
    assert races(versions) == (4, "gen-000001")
    run(versions, "%greynb unpin")
    assert races(versions) == (6, "gen-000003")


def test_the_footer_names_the_pinned_version_and_says_once_that_a_newer_one_is_there(versions):
    run(versions, "%greynb pin 2")
    first = text(run(versions, "%%analytics\nSELECT 1 AS a"))
    assert "gen-000002" in first and "newest is gen-000003" in first
    second = text(run(versions, "%%analytics\nSELECT 1 AS a"))
    assert "gen-000002" in second and "newest" not in second


def test_connections_of_scripts_keep_to_the_pinned_version_too(versions):
    run(versions, "%greynb pin 1")
    with greynb.get_conn() as con:
        assert con.execute("SELECT count(*) FROM races").fetchone()[0] == 4
    with closing(greynb.get_conn("analytics", engine="sqlite")) as con:
        assert con.execute("SELECT count(*) FROM races").fetchone()[0] == 4
    run(versions, "%greynb unpin")
    with greynb.get_conn() as con:
        assert con.execute("SELECT count(*) FROM races").fetchone()[0] == 6


def test_a_pinned_version_is_not_pruned(versions, tmp_path):
    run(versions, "%greynb pin 1")
    for number in range(4):
        publish_another(tmp_path, f"more{number}")
    assert (home_of(tmp_path / "analytics.db") / "gen-000001").exists()
    assert races(versions) == (4, "gen-000001")
    run(versions, "%greynb unpin")
    assert races(versions)[0] == 10
    races(versions)


def test_temporary_tables_outlive_a_pin(versions):
    run(versions, "%%analytics\nCREATE TEMP TABLE mine AS SELECT 7 AS seven")
    run(versions, "%greynb pin 1")
    run(versions, "%%analytics df\nSELECT seven FROM mine")
    assert versions.user_ns["df"]["seven"][0] == 7


def test_a_missing_version_is_refused_with_those_that_are_there(versions):
    with pytest.raises(MissingDatabase, match="no version gen-000009") as caught:
        run(versions, "%greynb pin 9")
    assert "gen-000003, gen-000002, gen-000001" in str(caught.value)
    assert races(versions) == (6, "gen-000003")


def test_another_file_in_the_environment_is_not_pinned(versions, tmp_path, monkeypatch):
    run(versions, "%greynb pin 1")
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as con:
        con.executescript(RACES + "DELETE FROM races")
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(other))
    assert races(versions)[0] == 0
    assert "nothing was pinned" in text(run(versions, "%greynb unpin"))
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "analytics.db"))
    assert races(versions) == (4, "gen-000001")


def test_a_plain_file_is_pinned_as_a_private_copy(shell, tmp_path):
    run(shell, "%greynb pin")
    before = races(shell)
    assert before[0] == 4 and before[1].startswith("copy-")
    add_race(tmp_path / "analytics.db", "written in place")
    assert races(shell) == before
    with closing(greynb.get_conn("analytics", engine="sqlite")) as con:
        assert con.execute("SELECT count(*) FROM races").fetchone()[0] == 4
    with greynb.get_conn() as con:
        assert con.execute("SELECT count(*) FROM races").fetchone()[0] == 4
    run(shell, "%greynb unpin")
    assert races(shell)[0] == 5
    connections.close_all()


def test_a_pinned_version_that_is_written_to_is_an_error_and_never_another_version(versions, tmp_path):
    run(versions, "%greynb pin 1")
    file = home_of(tmp_path / "analytics.db") / "gen-000001/analytics.db"
    file.chmod(0o644)
    shutil.copyfile(tmp_path / "stage.db", file)
    with pytest.raises(GreynbError, match="pinned version gen-000001 was written to"):
        run(versions, COUNT)
    run(versions, "%greynb unpin")
    assert races(versions) == (6, "gen-000003")


def test_the_history_is_a_dataframe(versions):
    found = run(versions, "%greynb history").result
    assert list(found["version"]) == ["gen-000003", "gen-000002", "gen-000001"]
    assert found["note"][0].startswith("current")


def test_a_rollback_is_what_the_next_cell_reads(versions):
    assert "gen-000004" in text(run(versions, "%greynb rollback 1"))
    assert races(versions) == (4, "gen-000004")


def test_verify_names_what_differs(versions, tmp_path):
    assert "equal to staging" in text(run(versions, "%greynb verify"))
    add_race(tmp_path / "stage.db", "later")
    assert "race_id = 'later': only in staging" in text(run(versions, "%greynb verify"))


def test_a_word_too_many_is_refused(versions):
    with pytest.raises(UsageError, match="takes no word"):
        run(versions, "%greynb pin 1 2")


def test_the_command_line_shows_the_history_and_goes_back(versions, capsys, tmp_path):
    assert main(["history"]) == 0
    shown = capsys.readouterr().out
    assert "gen-000003" in shown and "current" in shown and "disk use" in shown
    assert main(["rollback"]) == 0
    assert "gen-000004" in capsys.readouterr().out
    assert main(["history", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found[0]["mode"], found[0]["source"], found[0]["rows"]) == ("rollback", "gen-000002", 8)
    assert main(["rollback", "77"]) == 1
    assert "gen-000004 (current)" in capsys.readouterr().err


def test_the_command_line_verifies_and_ends_with_4_where_something_differs(versions, capsys, tmp_path):
    assert main(["verify"]) == 0
    add_race(tmp_path / "stage.db", "later")
    assert main(["verify"]) == 4
    capsys.readouterr()
    assert main(["verify", "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["equal"] is False
