"""What a notebook and the command line say of the mirror."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing

import pytest

import greynb
from greynb import connections
from greynb.cli import main
from greynb.errors import GreynbError
from tests.notebook.shell import run, text

COUNT = "%%analytics\nSELECT count(*) AS n FROM races"
BUILDING = "SQLite file, its mirror is being built"


@pytest.fixture
def published(shell, tmp_path):
    """The shell over a published version."""
    (tmp_path / "analytics.db").unlink()
    greynb.sync()
    yield shell
    connections.close_all()


def test_the_footer_says_nothing_of_a_published_mirror(published):
    assert text(run(published, COUNT)).splitlines()[-1].endswith("analytics.db @ gen-000001")


def test_the_footer_says_that_the_file_is_read_until_its_mirror_is_built(shell):
    assert text(run(shell, COUNT)).splitlines()[-1].endswith(BUILDING)
    end = time.monotonic() + 30
    while (shown := text(run(shell, COUNT))).splitlines()[-1].endswith(BUILDING):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert "SQLite file" not in shown


def test_the_setting_never_reads_the_file_and_require_waits_for_the_mirror(shell):
    run(shell, "%config Greynb.mirror = 'never'")
    assert text(run(shell, COUNT)).splitlines()[-1].endswith(" · SQLite file")
    run(shell, "%config Greynb.mirror = 'require'")
    assert "SQLite file" not in text(run(shell, COUNT))
    run(shell, "%config Greynb.mirror = 'auto'")


def test_the_mirror_is_built_looked_at_and_dropped_from_a_cell(shell, tmp_path):
    assert "mirror none" in text(run(shell, "%greynb mirror"))
    assert "mirror fresh" in text(run(shell, "%greynb mirror build"))
    assert "SQLite file" not in text(run(shell, COUNT))
    assert "MB freed" in text(run(shell, "%greynb mirror drop"))
    assert not list(tmp_path.rglob("*.duckdb"))
    with pytest.raises(GreynbError, match="build, status or drop"):
        run(shell, "%greynb mirror polish")


def test_the_command_line_does_the_same(shell, tmp_path, capsys):
    assert main(["mirror", "build", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["state"], found["published"]) == ("fresh", False)
    with closing(sqlite3.connect(tmp_path / "analytics.db")) as con, con:
        con.execute("DELETE FROM races")
    assert main(["mirror", "status"]) == 0
    assert "of an older version, not used" in capsys.readouterr().out
    assert main(["mirror", "drop"]) == 0
    assert "freed" in capsys.readouterr().out


def test_status_tells_the_mirror_for_people_and_machines(published, capsys):
    assert main(["status"]) == 0
    assert "mirror fresh, " in capsys.readouterr().out
    assert main(["status", "--prometheus"]) == 0
    assert "greynb_mirror_fresh 1\n" in capsys.readouterr().out
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mirror"]["published"]


def test_a_version_can_be_published_without_a_mirror(published, tmp_path, capsys):
    with closing(sqlite3.connect(tmp_path / "stage.db")) as con, con:
        con.execute("DELETE FROM races")
    run(published, "%greynb sync --no-mirror")
    assert text(run(published, COUNT)).splitlines()[-1].endswith(BUILDING)


def test_a_rollback_brings_the_mirror_back(published, tmp_path):
    with closing(sqlite3.connect(tmp_path / "stage.db")) as con, con:
        con.execute("DELETE FROM races")
    greynb.sync()
    run(published, "%greynb rollback")
    shown = text(run(published, COUNT))
    assert "gen-000003" in shown and "SQLite file" not in shown and "4" in shown


def test_where_both_roles_are_one_file_a_sync_makes_its_mirror_alone(shell, tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "stage.db"))
    result = greynb.sync()
    assert result.mode == "none"
    assert "its columnar mirror is fresh" in result.notices[-1]
    assert "SQLite file" not in text(run(shell, COUNT))
    with closing(sqlite3.connect(tmp_path / "stage.db")) as con, con:
        con.execute("DELETE FROM races WHERE venue = 'TAR'")
    shown = text(run(shell, COUNT))
    assert "2" in shown and BUILDING in shown


def test_raw_connections_read_the_mirror_too(published):
    with greynb.get_conn() as con:
        ((plan,),) = [row[1:] for row in con.execute("EXPLAIN SELECT sum(runners) FROM races").fetchall()]
    assert "SEQ_SCAN" in plan and "SQLITE" not in plan.upper()
