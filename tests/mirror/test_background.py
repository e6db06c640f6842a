"""Mirrors of files that nobody published: built meanwhile, used from the next cell on, never a stale one."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from greynb.databases import snapshot as snapshot_module
from greynb.databases.analytics import AnalyticsSession
from greynb.databases.mirroring import Mode
from greynb.databases.oslock import try_lock
from greynb.databases.snapshot import SnapshotSource
from greynb.errors import DatabaseError
from greynb.mirror import shelf as shelf_module
from greynb.mirror.background import BackgroundMirrors
from greynb.mirror.shelf import Shelf
from greynb.publish import sync
from tests.mirror.test_views import ENDLESS


def write(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        for statement in statements:
            con.execute(statement).fetchall()


def rest(path: Path) -> None:
    """Let a file look as if it had not been written for an hour."""
    before = time.time() - 3600
    os.utime(path, (before, before))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "analytics.db"
    path.parent.mkdir()
    write(path, "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)")
    rest(path)
    return path


@pytest.fixture
def opened(path: Path, tmp_path: Path) -> Iterator[Callable[[], AnalyticsSession]]:
    """Open sessions as notebooks do; all are closed at the end."""
    sessions: list[AnalyticsSession] = []

    def session() -> AnalyticsSession:
        mirrors = BackgroundMirrors(Shelf(path, tmp_path / "cache"))
        sessions.append(AnalyticsSession(SnapshotSource(path, shared=False), mirrors))
        return sessions[-1]

    yield session
    for each in sessions:
        each.close()


def value(session: AnalyticsSession, sql: str = "SELECT sum(a)::BIGINT AS n FROM t") -> object:
    frame = session.run(sql)[-1].frame
    assert frame is not None
    return frame.iloc[0, 0]


def mirrored(session: AnalyticsSession, seconds: float = 30.0) -> None:
    """Run cells until they read a mirror."""
    end = time.monotonic() + seconds
    while value(session) is not None and session.mirroring.note:
        assert time.monotonic() < end, "no mirror came"
        time.sleep(0.05)


def test_the_first_cell_reads_the_file_and_a_later_one_the_mirror(
    opened: Callable[[], AnalyticsSession],
) -> None:
    session = opened()
    assert value(session) == 1
    assert session.mirroring.note == "SQLite file, its mirror is being built"
    mirrored(session)
    assert value(session) == 1


def test_another_notebook_uses_the_same_mirror(opened: Callable[[], AnalyticsSession], path: Path) -> None:
    mirrored(opened())
    (mirror,) = path.with_name(".analytics.db.mirror").glob("*.duckdb")
    made = mirror.stat().st_ino
    mirrored(opened())
    assert mirror.stat().st_ino == made


def commit(path: Path) -> None:
    write(path, "UPDATE t SET a = 2")


def commit_in_wal(path: Path) -> None:
    write(path, "PRAGMA journal_mode = WAL", "UPDATE t SET a = 2")


def replace(path: Path) -> None:
    other = path.with_name("other.db")
    shutil.copyfile(path, other)
    commit(other)
    other.replace(path)


def restored_times(path: Path) -> None:
    before = path.stat()
    commit(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def bytes_alone(path: Path) -> None:
    """Overwrite a value in place: the same size, header and times, and no commit."""
    before, found = path.stat(), path.read_bytes()
    other = path.with_name("other.db")
    shutil.copyfile(path, other)
    commit(other)
    changed = other.read_bytes()
    place = next(n for n in range(100, len(found)) if found[n] != changed[n])
    with path.open("r+b") as file:
        file.seek(place)
        file.write(changed[place:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = [commit, commit_in_wal, replace, restored_times, bytes_alone]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_mirror_is_not_used_once_its_file_was_changed(
    opened: Callable[[], AnalyticsSession], path: Path, change: Callable[[Path], None]
) -> None:
    session = opened()
    mirrored(session)
    change(path)
    assert value(session) == 2
    assert session.mirroring.note
    assert value(opened()) == 2
    mirrored(session)
    assert value(session) == 2


def test_what_is_written_to_a_wal_shows_in_the_next_cell(
    opened: Callable[[], AnalyticsSession], path: Path
) -> None:
    write(path, "PRAGMA journal_mode = WAL")
    session = opened()
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        for number in range(3, 6):
            con.execute("UPDATE t SET a = ?", [number])
            assert value(session) == number
        mirrored(session)
        con.execute("UPDATE t SET a = 9")
        assert value(session) == 9


def test_a_truncated_file_is_an_error_although_there_was_a_mirror(
    opened: Callable[[], AnalyticsSession], path: Path
) -> None:
    session = opened()
    mirrored(session)
    with path.open("r+b") as file:
        file.truncate(4096)
    with pytest.raises(Exception, match=r"malformed|not a database|cannot|damaged"):
        value(session)


def test_where_the_folder_may_not_be_written_the_mirror_is_in_the_cache_folder(
    path: Path, tmp_path: Path
) -> None:
    if os.name == "nt" or os.getuid() == 0:
        # Root may write anywhere: a file where the folder would be stands in the way of anyone.
        path.with_name(".analytics.db.mirror").write_text("in the way")
    else:
        path.parent.chmod(0o555)
    shelf = Shelf(path, tmp_path / "cache")
    session = AnalyticsSession(SnapshotSource(path, shared=False), BackgroundMirrors(shelf))
    try:
        mirrored(session)
        (mirror,) = (tmp_path / "cache").glob("*/*.duckdb")
        assert shelf.bytes() >= mirror.stat().st_size
    finally:
        session.close()
        path.parent.chmod(0o755)


def test_the_cache_folder_keeps_to_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf_module, "CACHE_BYTES", 1_500_000)
    for number in range(4):
        path = tmp_path / f"{number}.db"
        write(path, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
        rest(path)
        (tmp_path / f".{number}.db.mirror").write_text("in the way")
        session = AnalyticsSession(
            SnapshotSource(path, shared=False), BackgroundMirrors(Shelf(path, tmp_path / "cache"))
        )
        mirrored(session)
        session.close()
    left = sorted(each.parent.name.split("-")[1] for each in (tmp_path / "cache").glob("*/*.duckdb"))
    assert "3.db" in left
    assert "0.db" not in left


def test_only_one_builds_at_a_time_whatever_process_it_is_in(
    opened: Callable[[], AnalyticsSession], path: Path, tmp_path: Path
) -> None:
    lock = try_lock(Shelf(path, tmp_path / "cache").home() / "builder.lock", create=True)
    assert lock is not None
    session = opened()
    value(session)
    time.sleep(1)
    assert not list(path.with_name(".analytics.db.mirror").glob("*.duckdb"))
    lock.release()
    mirrored(session)


def test_what_a_killed_builder_leaves_is_swept(opened: Callable[[], AnalyticsSession], path: Path) -> None:
    home = path.with_name(".analytics.db.mirror")
    home.mkdir()
    (home / ".build-dead.duckdb").write_bytes(b"half")
    mirrored(opened())
    assert not list(home.glob(".build-*"))


def test_a_commit_beside_the_copy_leads_to_no_mirror_of_other_rows(
    opened: Callable[[], AnalyticsSession], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(path, "PRAGMA journal_mode = WAL")
    made = snapshot_module.private_copy
    once = iter(["UPDATE t SET a = 2"])

    def and_then_a_commit(*arguments: Any) -> Any:
        copy = made(*arguments)
        for statement in once:
            write(path, statement)
        return copy

    monkeypatch.setattr(snapshot_module, "private_copy", and_then_a_commit)
    session = opened()
    value(session)
    mirrored(session)
    assert value(session) == 2
    assert value(opened()) == 2


def test_building_leaves_the_locks_of_the_notebook_on_its_file(
    opened: Callable[[], AnalyticsSession], path: Path
) -> None:
    session = opened()
    value(session)
    with closing(sqlite3.connect(path, isolation_level=None)) as mine:
        mine.execute("BEGIN IMMEDIATE")
        code = (
            "import sqlite3, sys; con = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None);"
            "con.execute('BEGIN IMMEDIATE')"
        )
        end = time.monotonic() + 5
        while time.monotonic() < end:
            other = subprocess.run(
                [sys.executable, "-c", code, path], capture_output=True, text=True, check=False
            )
            assert "database is locked" in other.stderr


@pytest.mark.parametrize("mode", ["auto", "require"])
def test_a_damaged_mirror_is_built_again(
    opened: Callable[[], AnalyticsSession], path: Path, mode: Mode
) -> None:
    mirrored(opened())
    (mirror,) = path.with_name(".analytics.db.mirror").glob("*.duckdb")
    mirror.write_bytes(mirror.read_bytes()[:5000])
    session = opened()
    session.mirroring.mode = mode
    if mode == "require":
        with pytest.raises(DatabaseError, match="no columnar mirror"):
            value(session)
    mirrored(session)
    assert value(session) == 1


@pytest.mark.parametrize("published", [True, False])
def test_a_mirror_that_is_damaged_while_it_is_read_is_given_up(
    opened: Callable[[], AnalyticsSession], path: Path, tmp_path: Path, published: bool
) -> None:
    staging = tmp_path / "staging.db"
    fill = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
        " INSERT INTO u SELECT i, hex(randomblob(8)) FROM n"
    )
    for each in (staging, path):
        write(each, "CREATE TABLE u (a INTEGER, b TEXT)", fill)
    write(staging, "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)")
    rest(path)
    if published:
        sync(staging, path)
    session = opened()
    mirrored(session)
    (mirror,) = [
        *path.parent.glob(".analytics/gen-*/*.duckdb"),
        *path.parent.glob(".analytics.db.mirror/*.duckdb"),
    ]
    mirror.chmod(0o644)
    with mirror.open("r+b") as file:
        file.truncate(300_000)
    (result,) = session.run("SELECT max(a)::BIGINT AS n, max(b) AS b FROM u")
    assert result.frame is not None
    assert result.frame["n"].tolist() == [200_000]
    assert "the columnar mirror cannot be read" in result.notices[0]
    mirrored(session)
    assert value(session, "SELECT count(b) AS n FROM u") == 200_000


def test_where_no_mirror_can_be_written_a_session_that_requires_one_says_why(
    path: Path, tmp_path: Path
) -> None:
    path.with_name(".analytics.db.mirror").write_text("in the way")
    (tmp_path / "cache").write_text("in the way, too")
    session = AnalyticsSession(
        SnapshotSource(path, shared=False), BackgroundMirrors(Shelf(path, tmp_path / "cache"))
    )
    session.mirroring.mode = "require"
    with pytest.raises(DatabaseError, match=r"none could be built: .*cache"):
        value(session)
    session.mirroring.mode = "auto"
    value(session)
    time.sleep(1)
    assert value(session) == 1
    assert session.mirroring.note == "SQLite file"
    session.close()


def test_a_label_without_its_mirror_is_no_mirror(opened: Callable[[], AnalyticsSession], path: Path) -> None:
    mirrored(opened())
    (mirror,) = path.with_name(".analytics.db.mirror").glob("*.duckdb")
    mirror.unlink()
    mirrored(opened())


def test_a_label_that_cannot_be_written_is_no_trouble(
    opened: Callable[[], AnalyticsSession], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirrored(opened())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shelf_module, "_write", full)
    session = opened()
    assert value(session) == 1
    assert session.mirroring.note == ""


def test_mirrors_can_be_dropped_while_one_is_being_built(
    opened: Callable[[], AnalyticsSession], path: Path, tmp_path: Path
) -> None:
    session = opened()
    value(session)
    for _ in range(5):
        time.sleep(0.15)
        Shelf(path, tmp_path / "cache").drop()
    mirrored(session)


def test_a_pinned_copy_keeps_its_mirror_while_the_file_is_written(
    opened: Callable[[], AnalyticsSession], path: Path
) -> None:
    session = opened()
    session.pin()
    mirrored(session)
    (mirror,) = path.with_name(".analytics.db.mirror").glob("*.duckdb")
    made = mirror.stat().st_ino
    for number in range(5):
        write(path, f"UPDATE t SET a = {number + 10}")
        assert value(session) == 1
        assert session.mirroring.note == ""
    assert mirror.stat().st_ino == made


def test_a_path_into_the_hidden_folder_has_the_mirror_of_its_version(tmp_path: Path) -> None:
    staging, target = tmp_path / "staging.db", tmp_path / "races.db"
    write(staging, "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (5)")
    sync(staging, target)
    session = AnalyticsSession(SnapshotSource(tmp_path / ".races/current/analytics.db", shared=False))
    assert value(session) == 5
    assert session.mirroring.note == ""
    session.close()


def test_a_process_ends_at_once_although_a_mirror_is_being_built(path: Path) -> None:
    write(
        path,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)"
        " INSERT INTO t SELECT i FROM n",
    )
    rest(path)
    code = (
        "import sys, time, greynb; con = greynb.get_conn(); con.execute('SELECT count(*) FROM t').fetchall();"
        "time.sleep(1.5)"
    )
    write(path, f"CREATE VIEW endless AS {ENDLESS}")
    rest(path)
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"ANALYTICS_DB_PATH": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - begun < 15


def test_a_published_version_without_a_mirror_gets_one_too(
    opened: Callable[[], AnalyticsSession], path: Path, tmp_path: Path
) -> None:
    staging = tmp_path / "staging.db"
    write(staging, "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (5)")
    sync(staging, path, mirror=False)
    session = opened()
    assert value(session) == 5
    mirrored(session)
    write(staging, "UPDATE t SET a = 6")
    sync(staging, path)
    assert value(session) == 6
    assert session.mirroring.note == ""


def test_a_session_that_waits_for_the_mirror_reads_it_at_once(opened: Callable[[], AnalyticsSession]) -> None:
    session = opened()
    session.mirroring.mode = "require"
    assert value(session) == 1
    assert session.mirroring.note == ""
