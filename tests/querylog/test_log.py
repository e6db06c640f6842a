"""The query log of a notebook: what it keeps, that it stays small, and that it never is in a cell's way."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from greynb import querylog
from greynb.errors import GreynbError, QueryError, UsageError
from greynb.querylog import storing
from tests.notebook.conftest import shell
from tests.notebook.shell import run, text

__all__ = ["shell"]


@pytest.fixture
def log(shell, tmp_path):
    """The file of a log that is on."""
    path = tmp_path / "logs" / "queries.db"
    run(shell, f"%config Greynb.log_file = {str(path)!r}\n%config Greynb.log = True")
    yield path
    querylog.flush()
    run(shell, "%config Greynb.log = False\n%config Greynb.log_values = False\n%config Greynb.log_file = ''")


def entries(path):
    """All that the log holds, the oldest first."""
    querylog.flush()
    return querylog.last(path)[::-1]


def test_nothing_is_logged_until_it_is_asked_for(shell, tmp_path):
    path = tmp_path / "queries.db"
    run(shell, f"%config Greynb.log_file = {str(path)!r}")
    run(shell, "%%analytics\nSELECT 1")
    querylog.flush()
    assert not path.exists()
    with pytest.raises(UsageError, match="no query log"):
        run(shell, "%greynb log")


def test_each_statement_is_kept_as_written_with_its_figures(shell, log):
    run(shell, "%%analytics\nSELECT * FROM races")
    run(shell, "%%staging\nUPDATE runs SET box = 3; SELECT 7 AS n")
    select, update, seven = entries(log)
    assert (select.role, select.sql, select.rows, select.error) == (
        "analytics",
        "SELECT * FROM races",
        4,
        None,
    )
    assert select.version and select.file.endswith("analytics.db") and 0 < select.seconds < 60
    assert (update.role, update.sql, update.rows) == ("staging", "UPDATE runs SET box = 3", 3)
    assert (seven.sql, seven.rows, seven.version) == ("SELECT 7 AS n", 1, None)
    assert select.time < update.time <= seven.time


def test_a_cell_that_fails_is_kept_with_its_error(shell, log):
    with pytest.raises(QueryError):
        run(shell, "%%staging\nSELECT nothing FROM races")
    (failed,) = entries(log)
    assert failed.sql == "SELECT nothing FROM races"
    assert "not understood at nothing" in failed.error and failed.rows is None


def test_an_error_that_may_quote_a_parameters_value_is_kept_by_its_kind_alone(shell, log):
    with pytest.raises(QueryError):
        run(
            shell,
            "secret = 'RICHMOND'\n%analytics SELECT CAST(:secret AS INT)",
        )
    (failed,) = entries(log)
    assert failed.error == "QueryError" and failed.parameters == {"secret": None}


def test_of_parameters_only_the_names_are_kept_unless_values_are_asked_for(shell, log):
    cell = "%%analytics\nSELECT * FROM races WHERE venue = :secret AND runners IN (:many)"
    run(shell, "secret, many = 'RICH', [7, 8]")
    run(shell, cell)
    run(shell, "%config Greynb.log_values = True")
    run(shell, cell)
    without, with_values = entries(log)
    assert without.sql == with_values.sql == cell.split("\n", 1)[1]
    assert without.parameters == {"secret": None, "many": None}
    assert with_values.parameters == {"secret": "RICH", "many": {"list": [7, 8]}}
    with closing(sqlite3.connect(log)) as con:
        (first,) = con.execute(
            "SELECT group_concat(quote(parameters)) FROM statements WHERE id = 1"
        ).fetchone()
    assert "RICH" not in first


def test_the_log_is_its_owners_alone(shell, log):
    run(shell, "%%analytics\nSELECT 1")
    entries(log)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_the_last_statements_are_listed_newest_first(shell, log):
    for number in range(3):
        run(shell, f"%%analytics\nSELECT {number} AS n")
    shown = run(shell, "%greynb log -n 2").result
    assert list(shown["sql"]) == ["SELECT 2 AS n", "SELECT 1 AS n"]


def test_what_a_statement_lacks_shows_as_nothing_and_seconds_say_so(shell, log):
    run(shell, "%%analytics\nSELECT 1")
    run(shell, "%%staging\nSELECT 2")
    with pytest.raises(GreynbError):
        run(shell, "%%analytics\nSELECT * FROM nowhere")
    shown = run(shell, "%greynb log").result
    assert "NaN" not in str(shown) and "None" not in str(shown)
    assert list(shown["version"])[1] == "" and list(shown["error"])[1:] == ["", ""]
    assert {"median s", "total s"} <= set(run(shell, "%greynb slow").result)


def test_the_log_of_statements_and_the_history_of_versions_are_two_commands(shell, log):
    run(shell, "%%analytics\nSELECT 1")
    assert list(run(shell, "%greynb log").result["sql"]) == ["SELECT 1"]
    assert "SELECT 1" not in text(run(shell, "%greynb history"))


def test_old_statements_go_when_there_are_too_many_or_they_are_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr(storing, "KEPT", 5)
    with closing(storing.open_log(tmp_path / "log.db")) as con:
        storing.append(con, [an_entry(f"SELECT {number}") for number in range(12)])
        storing.prune(con)
        assert [each.sql for each in querylog.last(tmp_path / "log.db")] == [
            f"SELECT {number}" for number in range(11, 6, -1)
        ]
        monkeypatch.setattr(storing, "KEPT_CHARACTERS", 30)
        storing.prune(con)
        assert [each.sql for each in querylog.last(tmp_path / "log.db")] == ["SELECT 11", "SELECT 10"]


def an_entry(sql: str) -> querylog.Entry:
    return querylog.Entry("2026-11-26T00:00:00Z", "staging", "stage.db", None, sql, {}, 0.5, 1)


WRITER = """
import sys
from pathlib import Path
from greynb import querylog
for number in range(150):
    entry = querylog.Entry("2026", "staging", sys.argv[2], None, f"SELECT {number}", {}, 0.1, 1)
    querylog.note(Path(sys.argv[1]), lambda entry=entry: [entry])
