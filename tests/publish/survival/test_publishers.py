"""Two publishers at once, dead ones, other programs in the file, odd paths, and a clock that jumps."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest

from greynb.databases.generations import generation_at, generations, home_of
from greynb.databases.snapshot import SnapshotSource
from greynb.errors import PublisherBusy, PublishError
from greynb.publish import sync
from tests.publish import processes
from tests.publish.processes import balance, make_books
from tests.publish.survival import programs
from tests.publish.survival.comparing import content, differences

Mode = Literal["full", "incremental"]
Layout = Literal["generations", "plain"]
YEAR_2099_NS = 4_070_908_800 * 10**9

# Dies at the n-th call that changes something in the file system: one child per n, forked after the imports.
_DYING = """
import os, shutil, sys, sqlite3
from pathlib import Path
from greynb.databases.generations import home_of
from greynb.publish import sync
from tests.publish.processes import balance
stage, target, mode, layout = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
EVENTS = {"os.rename", "os.link", "os.symlink", "os.chmod", "os.remove", "os.mkdir", "os.rmdir",
          "os.truncate", "sqlite3.connect", "sqlite3.connect/handle", "shutil.copyfile"}
sync(stage, target, mode=mode, layout=layout)
number, code = 0, 9
while code == 9:
    number += 1
    with sqlite3.connect(stage) as con:
        con.execute("UPDATE debit SET amount = amount + ? WHERE id = 3", (number,))
        con.execute("UPDATE credit SET amount = amount - ? WHERE id = 3", (number,))
    con.close()
    child = os.fork()
    if child == 0:
        calls = 0
        def audit(event, arguments):
            global calls
            flags = arguments[2] if event == "open" and isinstance(arguments[2], int) else 0
            if event in EVENTS or flags & (os.O_WRONLY | os.O_RDWR):
                calls += 1
                if calls == number:
                    os._exit(9)
        sys.addaudithook(audit)
        sync(stage, target, mode=mode, layout=layout)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9), code
    assert balance(target) == 0
    con = sqlite3.connect(target)
    amount = con.execute("SELECT amount FROM debit WHERE id = 3").fetchone()[0]
    con.close()
    assert amount in (number * (number - 1) // 2, number * (number + 1) // 2), number
    sync(stage, target, mode=mode, layout=layout)
    left = [each.name for each in home_of(target).glob(".build*")]
    assert not left, (number, left)
print(number)
"""


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    return make_books(tmp_path / "stage.db", wal=True)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


def change(stage: Path) -> None:
    """Commit something."""
    with closing(sqlite3.connect(stage)) as con:
        con.execute("UPDATE debit SET amount = amount + 1 WHERE id = 5")
        con.execute("UPDATE credit SET amount = amount - 1 WHERE id = 5")
        con.commit()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(
    ("mode", "layout"),
    [("incremental", "generations"), pytest.param("full", "plain", marks=pytest.mark.slow)],
)
def test_a_publisher_that_dies_at_any_change_of_a_file_leaves_the_old_or_the_new_version(
    stage: Path, target: Path, mode: str, layout: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _DYING, str(stage), str(target), mode, layout],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10
    assert not differences(content(stage), content(target))


def test_a_second_publisher_is_refused_with_the_first_ones_name_and_goes_on_after_its_death(
    stage: Path, target: Path
) -> None:
    first = programs.start(programs.HALTING, stage, target, "content")
    try:
        programs.expect(first, "halted")
        with pytest.raises(PublisherBusy, match=rf"process {first.pid} on .*, since ") as caught:
            sync(stage, target)
        assert caught.value.path == target
        refused = programs.publish_once(stage, target)
        assert "PublisherBusy" in refused.stderr
        assert list(home_of(target).glob(".build-*"))
    finally:
        processes.stop(first)
    assert (home_of(target) / "publisher.lock").read_text()
    assert sync(stage, target).id == "gen-000001"
    assert not list(home_of(target).glob(".build-*"))


def test_many_publishers_at_once_publish_one_after_the_other_or_say_that_they_cannot(
    stage: Path, target: Path
) -> None:
    several = [
        programs.start(programs.ONCE, stage, target, mode, "auto") for mode in ("full", "incremental") * 3
    ]
    told = [each.communicate(timeout=200) for each in several]
    published = [out.strip() for out, _ in told if out]
    assert published
    assert all("PublisherBusy" in err for out, err in told if not out)
    assert next(each.number for each in generations(home_of(target))) >= len(set(published))
    assert not differences(content(stage), content(target))


@pytest.mark.parametrize("layout", ["generations", "plain"])
def test_a_program_that_keeps_the_analytics_file_open_in_wal_is_named_and_loses_nothing(
    stage: Path, target: Path, layout: Layout
) -> None:
    other = processes.holding(make_books(target, wal=True, rows=7), "UPDATE debit SET amount = 0")
    try:
        with pytest.raises(
            PublishError, match=f"in use.*process {other.pid}" if sys.platform == "linux" else ""
        ):
            sync(stage, target, layout=layout)
        assert balance(target) == 0
    finally:
        processes.stop(other)
    assert sync(stage, target, layout=layout).id == "gen-000002"
    assert not differences(content(stage), content(target))


@pytest.mark.parametrize("layout", ["generations", "plain"])
def test_a_program_that_switches_the_published_file_to_wal_does_not_stop_publications(
    stage: Path, target: Path, layout: Layout
) -> None:
    sync(stage, target, layout=layout)
    target.resolve().chmod(0o644)
    with closing(sqlite3.connect(target)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("DELETE FROM debit WHERE id = 1")
        other.commit()
    change(stage)
    sync(stage, target, layout=layout)
    assert not differences(content(stage), content(target))


@pytest.mark.parametrize(("mode", "layout"), [("incremental", "generations"), ("full", "plain")])
def test_an_odd_path_behind_a_symlink_is_published_again_and_again(
    tmp_path: Path, mode: Mode, layout: Layout
) -> None:
    if os.name == "nt":
        pytest.skip("Windows allows no such names")
    odd = tmp_path / """a b'c"d?e#f%41&mode=ro;ü"""
    odd.mkdir()
    stage = make_books(odd / "st age?.d'b#", wal=True)
    link = odd / "link ?.db"
    link.symlink_to(odd / """re'al "?#.db""")
    for number in (1, 2, 3):
        change(stage)
        done = programs.publish_once(stage, link, mode, layout)
        assert done.stdout == f"gen-{number:06d}\n", done.stderr
        assert not differences(content(stage), content(link))
        source = SnapshotSource(link, shared=False)
        assert source.acquire().id == f"gen-{number:06d}"
        source.close()
    assert link.readlink().name == """re'al "?#.db"""


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_a_clock_that_goes_backwards_changes_no_order(stage: Path, target: Path, mode: Mode) -> None:
    for number in (1, 2):
        current = sync(stage, target, mode=mode)
        assert current.id == f"gen-{number:06d}"
        change(stage)
    manifest = current.path.with_name("manifest.json")
    text = json.loads(manifest.read_text())
    manifest.chmod(0o644)
    manifest.write_text(json.dumps(text | {"created": "2099-01-01T00:00:00+00:00"}))
    for number in (3, 4, 5):
        assert sync(stage, target, mode=mode).id == f"gen-{number:06d}"
        assert not differences(content(stage), content(target))
        change(stage)
    assert [each.number for each in generations(home_of(target))] == [5, 4, 3]


@pytest.mark.parametrize("moment", [1, YEAR_2099_NS])
def test_a_commit_that_carries_an_older_or_a_future_time_is_published(
    stage: Path, target: Path, moment: int
) -> None:
    sync(stage, target)
    for _ in range(3):
        change(stage)
        for each in (stage, Path(f"{stage}-wal")):
            if each.exists():
                os.utime(each, ns=(moment, moment))
        sync(stage, target)
        assert not differences(content(stage), content(target))
        assert generation_at(target) is not None
