"""Archiving and restoring are killed, with SIGKILL, before and after each step they take on the disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from greynb.archive import archive, restore
from tests.archive.files import ask, change, make_staging, whole
from tests.archive.test_moving import BEFORE

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no fork and no SIGKILL")

STEPS = """
import datetime as dt, os, signal, sys
from pathlib import Path
from greynb.archive import archive, archiving, files, journal, restore, restoring, tables, working
from greynb.databases import sqlite

staging, folder, what = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
count, number = 0, -1


def step():
    global count
    count += 1
    if count == number:
        os.kill(os.getpid(), signal.SIGKILL)


def stepped(module, name):
    real = getattr(module, name)

    def call(*arguments, **more):
        step()
        result = real(*arguments, **more)
        step()
        return result

    setattr(module, name, call)


for module, names in (
    (journal, ["make", "note", "turn", "forget", "finish"]),
    (files, ["write", "sync_file", "read"]),
    (archiving, ["sync_folder", "_deleted"]),
    (journal, ["sync_folder"]),
    (tables, ["take", "rows", "remember"]),
    (restoring, ["_insert", "_put_back"]),
):
    for name in names:
        stepped(module, name)
archiving.AT_ONCE = 20

def work():
    if what == "archive":
        archive(staging, "odds_history", "timestamp", dt.date(2023, 7, 1), folder)
    else:
        restore(staging, folder)


# One child per step: it is killed there; the parent gives each a copy of the files of before.
import shutil
for number in range(1, 10_000):
    for path in (staging, folder):
        place = path.parent.parent / str(number) / path.name
        place.parent.mkdir(exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, place)
        elif path.exists():
            shutil.copy(path, place)
    pid = os.fork()
    if pid == 0:
        staging = staging.parent.parent / str(number) / staging.name
        folder = folder.parent.parent / str(number) / folder.name
        work()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status):
        sys.exit(os.WEXITSTATUS(status))
"""


def killed(tmp_path: Path, staging: Path, folder: Path, what: str) -> list[Path]:
    """One folder for each step, each as a kill at that step left it."""
    done = subprocess.run(
        [sys.executable, "-c", STEPS, str(staging), str(folder), what], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    places = (each for each in tmp_path.iterdir() if each.name.isdecimal())
    return sorted(places, key=lambda each: int(each.name))


def small(tmp_path: Path) -> Path:
    """Staging in a folder of its own; three months of it are old."""
    (tmp_path / "first").mkdir()
    staging = make_staging(tmp_path / "first" / "stage.db", rows=30)
    months = ", ".join(f"'{each}'" for (each,) in ask(staging, OLD_MONTHS))
    change(
        staging,
        f"DELETE FROM odds_history WHERE timestamp < '2023-07' AND substr(timestamp, 1, 7) NOT IN ({months})",
        "PRAGMA wal_checkpoint(TRUNCATE)",
    )
    return staging


OLD_MONTHS = (
    "SELECT substr(timestamp, 1, 7) AS m FROM odds_history WHERE timestamp < '2023-07-01'"
    " GROUP BY 1 ORDER BY 1 LIMIT 2"
)


def test_a_kill_at_any_step_of_archiving_loses_and_doubles_no_row(tmp_path):
    staging = small(tmp_path)
    before = whole(staging)
    places = killed(tmp_path, staging, tmp_path / "first" / "old", "archive")
    assert len(places) > 30
    for place in places:
        path, folder = place / "stage.db", place / "old"
        archive(path, "odds_history", "timestamp", BEFORE, folder)
        assert ask(path, "SELECT count(*) FROM odds_history WHERE timestamp < '2023-07-01'") == [(0,)]
        assert not list(folder.glob("*.part"))
        restore(path, folder)
        assert whole(path) == before, place.name


def test_a_kill_at_any_step_of_restoring_loses_and_doubles_no_row(tmp_path):
    staging = small(tmp_path)
    before = whole(staging)
    folder = tmp_path / "first" / "old"
    archive(staging, "odds_history", "timestamp", BEFORE, folder)
    places = killed(tmp_path, staging, folder, "restore")
    assert len(places) > 10
    for place in places:
        restore(place / "stage.db", place / "old")
        assert whole(place / "stage.db") == before, place.name


def test_what_was_killed_between_two_steps_can_be_restored_at_once(tmp_path):
    staging = small(tmp_path)
    before = whole(staging)
    for place in killed(tmp_path, staging, tmp_path / "first" / "old", "archive"):
        if (place / "old").exists():
            restore(place / "stage.db", place / "old")
        assert whole(place / "stage.db") == before, place.name


def test_kills_at_random_instants(tmp_path):
    staging = make_staging(tmp_path / "stage.db", rows=400)
    before = whole(staging)
    folder = tmp_path / "old"
    code = STEPS.split("# One child")[0] + "\nprint('begun', flush=True)\nwork()\n"
    for pause in (0.0, 0.01, 0.05, 0.1, 0.2):
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(staging), str(folder), "archive"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None and child.stdout.readline() == "begun\n"
        try:
            child.wait(pause)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
    archive(staging, "odds_history", "timestamp", BEFORE, folder)
    restore(staging, folder)
    assert whole(staging) == before
    shutil.rmtree(folder)
