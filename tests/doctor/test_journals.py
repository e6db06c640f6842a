"""Faults of the log and the journal."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from greynb.databases.generations import generation_at
from greynb.doctor import treat
from tests.doctor.conftest import change, found, ids
from tests.publish.processes import holding, stop

CRASHING = """
import os, sqlite3, sys
con = sqlite3.connect(sys.argv[1], isolation_level=None)
con.execute("PRAGMA cache_size = 4")
con.execute("BEGIN IMMEDIATE")
con.execute("UPDATE odds_history SET odds_decimal = 0")
os._exit(9)
"""


def quiet(_line: str) -> None:
    """What the doctor tells is of no interest here."""


def test_staging_in_a_rollback_mode_is_a_warning_that_the_fix_mends(demo, look):
    change(demo.staging, "PRAGMA journal_mode = DELETE")
    examination = look()
    assert found(examination, "not-wal").level == "warning"
    treat(examination, quiet)
    with closing(sqlite3.connect(demo.staging)) as con:
        assert con.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert "not-wal" not in ids(look())


def test_a_writer_keeps_the_fix_away_and_is_named(demo, look):
    change(demo.staging, "PRAGMA journal_mode = DELETE")
    examination = look()
    writer = holding(demo.staging, "BEGIN IMMEDIATE")
    try:
        treated = {each.id: each for each in treat(examination, quiet)}
    finally:
        stop(writer)
    assert treated["not-wal"].outcome == "refused"
    assert str(writer.pid) in treated["not-wal"].said
    assert found(look(), "not-wal"), "nothing was changed"


@pytest.mark.slow
def test_an_exclusive_lock_makes_a_warning_and_no_hang(demo, look):
    change(demo.staging, "PRAGMA journal_mode = DELETE")
    writer = holding(demo.staging, "BEGIN EXCLUSIVE")
    try:
        examination = look()
    finally:
        stop(writer)
    finding = found(examination, "cannot-open")
    assert finding.role == "staging" and str(writer.pid) in finding.evidence[0]


@pytest.fixture
def long_log(demo):
    """Staging with a log of more than 64 MB, and a connection that keeps it."""
    with closing(sqlite3.connect(demo.staging, isolation_level=None)) as con:
        con.execute("PRAGMA wal_autocheckpoint = 0")
        con.execute("CREATE TABLE filler AS SELECT zeroblob(70000000) AS b")
        yield demo


def test_a_log_that_was_never_emptied_is_a_warning_that_the_fix_mends(long_log, look):
    examination = look()
    assert "MB" in found(examination, "long-log").evidence[0]
    treated = {each.id: each for each in treat(examination, quiet)}
    assert treated["long-log"].outcome == "done", treated["long-log"].said
    assert "takes 0.0 MB now" in treated["long-log"].said
    assert "long-log" not in ids(look())


def test_a_reader_of_the_log_keeps_the_fix_from_emptying_it_and_is_named(long_log, look):
    reader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sqlite3, sys, time; con = sqlite3.connect(sys.argv[1], isolation_level=None);"
            "con.execute('BEGIN'); con.execute('SELECT count(*) FROM dogs').fetchone();"
            "print('held', flush=True); time.sleep(60)",
            str(long_log.staging),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None and reader.stdout.readline() == "held\n"
    try:
        change(long_log.staging, "CREATE TABLE later (a)")
        treated = {each.id: each for each in treat(look(), quiet)}
    finally:
        stop(reader)
    assert treated["long-log"].outcome == "refused"
    assert f"reading: process {reader.pid}" in treated["long-log"].said


def test_a_hot_journal_is_an_error_and_neither_it_nor_the_file_is_touched(demo, look):
    change(demo.staging, "PRAGMA journal_mode = DELETE")
    done = subprocess.run([sys.executable, "-c", CRASHING, str(demo.staging)], check=False)
    assert done.returncode == 9
    journal = demo.staging.with_name(f"{demo.staging.name}-journal")
    before = demo.staging.read_bytes(), journal.read_bytes()
    examination = look()
    finding = found(examination, "hot-journal")
    assert finding.level == "error" and "never delete the journal" in finding.mend
    assert finding.fix is None
    assert "corrupt" not in ids(examination), "the copy that was examined is rolled back"
    assert (demo.staging.read_bytes(), journal.read_bytes()) == before
    change(demo.staging, "SELECT count(*) FROM sqlite_schema")
    assert "hot-journal" not in ids(look())


@pytest.mark.slow
def test_the_journal_of_a_living_writer_is_no_fault(demo, look):
    change(demo.staging, "PRAGMA journal_mode = DELETE")
    with closing(sqlite3.connect(demo.staging, isolation_level=None)) as con:
        con.execute("PRAGMA cache_size = 4")
        con.execute("BEGIN IMMEDIATE")
        con.execute("UPDATE odds_history SET odds_decimal = 0")
        assert "hot-journal" not in ids(look())
        con.execute("ROLLBACK")


def test_a_log_inside_the_published_version_is_an_error_that_a_publication_mends(demo, look):
    version = generation_at(demo.analytics).database
    version.chmod(0o644)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, sqlite3, sys; con = sqlite3.connect(sys.argv[1], isolation_level=None);"
            "con.execute('PRAGMA journal_mode = WAL'); con.execute('DELETE FROM dogs'); os._exit(9)",
            str(demo.analytics),
        ],
        check=False,
    )
    assert done.returncode == 9
    examination = look()
    finding = found(examination, "beside-analytics")
    assert finding.level == "error" and "greynb sync" in finding.mend
    assert any(line.startswith(f"{version}-wal") for line in finding.evidence)


def test_what_stands_beside_the_link_of_analytics_is_a_warning(demo, look):
    left = demo.analytics.with_name(f"{demo.analytics.name}-wal")
    left.write_bytes(b"")
    finding = found(look(), "beside-analytics")
    assert finding.level == "warning" and finding.mend.startswith(f"rm {left}")
