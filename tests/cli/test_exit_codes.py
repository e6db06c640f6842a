"""Each exit code comes of a real case of it; the signals' codes are in test_terminal."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from greynb.cli.exitcodes import Exit
from tests.cli.conftest import Place


@pytest.fixture
def published(tmp_path):
    made = Place(tmp_path)
    assert made.run("sync", "--no-mirror").returncode == Exit.OK
    return made


def write(place):
    with closing(sqlite3.connect(place.stage)) as con:
        con.execute("INSERT INTO races VALUES ('c', 'RICH')")
        con.commit()


def test_what_worked_is_0(published):
    for words in (["status"], ["history"], ["verify"], ["status", "--max-lag", "1d"], ["doctor"]):
        assert published.run(*words).returncode == Exit.OK


def test_a_refusal_is_1_with_a_hint_on_standard_error(place):
    done = place.run("rollback", "99")
    assert done.returncode == Exit.REFUSED
    assert done.stdout == "" and "\n  do: " in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["sink"],
        ["sync", "--every", "2s"],
        ["archive", "--older-than", "soon", "--table", "t", "--date", "d", "--to", "x"],
        ["guard", "true"],
        ["sync", "--keep", "-1"],
        ["audit", ".", "--write-baseline"],
        ["completion", "tcsh"],
    ],
    ids=" ".join,
)
def test_a_wrong_call_is_2_and_says_what_to_do(words, place):
    done = place.run(*words)
    assert done.returncode == Exit.USAGE
    assert done.stdout == "" and done.stderr.startswith("greynb: ") and "\n  do: " in done.stderr


def test_a_lag_beyond_the_limit_is_3(published):
    write(published)
    assert published.run("status", "--max-lag", "1ms").returncode == Exit.LAG


def test_a_difference_is_4(published):
    write(published)
    assert published.run("verify").returncode == Exit.DIFFERS


def test_an_error_of_the_doctor_is_5(published):
    published.stage.rename(published.stage.with_name("moved.db"))
    assert published.run("doctor").returncode == Exit.FOUND


def test_a_finding_of_the_audit_is_5(place):
    (place.folder / "ingest.py").write_text("import sqlite3\nsqlite3.connect('analytics.db')\n")
    assert place.run("audit", "ingest.py", "--fail-on", "note").returncode == Exit.FOUND
    assert place.run("audit", "ingest.py", "--fail-on", "never").returncode == Exit.OK


def test_a_guarded_command_that_leaves_a_damaged_database_is_5_and_else_its_own_code(published):
    assert published.run("guard", "--", "sh", "-c", "exit 7").returncode == 7
    assert published.run("guard", "--", "sh", "-c", "echo no database > stage.db").returncode == Exit.FOUND
