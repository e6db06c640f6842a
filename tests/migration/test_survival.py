"""A migration that is killed at any step goes on with the next run."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from greynb.errors import DatabaseError, UsageError
from greynb.migration.contents import content_of
from greynb.migration.journal import migrating
from greynb.migration.migrating import migrate
from greynb.migration.plan import plan_single, plan_two
from greynb.routing import Settings
from tests.guarding.conftest import change
from tests.migration.conftest import ENV, check_two, digests

CHANGES = ("os.rename", "os.link", "os.symlink", "os.remove")


def killed_at(number: int, work: Callable[[], object]) -> int:
    """Do the work in a process that is killed, as by ``kill -9``, before its n-th change of a file's name.

    Gives the number of changes that were made: smaller than asked for where the work was done before.
    """
    read, written = os.pipe()
    child = os.fork()
    if child == 0:
        seen = 0

        def watch(event: str, _arguments: object) -> None:
            nonlocal seen
            if event in CHANGES:
                seen += 1
                if seen == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        try:
            work()
            os.write(written, str(seen).encode())
        finally:
            os._exit(0)
    os.close(written)
    _, status = os.waitpid(child, 0)
    with os.fdopen(read) as told:
        text = told.read()
    assert text or os.waitstatus_to_exitcode(status) == -signal.SIGKILL, "the work failed"
    return int(text) if text else number


def fresh(template: dict[str, bytes], folder: Path) -> Path:
    folder.mkdir()
    for name, content in template.items():
        (folder / name).write_bytes(content)
    return folder / "greyhound_racing_data.db"


def two(original: Path) -> object:
    settings = Settings.from_environ({}, original.parent)
    return migrate(plan_two(original, None, None, settings), mirror=False)


@pytest.mark.slow
def test_a_migration_killed_before_any_change_of_a_name_goes_on(original, tmp_path):
    template = {each.name: each.read_bytes() for each in original.parent.iterdir()}
    number = 0
    while True:
        number += 1
        each = fresh(template, tmp_path / f"killed-{number}")
        made = killed_at(number, lambda each=each: two(each))
        before = digests(each.parent, each.name)
        # .env still names the original, or all is there.
        if (each.parent / ".env").read_text() == ENV:
            assert Settings.from_environ({}, each.parent).route("staging").path == each
        else:
            check_two(each)
        assert killed_at(10_000, lambda each=each: two(each)) < 10_000, f"killed at {number}"
        check_two(each)
        assert digests(each.parent, each.name) == before
        assert not list(each.parent.glob(".*.migration/copy.db*"))
        assert (each.parent / ".env.before-migrate").read_text() == ENV
        if made < number:
            break
    assert number > 15


def test_going_back_killed_before_any_change_of_a_name_goes_on(original, tmp_path):
    for number in range(1, 100):
        folder = tmp_path / f"killed-{number}"
        each = fresh({each.name: each.read_bytes() for each in original.parent.iterdir()}, folder)
        (folder / ".env").write_text(f"STAGING_DB_PATH={each}\n")

        def back(folder: Path = folder) -> object:
            return migrate(plan_single(folder / "one.db", Settings.from_environ({}, folder)))

        made = killed_at(number, back)
        assert killed_at(10_000, back) < 10_000
        assert content_of(folder / "one.db") == content_of(each)
        assert Settings.from_environ({}, folder).route("analytics").path == folder / "one.db"
        if made < number:
            return
    pytest.fail("it never ended")


@pytest.mark.parametrize("step", ["copy", "hash", "verify copy", "place", "check", "verify analytics", "env"])
def test_a_migration_killed_inside_a_step_goes_on(step, original):
    def work() -> None:
        def told(name: str, part: float) -> None:
            if name == step:
                os.kill(os.getpid(), signal.SIGKILL)

        settings = Settings.from_environ({}, original.parent)
        migrate(plan_two(original, None, None, settings), mirror=False, progress=told)

    assert killed_at(10_000, work) == 10_000, "it was not killed"
    assert original.with_name(".env").read_text() == ENV
    change(original, "DELETE FROM odds WHERE race_id = 1")  # its writers have gone on meanwhile
    placed = original.with_name("greyhound_racing_data_stage.db").exists()
    assert placed == (step in ("check", "verify analytics", "env"))
    two(original)
    check_two(original)


def test_staging_that_was_written_to_after_a_kill_is_not_thrown_away(original):
    staging = original.with_name("greyhound_racing_data_stage.db")

    def work() -> None:
        def told(name: str, part: float) -> None:
            if name == "check":
                os.kill(os.getpid(), signal.SIGKILL)

        settings = Settings.from_environ({}, original.parent)
        migrate(plan_two(original, None, None, settings), mirror=False, progress=told)

    killed_at(10_000, work)
    change(staging, "INSERT INTO races VALUES (9999, 'ours')")
    with pytest.raises(UsageError, match="holds something else"):
        two(original)
    with closing(sqlite3.connect(staging)) as con:
        assert con.execute("SELECT venue FROM races WHERE id = 9999").fetchone() == ("ours",)


def test_only_one_migration_to_a_file_is_at_work(original):
    begun = time.monotonic()
    with (
        migrating(original.with_name("greyhound_racing_data_stage.db")),
        pytest.raises(DatabaseError, match="another migration"),
    ):
        two(original)
    assert time.monotonic() - begun < 5
