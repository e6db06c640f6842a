"""``greynb guard -- CMD``: a backup first, a comparison after it, the command's own exit code."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from greynb.errors import DatabaseLocked
from greynb.guarding.backups import backups
from greynb.guarding.block import guard
from greynb.guarding.restoring import restore
from tests.guarding.conftest import ROWS, change, greynb, rows, sql
from tests.publish.processes import holding, stop

WAITING = (
    "import signal, sys, time, pathlib\n"
    "def got(number, frame):\n"
    "    pathlib.Path('got').open('a').write(f'{number}\\n'); sys.exit(7)\n"
    "signal.signal(signal.SIGINT, got); signal.signal(signal.SIGTERM, got)\n"
    "pathlib.Path('ready').touch(); time.sleep(60)"
)


def test_rows_are_compared_per_table_and_the_exit_code_is_that_of_the_command(staging):
    done = greynb("guard", "--", *sql("INSERT INTO races VALUES (1000, 'NEW')", "CREATE TABLE dogs (x)"))
    assert done.returncode == 0
    assert f"races           {ROWS} →          {ROWS + 1}  +1" in done.stderr
    assert "dogs              – →            0  new" in done.stderr
    assert "1 tables with as many rows as before" in done.stderr
    assert "integrity_check: ok" in done.stderr and "go back" not in done.stderr


def test_a_failure_is_passed_on_and_the_command_that_goes_back_is_named_and_works(staging):
    before = rows(staging)
    done = greynb("guard", "--", *sql("DELETE FROM races WHERE id > 5", then="sys.exit(3)"))
    assert done.returncode == 3
    assert len(rows(staging)) == 6
    said = next(line for line in done.stderr.splitlines() if "to go back, run: " in line)
    command = shlex.split(said.partition("run: ")[2])
    assert command[0] == "greynb"
    assert greynb(*command[1:], cwd="/").returncode == 0
    assert rows(staging) == before


def test_a_failure_is_restored_at_once_where_that_was_asked_for(staging):
    before = rows(staging)
    done = greynb(
        "guard", "--restore-on-failure", "--", *sql("DELETE FROM odds", "DROP TABLE odds", then="sys.exit(3)")
    )
    assert done.returncode == 3
    assert rows(staging) == before and len(rows(staging, "odds")) == ROWS
    assert "to undo that, run: greynb guard restore" in done.stderr


@pytest.mark.parametrize("staging", ["WAL"], indirect=True)
def test_an_emptied_table_is_pointed_out_although_the_command_ended_well(staging):
    done = greynb("guard", "--restore-on-failure", "--", *sql("DELETE FROM odds"))
    assert done.returncode == 0
    assert "odds: all rows are gone" in done.stderr and "to go back, run" in done.stderr
    assert rows(staging, "odds") == [], "the command has succeeded: that is for a person to decide"


@pytest.mark.parametrize("staging", ["WAL"], indirect=True)
def test_a_command_that_fails_without_writing_offers_nothing(staging):
    done = greynb("guard", "--restore-on-failure", "--", *sql(then="sys.exit(4)"))
    assert done.returncode == 4
    assert "nothing was written" in done.stderr and "go back" not in done.stderr


@pytest.mark.parametrize("staging", ["DELETE"], indirect=True)
def test_a_database_that_the_command_damages_is_noticed_and_can_be_restored(staging):
    before = rows(staging)
    damage = (
        "import os; f = open(os.environ['STAGING_DB_PATH'], 'r+b'); f.seek(4096 * 2 + 8);"
        " f.write(b'\\xff' * 900); f.close()"
    )
    done = greynb("guard", "--", sys.executable, "-c", damage)
    assert done.returncode == 5 and "the database is damaged" in done.stderr
    assert greynb("guard", "restore").returncode == 0
    assert rows(staging) == before
    done = greynb("guard", "--restore-on-failure", "--", sys.executable, "-c", damage)
    assert done.returncode == 0 and rows(staging) == before


@pytest.mark.parametrize("staging", ["DELETE"], indirect=True)
def test_a_damaged_database_is_not_guarded_and_the_command_not_run(staging):
    with staging.open("r+b") as file:
        file.seek(4096 * 2 + 8)
        file.write(b"\xff" * 900)
    done = greynb("guard", "--", sys.executable, "-c", "open('ran', 'w')")
    assert done.returncode == 1 and "damaged already" in done.stderr
    assert not Path("ran").exists()


@pytest.mark.parametrize("staging", ["WAL"], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_the_command_once_and_the_comparison_is_made_all_the_same(number, staging):
    guard = subprocess.Popen(
        [sys.executable, "-m", "greynb", "guard", "--", sys.executable, "-c", WAITING],
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # without the terminal that the tests may run on
        stderr=subprocess.PIPE,
        text=True,
    )
    _wait_for(Path("ready"))
    guard.send_signal(number)
    _, said = guard.communicate(timeout=30)
    assert guard.returncode == 7
    assert Path("got").read_text().splitlines() == [str(int(number))]
    assert "nothing was written" in said


@pytest.mark.parametrize("staging", ["WAL"], indirect=True)
def test_a_file_that_the_command_overwrote_is_damage_and_comes_back_once_it_is_moved_away(staging):
    before = rows(staging)
    program = "import os; open(os.environ['STAGING_DB_PATH'], 'w').write('x' * 9000); raise SystemExit(6)"
    done = greynb("guard", "--restore-on-failure", "--", sys.executable, "-c", program)
    assert done.returncode == 6 and "not a SQLite database" in done.stderr
    assert "not restored" in done.stderr and f"move {staging} and its -wal away" in done.stderr
    for each in staging.parent.glob("stage.db*"):
        each.rename(f"{each}.away")
    assert greynb("guard", "restore").returncode == 0
    assert rows(staging) == before


@pytest.mark.parametrize("staging", ["WAL"], indirect=True)
def test_a_program_that_the_system_cannot_run_is_said_so(staging):
    script = staging.with_name("script")
    script.write_bytes(b"\x00")
    script.chmod(0o700)
    done = greynb("guard", "--", "./script")
    assert done.returncode == 1 and "could not be run" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("staging", ["DELETE"], indirect=True)
def test_a_database_that_stays_locked_after_the_command_is_not_compared(staging, monkeypatch):
    monkeypatch.setattr("greynb.databases.copying.LOCK_TIMEOUT", 0.1)
    said: list[str] = []
    guarded = guard("x", show=said.append)
    guarded.begin()
    change(staging, "DELETE FROM odds WHERE race_id = 1")
    other = holding(staging, "BEGIN EXCLUSIVE")
    try:
        found = guarded.end("it failed")
    finally:
        stop(other)
    assert found.problem and found.reasons == ("it failed",)
    assert "not compared" in said[1] and "to go back" in said[-1]


@pytest.mark.parametrize("staging", ["WAL"], indirect=True)
def test_a_command_that_a_signal_ends_gives_the_exit_code_that_shells_give(staging):
    done = greynb("guard", "--", sys.executable, "-c", "import os; os.kill(os.getpid(), 9)")
    assert done.returncode == 137


@pytest.mark.parametrize("staging", ["WAL"], indirect=True)
def test_on_a_terminal_ctrl_c_arrives_once_and_the_restoration_is_a_question(staging):
    before = rows(staging)
    program = sql("DELETE FROM races WHERE id = 1")[-1] + "\n" + WAITING
    pid, terminal = pty.fork()
    if pid == 0:
        words = [sys.executable, "-m", "greynb", "guard", "--", sys.executable, "-c", program]
        os.execv(sys.executable, words)
    _wait_for(Path("ready"))
    os.write(terminal, b"\x03")
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(terminal, 4096)
    assert len(rows(staging)) == ROWS - 1
    os.write(terminal, b"y\n")
    try:
        while chunk := os.read(terminal, 4096):
            shown += chunk
    except OSError:
        pass  # the terminal's other end is closed
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    os.close(terminal)
    assert Path("got").read_text().splitlines() == ["2"]
    assert rows(staging) == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists who has a file open")
def test_a_program_that_writes_only_now_and_then_is_named_before_the_way_back(staging):
    rare = holding(staging, "INSERT INTO races VALUES (9000, 'RARE')")
    try:
        done = greynb("guard", "--", *sql("DELETE FROM odds"))
        assert done.returncode == 0 and "all rows are gone" in done.stderr
        assert f"open for writing elsewhere, by process {rare.pid}" in done.stderr
        assert f"by process {rare.pid}" in greynb("guard", "restore").stderr
    finally:
        stop(rare)
    assert "elsewhere" not in greynb("guard", "restore").stderr


def test_a_restoration_never_pushes_a_writer_aside(staging):
    program = sql("DELETE FROM races WHERE id = 1", then="sys.exit(3)")
    assert greynb("guard", "--", *program).returncode == 3
    writer = holding(staging, "BEGIN IMMEDIATE")
    try:
        with pytest.raises(DatabaseLocked, match=f"process {writer.pid}"):
            restore(backups(staging)[0], timeout=0.3)
    finally:
        stop(writer)
    assert len(rows(staging)) == ROWS - 1


@pytest.mark.parametrize("staging", ["WAL"], indirect=True)
def test_backups_are_listed_with_time_label_sha256_and_rows(staging):
    greynb("guard", "--label", "July / first", "--", "true")
    listed = greynb("guard", "list").stdout
    assert "July / first" in listed and f"{2 * ROWS} rows in 2 tables" in listed
    (found,) = json.loads(greynb("guard", "list", "--json").stdout)
    assert found["id"].endswith("-July-first") and found["rows"] == {"odds": ROWS, "races": ROWS}
    copy = Path(found["folder"], "database.db").read_bytes()
    assert hashlib.sha256(copy).hexdigest() == found["sha256"]


@pytest.mark.parametrize("staging", ["WAL"], indirect=True)
@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["--", "no-such-program"], "no program no-such-program", 1),
        (["--"], "no command", 1),
        (["true"], "comes after --", 2),
        (["--role", "analytics", "--", "true"], "greynb history", 2),
        (["restore", "nonsense"], "no backup nonsense", 1),
        (["restore", "nonsense"], "chosen by STAGING_DB_PATH", 1),
        (["restore", "/tmp/nonsense"], "is no backup", 1),
    ],
)
def test_wrong_calls_say_what_to_do_and_make_no_backup(words, said, code, staging, capsys):
    from greynb.cli import main

    assert main(["guard", *words]) == code
    assert said in capsys.readouterr().err
    assert not list(staging.parent.glob(".*"))


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
