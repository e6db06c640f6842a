"""``greynb optimize``: smaller and quicker, with nobody's rows changed and nobody disturbed."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from greynb.cli import main
from greynb.doctor.optimizing import optimize
from greynb.errors import DatabaseError, DatabaseLocked, MissingDatabase, WriteRefused
from tests.doctor.conftest import change
from tests.doctor.test_fixing import rows
from tests.doctor.test_machine import small_disk  # noqa: F401  # a fixture
from tests.publish.processes import holding, stop

FILLER = ("CREATE TABLE filler AS SELECT zeroblob(6000000) AS b", "DROP TABLE filler")


def settle(path: Path) -> None:
    """Make a file look as if nobody had written for long."""
    for each in (path, path.with_name(f"{path.name}-wal")):
        if each.exists():
            os.utime(each, (time.time() - 3600, time.time() - 3600))


def test_free_space_is_given_back_statistics_are_made_and_no_row_changes(demo):
    change(demo.staging, *FILLER)
    before = rows(demo.staging)
    done = optimize(demo.staging)
    assert done.before - done.after > 5_900_000
    assert done.after == demo.staging.stat().st_size
    outcomes = {each.name: each.outcome for each in done.steps}
    assert outcomes == dict.fromkeys(
        ["PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "ANALYZE", "PRAGMA optimize"], "done"
    )
    assert rows(demo.staging) == before
    with closing(sqlite3.connect(demo.staging)) as con:
        assert con.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert con.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert con.execute("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'dog_race_data'").fetchone()[0]


def test_vacuum_is_skipped_where_it_does_not_pay_and_says_so(demo):
    vacuum = next(each for each in optimize(demo.staging).steps if each.name == "VACUUM")
    assert vacuum.outcome == "skipped" and "would not pay" in vacuum.said


def test_a_dry_run_changes_nothing_and_says_what_would_be_done(demo, capsys):
    change(demo.staging, *FILLER)
    before = demo.staging.read_bytes()
    assert main(["optimize", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "VACUUM" in shown and "planned: saves 6.0 MB" in shown
    assert demo.staging.read_bytes() == before


def test_a_database_in_a_rollback_mode_is_optimized_too(demo):
    change(demo.staging, "PRAGMA journal_mode = DELETE", *FILLER)
    done = optimize(demo.staging)
    assert done.before - done.after > 5_900_000
    assert {each.outcome for each in done.steps if "checkpoint" in each.name} == {"skipped"}


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_running_writer_is_named_and_nothing_is_done(mode, demo, capsys):
    change(demo.staging, f"PRAGMA journal_mode = {mode}", *FILLER)
    writer = holding(demo.staging, "BEGIN IMMEDIATE")
    before = demo.staging.read_bytes()
    try:
        settle(demo.staging)
        assert main(["optimize"]) == 1
    finally:
        stop(writer)
    assert f"writing: process {writer.pid}" in capsys.readouterr().err
    assert demo.staging.read_bytes() == before


def test_a_writer_between_two_commits_is_a_running_writer(demo):
    ingest = holding(demo.staging, "DELETE FROM live_odds")
    try:
        with pytest.raises(DatabaseLocked, match=f"open for writing: process {ingest.pid}"):
            optimize(demo.staging)
        settle(demo.staging)
        assert optimize(demo.staging).steps, "it has written nothing for long"
    finally:
        stop(ingest)


def test_the_published_file_is_never_optimized_in_place(demo, monkeypatch, capsys):
    before = demo.analytics.read_bytes()
    with pytest.raises(WriteRefused):
        optimize(demo.analytics)
    monkeypatch.setenv("STAGING_DB_PATH", str(demo.analytics))
    assert main(["optimize"]) == 1
    assert "published version" in capsys.readouterr().err
    assert demo.analytics.read_bytes() == before


def test_a_missing_file_is_not_created(demo):
    path = demo.staging.with_name("new.db")
    with pytest.raises(MissingDatabase):
        optimize(path)
    assert not path.exists()


def test_a_reader_goes_on_reading_and_is_named_where_it_keeps_the_log(demo):
    change(demo.staging, *FILLER)
    with closing(sqlite3.connect(demo.staging, isolation_level=None)) as con:
        con.execute("BEGIN")
        before = con.execute("SELECT count(*) FROM dogs").fetchone()
        done = optimize(demo.staging)
        assert con.execute("SELECT count(*) FROM dogs").fetchone() == before
    last = done.steps[-1]
    assert "not emptied" in last.said and f"reading: process {os.getpid()}" in last.said


def test_a_disk_without_room_for_the_copy_is_refused_before_vacuum(demo, small_disk):  # noqa: F811
    staging = small_disk / "stage.db"
    shutil.copy(demo.staging, staging)
    change(staging, *FILLER)
    before = staging.read_bytes()
    with pytest.raises(DatabaseError, match="MB are needed"):
        optimize(staging)
    assert staging.read_bytes() == before


# Ctrl-C once SQLite's temporary file, which has no name in any folder, holds a megabyte of the copy.
STOPPED_IN_VACUUM = """
import os, signal, sys, threading, time
from pathlib import Path
from greynb.cli import main

def size(descriptor):
    try:
        return os.fstat(int(descriptor.name)).st_size if "etilqs" in os.readlink(descriptor) else 0
    except OSError:
        return 0

def stop():
    while not any(size(each) > 1_000_000 for each in Path("/proc/self/fd").iterdir()):
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=stop, daemon=True).start()
sys.exit(main(["optimize"]))
"""


@pytest.mark.slow
def test_ctrl_c_in_the_middle_of_vacuum_leaves_the_file_as_it_was(demo):
    with closing(sqlite3.connect(demo.staging)) as con:
        con.execute("CREATE TABLE wide AS SELECT randomblob(400) AS a FROM odds_history, dogs LIMIT 500000")
        con.execute("CREATE TABLE filler AS SELECT zeroblob(60000000) AS b")
        con.execute("DROP TABLE filler")
        con.execute("CREATE INDEX wide_a ON wide (a)")
        con.execute("CREATE TABLE other AS SELECT zeroblob(80000000) AS b")
        con.execute("DROP TABLE other")
        con.commit()
    change(demo.staging, "PRAGMA wal_checkpoint(TRUNCATE)")
    size = demo.staging.stat().st_size
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_IN_VACUUM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 130, done.stdout + done.stderr
    assert "interrupted" in done.stderr
    assert demo.staging.stat().st_size == size
    with closing(sqlite3.connect(demo.staging)) as con:
        assert con.execute("SELECT count(*) FROM wide").fetchone() == (500_000,)
        assert con.execute("PRAGMA quick_check").fetchone() == ("ok",)
    assert not [each for each in demo.staging.parent.iterdir() if each.name.startswith("etilqs")]


def test_the_result_for_machines_has_sizes_before_and_after_each_step(demo, capsys):
    change(demo.staging, *FILLER)
    assert main(["optimize", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["before"] > told["after"] and told["dry_run"] is False
    assert {"name", "outcome", "said", "before", "after", "seconds"} == set(told["steps"][0])
