"""The command line does what its help says."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys

import pytest

from greynb.cli import main


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """A staging file that the environment names, and an analytics path without a file."""
    for name in ("GREYHOUND_DB_PATH", "DATABASE_PATH", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STAGING_DB_PATH", str(tmp_path / "stage.db"))
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "analytics.db"))
    con = sqlite3.connect(tmp_path / "stage.db")
    con.executescript("CREATE TABLE races (race_id TEXT); INSERT INTO races VALUES ('a'), ('b')")
    con.close()
    return tmp_path


def test_sync_publishes_staging_and_says_which_version(stage, capsys):
    assert main(["sync", "--mode", "full"]) == 0
    assert "gen-000001: 1 table, 2 rows" in capsys.readouterr().out
    with sqlite3.connect(stage / "analytics.db") as con:
        assert con.execute("SELECT count(*) FROM races").fetchone()[0] == 2


def test_status_says_for_both_roles_which_file_and_who_chose_it(stage, capsys):
    main(["sync"])
    capsys.readouterr()
    assert main(["status"]) == 0
    shown = capsys.readouterr().out
    assert "STAGING_DB_PATH" in shown and "ANALYTICS_DB_PATH" in shown and "gen-000001" in shown


def test_status_as_json_is_for_machines(stage, capsys):
    assert main(["status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["staging"]["exists"] and not found["analytics"]["exists"]


def test_route_gives_the_file_of_a_script_by_its_category(stage, capsys):
    assert main(["route", "scripts/ingest_csv.py"]) == 0
    assert capsys.readouterr().out.startswith(f"staging\t{stage / 'stage.db'}\tSTAGING_DB_PATH")
    assert main(["route", "scripts/evaluate_model.py"]) == 0
    assert capsys.readouterr().out.startswith(f"analytics\t{stage / 'analytics.db'}")


def test_a_refusal_is_a_short_message_on_standard_error_and_exit_code_1(stage, capsys, monkeypatch):
    monkeypatch.setenv("STAGING_DB_PATH", str(stage / "gone.db"))
    assert main(["sync"]) == 1
    shown = capsys.readouterr().err
    assert "STAGING_DB_PATH" in shown and "gone.db" in shown and "Traceback" not in shown


def test_a_wrong_call_ends_with_exit_code_2(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["sink"])
    assert caught.value.code == 2


def test_the_package_runs_as_a_module_too():
    done = subprocess.run(
        [sys.executable, "-m", "greynb", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("greynb ")


def test_changes_of_a_file_that_was_not_published_name_the_variable_that_chose_it(stage, capsys):
    with sqlite3.connect(stage / "analytics.db") as con:
        con.execute("CREATE TABLE races (race_id TEXT)")
    assert main(["changes"]) == 1
    where = f"on: analytics · {stage / 'analytics.db'} · chosen by ANALYTICS_DB_PATH"
    assert where in capsys.readouterr().err