"""


def test_many_kernels_write_at_once_and_nothing_is_lost(tmp_path):
    path = tmp_path / "log.db"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)]) for number in range(4)
    ]
    assert [each.wait(60) for each in writers] == [0] * 4
    found = querylog.last(path)
    for number in range(4):
        mine = [each.sql for each in found if each.file == str(number)]
        assert mine[::-1] == [f"SELECT {each}" for each in range(150)]


def test_a_log_that_another_program_holds_does_not_delay_a_cell(shell, log):
    run(shell, "%%analytics\nSELECT 0")
    entries(log)
    with closing(sqlite3.connect(log, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.perf_counter()
        run(shell, "%%analytics\nSELECT 1")
        assert time.perf_counter() - begun < 2 < storing.WAIT
        other.execute("ROLLBACK")
    assert [each.sql for each in entries(log)] == ["SELECT 0", "SELECT 1"]


def test_a_log_that_cannot_be_written_is_told_once_and_breaks_no_cell(shell, log, tmp_path):
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as con:
        con.execute("CREATE TABLE precious (x)")
    run(shell, f"%config Greynb.log_file = {str(other)!r}")
    said = []
    for number in range(3):
        said.append(run(shell, f"%%analytics\nSELECT {number} AS n").stderr)
        querylog.flush()
    assert "".join(said).count("is not written: the file is another database") == 1
    with closing(sqlite3.connect(other)) as con:
        assert [row[0] for row in con.execute("SELECT name FROM sqlite_schema")] == ["precious"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_forked_process_writes_its_own(tmp_path):
    path = tmp_path / "log.db"
    querylog.note(path, lambda: [an_entry("parent")])
    querylog.flush()
    pid = os.fork()
    if pid == 0:
        querylog.note(path, lambda: [an_entry("child")])
        querylog.flush()
        os._exit(0)
    os.waitpid(pid, 0)
    querylog.note(path, lambda: [an_entry("parent again")])
    querylog.flush()
    assert [each.sql for each in querylog.last(path)] == ["parent again", "child", "parent"]


def test_noting_a_cell_takes_the_cell_far_less_than_a_millisecond(tmp_path):
    path = tmp_path / "log.db"
    querylog.note(path, lambda: [an_entry("warm")])
    querylog.flush()
    taken = []
    for _ in range(200):
        begun = time.perf_counter()
        querylog.note(path, lambda: [an_entry("SELECT 1")])
        taken.append(time.perf_counter() - begun)
        threading.Event().wait(0.0005)
    assert sorted(taken)[100] < 0.001
