"""Disks that are full, elsewhere, not to be written, or without hard links."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

import pytest

from greynb.databases.generations import home_of
from greynb.databases.snapshot import SnapshotSource
from greynb.databases.staging import StagingSession
from greynb.errors import GreynbError, PublishError, UnreadableDatabase
from greynb.publish import sync
from tests.publish.processes import balance, make_books
from tests.publish.survival import programs
from tests.publish.survival.comparing import content, differences

NOBODY = 65534
STEPS = ["copy", "analyze", "census", "mirror", "check", "hash", "sync", "switch"]
is_root = hasattr(os, "geteuid") and os.geteuid() == 0

_LIMITED = (
    """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
"""
    + programs.ONCE
)
_WITHOUT_LINKS = (
    """
import errno, sys
def refuse(event, arguments):
    if event in sys.argv[5:]:
        raise OSError(errno.EPERM, "Operation not permitted")
sys.addaudithook(refuse)
"""
    + programs.ONCE
    + """
from greynb.databases.snapshot import SnapshotSource
from tests.publish.processes import balance
source = SnapshotSource(Path(sys.argv[2]), shared=False)
assert balance(source.acquire().path) == 0
source.close()
"""
)

# All that is needed is imported by a first publication, as the Python of root may be out of reach later.
_AS_NOBODY = (
    f"""
import os, sqlite3, tempfile
from pathlib import Path
from greynb.publish import sync
with tempfile.TemporaryDirectory() as folder:
    sqlite3.connect(f"{{folder}}/stage.db").execute("CREATE TABLE t (a)")
    for mode in ("full", "incremental"):
        sync(Path(folder, "stage.db"), Path(folder, "analytics.db"), mode=mode)
    sqlite3.connect(f"{{folder}}/stage.db").execute("CREATE TABLE u (a)")
    sync(Path(folder, "stage.db"), Path(folder, "analytics.db"))
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
"""
    + programs.ONCE
)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp()).resolve()
    folder.chmod(0o755)
    yield folder
    for each in [folder, *folder.rglob("*")]:
        with suppress(OSError):
            each.chmod(0o700)
    shutil.rmtree(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)]
    if not is_root or shutil.which("mount") is None:
        pytest.skip("only root may mount")
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_without_any_room_is_said_to_be_full(small_disk: Path) -> None:
    stage = small_disk / "stage.db"
    with closing(sqlite3.connect(stage)) as con:
        con.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (n)")
    with suppress(OSError), (small_disk / "rest").open("wb", buffering=0) as rest:
        while True:
            rest.write(bytes(1 << 16))
    with closing(StagingSession(stage)) as session:
        with pytest.raises(UnreadableDatabase, match="the disk is full"):
            session.run("INSERT INTO t VALUES (1)")
        (small_disk / "rest").unlink()
        session.run("INSERT INTO t VALUES (1)")


def change(stage: Path) -> None:
    """Commit something."""
    subprocess.run([sys.executable, "-c", _CHANGE, str(stage)], check=True)


_CHANGE = """
import sqlite3, sys
con = sqlite3.connect(sys.argv[1])
for table, sign in (("debit", 1), ("credit", -1)):
    con.execute(f"UPDATE {table} SET amount = amount + {sign} WHERE id % 10 = 3")
