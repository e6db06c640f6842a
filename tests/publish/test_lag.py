"""The lag: zero when nothing is missing, never smaller than the truth, and found without a trace."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from greynb.databases.generations import home_of
from greynb.publish import sync
from greynb.publish.confirmed import CONFIRMED, confirmed, still_confirmed
from greynb.publish.lag import NO_STAGING, NOT_PUBLISHED, Lag, lag
from greynb.publish.outside import look, look_before_copying
from greynb.publish.versions import rollback
from tests.publish.processes import make_books


@pytest.fixture(params=["WAL", "DELETE"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return make_books(tmp_path / "stage.db", wal=request.param == "WAL")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


def commit(path: Path) -> None:
    with closing(sqlite3.connect(path)) as con:
        con.execute("UPDATE debit SET amount = amount + 1")
        con.commit()


def test_after_a_publication_nothing_is_behind(stage, target):
    sync(stage, target)
    found = lag(stage, target)
    assert found.seconds == 0
    assert not found.is_beyond(0.001)
    assert str(found) == "nothing behind staging"


def test_a_commit_after_the_publication_is_behind_by_at_most_the_time_since_then(stage, target):
    before = time.time()
    sync(stage, target)
    time.sleep(0.2)
    commit(stage)
    committed = time.time()
    time.sleep(0.2)
    found = lag(stage, target)
    now = time.time()
    assert found.at_least <= now - committed + 0.05
    assert now - committed - 0.05 <= found.seconds <= now - before
    assert found.at_least >= 0.1
    assert found.is_beyond(0.1)
    assert str(found).startswith("behind staging by at most 0.")


def test_what_had_not_changed_a_moment_ago_is_behind_by_that_moment_only(stage, target):
    sync(stage, target)
    time.sleep(0.5)
    still_confirmed(target, look(stage))
    commit(stage)
    assert lag(stage, target).seconds < 0.4


def test_a_look_at_changed_staging_confirms_nothing(stage, target):
    sync(stage, target)
    before = confirmed(target)
    commit(stage)
    still_confirmed(target, look(stage))
    assert confirmed(target) == before
    assert lag(stage, target).seconds > 0


def test_a_commit_in_the_log_of_an_open_connection_counts(tmp_path, target):
    stage = make_books(tmp_path / "stage.db", wal=True)
    with closing(sqlite3.connect(stage, isolation_level=None)) as con:
        con.execute("UPDATE debit SET amount = 1")
        sync(stage, target)
        assert lag(stage, target).seconds == 0
        con.execute("UPDATE debit SET amount = 2")
        assert lag(stage, target).seconds > 0


def test_many_commits_at_once_are_each_seen_after_a_look_before_copying(stage):
    """The look waits for the file system's clock, so that no later commit can carry the same time."""
    with closing(sqlite3.connect(stage, isolation_level=None)) as con:
        for number in range(40):
            con.execute("UPDATE debit SET amount = ? WHERE id = 0", (number,))
            seen = look_before_copying(stage)
            assert look(stage) == seen
            con.execute("UPDATE debit SET amount = -1 WHERE id = 0")
            assert look(stage) != seen


def test_a_version_that_was_rolled_back_to_lacks_what_came_after_it(stage, target):
    sync(stage, target)
    time.sleep(0.05)
    commit(stage)
    sync(stage, target)
    assert lag(stage, target).seconds == 0
    rollback(target)
    assert lag(stage, target).seconds > 0
    still_confirmed(target, look(stage))
    assert lag(stage, target).seconds > 0


def test_without_the_note_the_manifest_answers(tmp_path, target):
    stage = make_books(tmp_path / "stage.db")
    sync(stage, target)
    (home_of(target) / CONFIRMED).write_text("{", encoding="utf-8")
    assert confirmed(target) is None
    assert lag(stage, target).seconds == 0
    time.sleep(0.05)
    commit(stage)
    assert lag(stage, target).seconds > 0


def test_a_failed_publication_notes_nothing(stage, target):
    sync(stage, target)
    before = confirmed(target)
    stage.write_bytes(b"no database" * 1000)
    with pytest.raises(Exception, match="not a SQLite"):
        sync(stage, target)
    assert confirmed(target) == before
    assert lag(stage, target).seconds > 0


@pytest.mark.parametrize("state", ["nothing", "no staging", "a plain copy", "written through the link"])
def test_what_cannot_be_known_is_beyond_every_limit(state, stage, target):
    if state == "a plain copy":
        shutil.copy(stage, target)
    if state in ("no staging", "written through the link"):
        sync(stage, target)
    if state == "no staging":
        stage.unlink()
    if state == "written through the link":
        target.resolve().chmod(0o644)
        target.write_bytes(stage.read_bytes())
    found = lag(stage, target)
    assert found.seconds is None
    assert found.unknown == (NO_STAGING if state == "no staging" else NOT_PUBLISHED)
    assert found.is_beyond(1e9)
    assert str(found) == f"lag unknown: {found.unknown}"


def test_one_file_for_both_roles_is_never_behind(stage):
    commit(stage)
    assert lag(stage, stage).seconds == 0


def test_looking_leaves_no_file_beside_staging_and_no_lock_lost(stage, target):
    sync(stage, target)
    with closing(sqlite3.connect(stage, isolation_level=None)) as con:
        con.execute("BEGIN IMMEDIATE")
        con.execute("UPDATE debit SET amount = 5")
        lag(stage, target)
        look_before_copying(stage)
        other = holding_refused(stage)
        con.execute("ROLLBACK")
    assert other, "another process got the lock that this one holds"
    lag(stage, target)
    assert {each.name for each in stage.parent.iterdir()} == {"stage.db", "analytics.db", ".analytics"}


def holding_refused(stage: Path) -> bool:
    """Whether another process is refused a write lock."""
    program = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"
    done = subprocess.run([sys.executable, "-c", program, str(stage)], capture_output=True, text=True)
    return "database is locked" in done.stderr


def test_a_lag_goes_into_json_and_back():
    assert Lag(None, unknown="why").as_dict() == {
        "seconds": None,
        "at_least": 0.0,
        "until": None,
        "written": None,
        "unknown": "why",
    }
