"""``greynb migrate``: one database becomes two, and two become one, with nothing lost on the way."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections import namedtuple
from contextlib import closing
from pathlib import Path

import pytest

from greynb.cli import main
from greynb.databases import copying
from greynb.errors import DatabaseError, UnreadableDatabase, UsageError
from greynb.migration.contents import content_of
from greynb.migration.migrating import migrate
from greynb.migration.plan import plan_single, plan_two
from greynb.routing import Settings
from tests.guarding.conftest import change
from tests.migration.conftest import ENV, check_two, digests, make
from tests.publish.processes import (
    balance,
    booking,
    crash_in_transaction,
    make_books,
    stop,
    wait_until_changed,
)


def two(original: Path, **options: Path):
    plan = plan_two(
        original, options.get("staging"), options.get("analytics"), Settings.from_environ({}, original.parent)
    )
    return migrate(plan, mirror=False)


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_one_database_becomes_two_that_hold_the_same_and_stays_as_it_was(mode, original, capsys):
    change(original, f"PRAGMA journal_mode = {mode}")
    before = digests(original.parent, original.name)
    assert main(["migrate", "--from", original.name, "--yes"]) == 0
    shown = capsys.readouterr().out
    assert "2 tables, equal to" in shown and "gen-000001" in shown
    assert digests(original.parent, original.name) == before
    check_two(original)


def test_a_log_that_nobody_has_taken_in_is_migrated_and_left_as_it_is(original):
    program = (
        "import os, sqlite3, sys; con = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "con.execute('PRAGMA journal_mode = WAL'); con.execute('DELETE FROM races WHERE id = 3'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, str(original)], check=True)
    log = original.with_name(f"{original.name}-wal")
    before = original.read_bytes(), log.read_bytes()
    two(original)
    assert (original.read_bytes(), log.read_bytes()) == before and before[1]
    with closing(sqlite3.connect(original.with_name("greyhound_racing_data_stage.db"))) as con:
        assert con.execute("SELECT count(*) FROM races").fetchone() == (199,)


def test_a_database_that_a_killed_program_left_half_written_is_not_mended_but_refused(tmp_path):
    books = make_books(tmp_path / "books.db")
    crash_in_transaction(books)
    assert books.with_name("books.db-journal").stat().st_size
    before = digests(tmp_path, "books.db")
    with pytest.raises(UnreadableDatabase, match="journal"):
        two(books)
    assert digests(tmp_path, "books.db") == before
    assert not (tmp_path / "greyhound_racing_data_stage.db").exists()


def test_another_original_is_not_taken_for_the_one_that_was_migrated(original):
    two(original)
    other = original.with_name("other.db")
    make(other)
    change(other, "DELETE FROM odds")
    with pytest.raises(UsageError, match="holds something else"):
        two(other, staging=original.with_name("greyhound_racing_data_stage.db"))


def test_the_env_file_keeps_all_that_was_in_it_its_mode_and_a_copy(original):
    two(original)
    env = original.with_name(".env")
    assert env.read_text().startswith(ENV)
    assert env.read_text()[len(ENV) :].splitlines() == [
        f"STAGING_DB_PATH={original.with_name('greyhound_racing_data_stage.db')}",
        f"ANALYTICS_DB_PATH={original.with_name('greyhound_racing_data_analytics.db')}",
    ]
    kept = original.with_name(".env.before-migrate")
    assert kept.read_text() == ENV
    assert env.stat().st_mode & 0o777 == kept.stat().st_mode & 0o777 == 0o640


def test_a_dry_run_shows_the_plan_and_writes_nothing(original, capsys):
    before = sorted(original.parent.rglob("*")), digests(original.parent, "")
    assert main(["migrate", "--from", original.name, "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "copy" in shown and "publish" in shown and "STAGING_DB_PATH=" in shown
    assert "GREYHOUND_DB_PATH stays" in shown
    assert (sorted(original.parent.rglob("*")), digests(original.parent, "")) == before


def test_nothing_is_done_without_yes_where_nobody_can_be_asked(original, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["migrate", "--from", original.name]) == 1
    assert "--yes" in capsys.readouterr().err
    assert not original.with_name("greyhound_racing_data_stage.db").exists()


def test_a_second_run_says_that_it_is_done_and_changes_nothing(original):
    first = two(original)
    before = digests(original.parent, ".env"), content_of(first.plan.target)
    again = two(original)
    assert again.already and str(again).startswith("done already")
    change(first.plan.target, "DELETE FROM odds")  # staging is in use now
    assert two(original).already
    assert digests(original.parent, ".env") == before[0]


def test_whoever_goes_on_writing_to_the_original_is_told_of(original):
    two(original)
    change(original, "DELETE FROM odds WHERE race_id = 1")
    (notice,) = [each for each in two(original).notices if "written to" in each]
    assert "(odds)" in notice
    assert "not in greyhound_racing_data_stage.db" in notice


def test_a_file_that_is_there_already_is_never_overwritten(original):
    staging = original.with_name("greyhound_racing_data_stage.db")
    make(staging)
    change(staging, "DELETE FROM odds WHERE race_id = 3")
    before = digests(original.parent, "")
    with pytest.raises(UsageError, match=r"(?s)holds something else.*differing: odds"):
        two(original)
    staging.unlink()
    original.with_name("greyhound_racing_data_analytics.db").write_bytes(b"precious")
    with pytest.raises(UsageError, match="analytics file is there already"):
        two(original)
    assert not staging.exists()
    original.with_name("greyhound_racing_data_analytics.db").unlink()
    original.with_name("greyhound_racing_data_stage.db-wal").write_bytes(b"of another life")
    with pytest.raises(UsageError, match="would apply it"):
        two(original)
    assert digests(original.parent, original.name)[original.name] == before[original.name]
    assert original.with_name(".env").read_text() == ENV


def test_a_copy_that_is_there_already_and_equal_is_used(original):
    make(original.with_name("greyhound_racing_data_stage.db"))
    two(original)
    settings = Settings.from_environ({}, original.parent)
    assert content_of(settings.route("analytics").path) == content_of(original)


def test_two_roles_cannot_be_planned_into_one_file(original):
    with pytest.raises(UsageError, match="are one file"):
        two(original, staging=original)
    with pytest.raises(UsageError, match="are one file"):
        two(original, staging=Path("new.db"), analytics=Path("new.db"))
    with pytest.raises(UsageError, match="folder does not exist"):
        two(original, staging=Path("nowhere/new.db"))


def test_staging_that_is_given_as_the_one_database_is_told_to_be_staging_already(original):
    staging = two(original).plan.target
    with pytest.raises(UsageError, match=r"(?s)new staging are one file.*greynb sync"):
        two(staging)


def test_a_full_disk_is_noticed_before_anything_is_written(original, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(copying.shutil, "disk_usage", lambda _: usage(0, 0, 1000))
    before = set(original.parent.iterdir())
    with pytest.raises(DatabaseError, match="MB are needed"):
        two(original)
    assert set(original.parent.iterdir()) == before


def test_a_variable_of_the_environment_that_goes_before_the_file_is_named(original, monkeypatch, capsys):
    monkeypatch.setenv("STAGING_DB_PATH", str(original))
    assert main(["migrate", "--from", original.name, "--dry-run"]) == 0
    assert "STAGING_DB_PATH is set in this environment" in capsys.readouterr().out


@pytest.mark.parametrize("wal", [True, False])
def test_writers_go_on_while_their_database_is_migrated(wal, tmp_path):
    books = make_books(tmp_path / "books.db", wal=wal, rows=50)
    writer = booking(books, pause=0.001 if wal else 0.5)
    try:
        wait_until_changed(books, 0)
        done = two(books)
        assert balance(done.plan.target) == balance(done.plan.analytics) == 0
        assert writer.poll() is None
        wait_until_changed(books, 0)
    finally:
        stop(writer)


def test_two_databases_become_one_again_and_both_stay(original, capsys):
    done = two(original)
    change(done.plan.target, "DELETE FROM odds WHERE race_id = 5")
    before = digests(original.parent, done.plan.target.name)
    one = original.with_name("one.db")
    assert main(["migrate", "--to-single", "one.db", "--yes"]) == 0
    settings = Settings.from_environ({}, original.parent)
    assert settings.route("staging").path == settings.route("analytics").path == one
    assert settings.route("staging").mode == "single"
    assert content_of(one) == content_of(done.plan.target)
    assert digests(original.parent, done.plan.target.name) == before
    assert main(["migrate", "--to-single", "one.db", "--yes"]) == 0
    assert "done already" in capsys.readouterr().out
    assert f"# STAGING_DB_PATH={done.plan.target}" in original.with_name(".env").read_text()


def test_going_back_to_a_file_that_has_fallen_behind_is_refused(original):
    done = two(original)
    change(done.plan.target, "DELETE FROM odds")
    with pytest.raises(UsageError, match="holds something else"):
        migrate(plan_single(original, Settings.from_environ({}, original.parent)))


def test_going_back_to_the_original_that_still_holds_the_same_only_changes_the_names(original):
    two(original)
    before = digests(original.parent, original.name)
    migrate(plan_single(original, Settings.from_environ({}, original.parent)))
    assert Settings.from_environ({}, original.parent).route("analytics").path == original
    assert digests(original.parent, original.name) == before
    two(original)  # and forth again
    check_two(original)