con.commit()
con.close()
"""


@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_a_disk_that_fills_up_at_any_step_leaves_the_old_version(
    tmp_path: Path, small_disk: Path, mode: Literal["full", "incremental"]
) -> None:
    stage = make_books(tmp_path / "stage.db", wal=True, rows=4000)
    target = small_disk / "analytics.db"
    before = content(sync(stage, target).path)
    change(stage)
    failed = 0
    for step in STEPS:

        def fill(now: str, part: float, step: str = step) -> None:
            if now == step and part == 0 and not (small_disk / "filler").exists():
                with (small_disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
                    while file.write(bytes(4096)):
                        pass

        try:
            sync(stage, target, mode=mode, progress=fill)
        except GreynbError as error:
            failed += 1
            assert "disk" in str(error).lower() or "space" in str(error).lower(), step
            assert error.role == "analytics", step
            assert not differences(before, content(target))
        else:
            before = content(target)
            change(stage)
        finally:
            (small_disk / "filler").unlink(missing_ok=True)
        assert not [each for each in home_of(target).glob(".build-*") if each.is_dir()]
    assert failed
    sync(stage, target, mode=mode)
    assert not differences(content(stage), content(target))


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such limit")
@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_a_limit_on_the_size_of_files_leaves_the_old_version(tmp_path: Path, mode: str) -> None:
    target = tmp_path / "analytics.db"
    sync(make_books(tmp_path / "small.db", rows=10), target)
    stage = make_books(tmp_path / "stage.db", rows=2000)
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(stage), str(target), mode, "auto"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "PublishError" in done.stderr
    assert "Traceback" not in done.stderr
    assert not differences(content(tmp_path / "small.db"), content(target))
    assert sync(stage, target).id == "gen-000002"


@pytest.mark.parametrize("layout", ["generations", "plain"])
def test_analytics_may_lie_on_another_file_system(
    tmp_path: Path, layout: Literal["generations", "plain"]
) -> None:
    elsewhere = Path(os.sep, "dev", "shm")
    if not os.access(elsewhere, os.W_OK) or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system here")
    stage = make_books(tmp_path / "stage.db", wal=True)
    with tempfile.TemporaryDirectory(dir=elsewhere) as folder:
        target = Path(folder) / "analytics.db"
        make_books(target, rows=7)
        for number in (2, 3):
            assert sync(stage, target, layout=layout).id == f"gen-{number:06d}"
            change(stage)
        source = SnapshotSource(target, shared=False)
        assert source.acquire().id == "gen-000003"
        source.close()
        sync(stage, target, layout=layout)
        assert not differences(content(stage), content(target))


@pytest.mark.parametrize("layout", ["generations", "plain"])
@pytest.mark.parametrize("without", [["os.link"], ["os.link", "os.symlink"]])
def test_hard_links_are_not_needed(tmp_path: Path, without: list[str], layout: str) -> None:
    stage = make_books(tmp_path / "stage.db", wal=True)
    target = make_books(tmp_path / "analytics.db", rows=7)
    if "os.symlink" in without:
        layout = "auto"  # which is plain then
    for number in (2, 3):
        command = [sys.executable, "-c", _WITHOUT_LINKS, str(stage), str(target), "incremental", layout]
        done = subprocess.run([*command, *without], capture_output=True, text=True, check=False)
        assert done.stdout == f"gen-{number:06d}\n", done.stderr
        change(stage)
    assert target.is_symlink() == (layout == "generations")
    if "os.symlink" in without:
        assert target.stat().st_nlink == 1
    assert sync(stage, target).id == "gen-000004"
    assert not differences(content(stage), content(target))


def as_nobody(stage: Path, target: Path, mode: str) -> str:
    """What a publication by a user without rights says, in a process that gives up being root."""
    command = [sys.executable, "-c", _AS_NOBODY, str(stage), str(target), mode, "auto"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
@pytest.mark.parametrize("mode", ["full", "incremental"])
def test_folders_and_files_without_permission_are_refused_and_nothing_is_lost(
    open_folder: Path, mode: str
) -> None:
    stage = make_books(open_folder / "stage.db")
    target = open_folder / "analytics.db"
    open_folder.chmod(0o555)
    refused = as_nobody(stage, target, mode)
    assert "PublishError" in refused
    assert str(home_of(target)) in refused
    open_folder.chmod(0o755)
    before = content(sync(stage, target).path)
    change(stage)
    home_of(target).chmod(0o555)
    assert "PublishError" in as_nobody(stage, target, mode)
    home_of(target).chmod(0o755)
    stage.chmod(0o000)
    if is_root:
        for each in (open_folder, home_of(target), home_of(target) / "publisher.lock"):
            os.chown(each, NOBODY, NOBODY)
    refused = as_nobody(stage, target, mode)
    assert "UnreadableDatabase" in refused
    assert str(stage) in refused
    assert not differences(before, content(target))
    assert not list(home_of(target).glob(".build-*"))
    stage.chmod(0o644)
    assert sync(stage, target).id == "gen-000002"
    assert balance(target) == 0


def test_a_hidden_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    stage = make_books(tmp_path / "stage.db")
    (tmp_path / ".analytics").write_text("a file")
    with pytest.raises(PublishError) as caught:
        sync(stage, tmp_path / "analytics.db")
    assert str(caught.value.path).endswith((".analytics", "analytics.db"))
    assert (tmp_path / ".analytics").read_text() == "a file"
