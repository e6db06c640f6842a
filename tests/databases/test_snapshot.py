"""Snapshots of the analytics file, on real files with real writing processes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from greynb.databases.private import sweep
from greynb.databases.snapshot import Snapshot, SnapshotSource
from greynb.errors import DatabaseLocked, MissingDatabase, QueryInterrupted, UnreadableDatabase
from greynb.publish import sync
from tests.publish import processes
from tests.publish.processes import balance, make_books

ODD_NAMES = [
    "plain.db",
    "with space.db",
    "a'b.db",
    'a"b.db',
    "what?.db",
    "a#b.db",
    "100%41.db",
    "ü-犬.db",
    ".db",
]


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder, so that a test sees what is left in it."""
    folder = tmp_path / "private files"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


class Sources:
    def __init__(self) -> None:
        self.made: list[SnapshotSource] = []

    def __call__(self, path: Path, *, shared: bool = False) -> SnapshotSource:
        self.made.append(SnapshotSource(path, shared=shared))
        return self.made[-1]


@pytest.fixture
def sources(private: Path) -> Iterator[Sources]:
    made = Sources()
    yield made
    for source in made.made:
        source.close()


def old(path: Path) -> Path:
    """Make a file look as if nobody had written to it for a while."""
    before = time.time() - 60
    os.utime(path, (before, before))
    return path


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {each.name: (each.stat().st_size, each.stat().st_mtime_ns) for each in folder.iterdir()}


def change(path: Path, sql: str = "UPDATE debit SET filler = 'changed' WHERE id = 1") -> None:
    with closing(sqlite3.connect(path)) as con:
        con.execute(sql)
        con.commit()


# A file that stands still


def test_a_file_that_stands_still_is_read_through_a_hard_link(home: Path, sources: Sources) -> None:
    path = old(make_books(home / "a.db"))
    snapshot = sources(path).acquire()
    assert snapshot.kind == "link"
    assert snapshot.path != path
    assert snapshot.path.samefile(path)
    assert snapshot.census is None
    assert list(home.iterdir()) == [path]


def test_the_same_snapshot_comes_back_while_nothing_changes(home: Path, sources: Sources) -> None:
    source = sources(old(make_books(home / "a.db")))
    assert source.acquire() is source.acquire()


def test_a_commit_in_place_makes_a_link_invalid_and_the_next_snapshot_new(
    home: Path, sources: Sources
) -> None:
    path = old(make_books(home / "a.db"))
    source = sources(path)
    first = source.acquire()
    assert source.still_valid(first)
    change(path)
    assert not source.still_valid(first)
    second = source.acquire()
    assert second is not first
    assert second.id != first.id


def test_a_commit_that_leaves_size_and_time_as_they_were_is_seen(home: Path, sources: Sources) -> None:
    path = old(make_books(home / "a.db"))
    source = sources(path)
    first = source.acquire()
    times = path.stat()
    change(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_size == times.st_size
    assert not source.still_valid(first)


def test_a_link_keeps_the_old_version_when_the_file_is_replaced(home: Path, sources: Sources) -> None:
    path = old(make_books(home / "a.db"))
    source = sources(path)
    first = source.acquire()
    new = make_books(home / "new.db", rows=3)
    new.replace(path)
    assert source.still_valid(first)
    assert rows(first.path) == 400
    assert rows(source.acquire().path) == 3


def test_a_second_reader_of_the_same_file_does_not_disturb_the_first(home: Path, sources: Sources) -> None:
    path = old(make_books(home / "a.db"))
    source = sources(path)
    first = source.acquire()
    sources(path).acquire()
    assert source.still_valid(first)
    assert source.acquire() is first


def test_a_copy_is_made_with_a_notice_where_no_hard_link_can_be(
    home: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    snapshot = sources(old(make_books(home / "a.db"))).acquire()
    assert snapshot.kind == "copy"
    assert "hard link" in snapshot.notices[0]
    assert not snapshot.path.samefile(home / "a.db")


def test_the_forced_copy_is_kept_until_the_file_changes(home: Path, sources: Sources) -> None:
    path = old(make_books(home / "a.db"))
    source = sources(path)
    source.acquire()
    copy = source.copy()
    assert copy.kind == "copy"
    assert source.acquire() is copy
    change(path)
    assert source.still_valid(copy)
    assert source.acquire() is not copy


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("wal", [False, True])
def test_any_file_name_can_be_read(home: Path, sources: Sources, name: str, wal: bool) -> None:
    source = sources(old(make_books(home / name, wal=wal)))
    assert balance(source.acquire().path) == 0
    assert balance(source.copy().path) == 0


def test_a_symlink_of_the_user_is_followed_and_a_new_goal_is_seen(home: Path, sources: Sources) -> None:
    old(make_books(home / "one.db"))
    old(make_books(home / "two.db", rows=5))
    link = home / "link.db"
    link.symlink_to("one.db")
    source = sources(link)
    assert rows(source.acquire().path) == 400
    link.unlink()
    link.symlink_to("two.db")
    assert rows(source.acquire().path) == 5


# Live files


@pytest.mark.parametrize("wal", [False, True])
def test_a_shared_file_is_copied_and_copied_again_only_after_a_commit(
    home: Path, sources: Sources, wal: bool
) -> None:
    path = make_books(home / "one.db", wal=wal)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("UPDATE debit SET filler = 'a' WHERE id = 1")
        source = sources(path, shared=True)
        first = source.acquire()
        assert first.kind == "copy"
        assert source.acquire() is first
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE debit SET filler = 'b' WHERE id = 1")
        assert source.acquire() is first
        writer.execute("COMMIT")
        second = source.acquire()
        assert second is not first
        assert filler(first.path) == "a"
        assert filler(second.path) == "b"


def test_a_copy_of_a_database_in_wal_is_one_plain_file(home: Path, sources: Sources) -> None:
    path = make_books(home / "one.db", wal=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("UPDATE debit SET filler = 'in the log'")
        snapshot = sources(path).acquire()
        assert filler(snapshot.path) == "in the log"
        assert snapshot.path.read_bytes()[18:20] == b"\x01\x01"
        assert not list(snapshot.path.parent.glob("*-wal"))


def test_reading_a_database_in_wal_leaves_no_trace_beside_it(home: Path, sources: Sources) -> None:
    path = make_books(home / "one.db", wal=True)
    before = listing(home)
    source = sources(path)
    snapshot = source.acquire()
    assert balance(snapshot.path) == 0
    assert source.acquire() is snapshot
    source.close()
    assert listing(home) == before


def test_a_live_file_is_its_users_alone_again_once_it_was_read(home: Path, sources: Sources) -> None:
    path = make_books(home / "one.db", wal=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("UPDATE debit SET filler = 'in the log'")
        source = sources(path)
        snapshot = source.acquire()
        assert source.acquire() is snapshot
        # Only the one connection to a database may do this.
        assert writer.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("UPDATE debit SET filler = 'later'")
        assert filler(source.acquire().path) == "later"
    assert [each.name for each in home.iterdir()] == ["one.db"]
    assert filler(source.acquire().path) == "later"


def test_each_commit_to_a_log_that_is_begun_anew_is_seen(home: Path, sources: Sources) -> None:
    path = make_books(home / "one.db", wal=True)
    source = sources(path)
    for number in range(30):
        with closing(sqlite3.connect(path, isolation_level=None)) as writer:
            writer.execute("SELECT 1 FROM debit").fetchone()
            source.acquire()
            writer.execute(f"UPDATE debit SET filler = '{number}'")
            assert filler(source.acquire().path) == str(number)
            writer.execute("PRAGMA wal_checkpoint(RESTART)")
            writer.execute(f"UPDATE debit SET filler = 'again {number}'")
            assert filler(source.acquire().path) == f"again {number}"


def test_a_log_without_its_index_is_read_and_left_alone(home: Path, sources: Sources) -> None:
    path = make_books(home / "one.db", wal=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("UPDATE debit SET filler = 'in the log'")
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", f"{home}/crashed.db{ending}")
    before = listing(home)
    assert filler(sources(home / "crashed.db").acquire().path) == "in the log"
    assert listing(home) == before


def test_a_hot_journal_is_rolled_back_in_the_copy_only(home: Path, sources: Sources) -> None:
    path = make_books(home / "one.db")
    processes.crash_in_transaction(path)
    assert Path(f"{path}-journal").stat().st_size > 0
    before = listing(home)
    snapshot = sources(path).acquire()
    assert snapshot.kind == "copy"
    assert balance(snapshot.path) == 0
    assert listing(home) == before


def test_a_journal_that_appears_during_a_query_makes_a_link_invalid(home: Path, sources: Sources) -> None:
    path = old(make_books(home / "one.db"))
    source = sources(path)
    snapshot = source.acquire()
    assert snapshot.kind == "link"
    processes.crash_in_transaction(path)
    assert not source.still_valid(snapshot)


@pytest.mark.parametrize("wal", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_no_snapshot_is_torn_while_another_process_commits(
    home: Path, sources: Sources, wal: bool, shared: bool
) -> None:
    path = make_books(home / "one.db", wal=wal)
    writer = processes.booking(path)
    try:
        processes.wait_until_changed(path, 0)
        source = sources(path, shared=shared)
        seen = set()
        for _ in range(25):
            snapshot = source.acquire()
            seen.add(read_validly(source, snapshot))
        assert seen == {0}
        assert writer.poll() is None
    finally:
        processes.stop(writer)


def test_no_snapshot_is_torn_while_the_file_is_replaced(home: Path, sources: Sources) -> None:
    path = make_books(home / "one.db")
    over = threading.Event()

    def replacing() -> None:
        while not over.is_set():
            new = make_books(home / "next.db", rows=50)
            new.replace(path)

    thread = threading.Thread(target=replacing)
    thread.start()
    try:
        source = sources(path)
        assert {read_validly(source, source.acquire()) for _ in range(40)} == {0}
    finally:
        over.set()
        thread.join()


# Generations


def test_a_generation_is_opened_inside_its_folder_with_its_census(home: Path, sources: Sources) -> None:
    result = sync(make_books(home / "stage.db"), home / "a.db")
    snapshot = sources(home / "a.db").acquire()
    assert (snapshot.kind, snapshot.id) == ("generation", result.id)
    assert snapshot.path == result.path
    assert snapshot.published is not None
    assert snapshot.census is not None
    assert snapshot.census["debit"].rows == 400


def test_a_generation_stays_readable_for_its_reader_and_goes_away_after(home: Path, sources: Sources) -> None:
    stage = make_books(home / "stage.db")
    sync(stage, home / "a.db", mode="full")
    source = sources(home / "a.db")
    first = source.acquire()
    for _ in range(5):
        sync(stage, home / "a.db", mode="full")
    assert source.still_valid(first)
    assert balance(first.path) == 0
    assert source.acquire().id == "gen-000006"
    source.close()
    sync(stage, home / "a.db", mode="full")
    assert not first.path.exists()


def test_a_copy_through_the_symlink_is_noticed_and_read_as_a_plain_file(home: Path, sources: Sources) -> None:
    stage = make_books(home / "stage.db")
    sync(stage, home / "a.db")
    source = sources(home / "a.db")
    published = source.acquire()
    path = make_books(home / "other.db", rows=7)
    (home / "a.db").resolve().chmod(0o644)
    shutil.copyfile(path, home / "a.db")
    assert not source.still_valid(published)
    snapshot = source.acquire()
    assert snapshot.kind in ("link", "copy")
    assert snapshot.census is None
    assert "written to" in snapshot.notices[0]
    assert rows(snapshot.path) == 7


def test_a_broken_manifest_leaves_a_plain_file(home: Path, sources: Sources) -> None:
    result = sync(make_books(home / "stage.db"), home / "a.db")
    manifest = result.path.with_name("manifest.json")
    for text in ("", "[]", "{}", '{"format": 99}', '{"format": 1, "files": 3}'):
        manifest.chmod(0o644)
        manifest.write_text(text)
        snapshot = sources(home / "a.db").acquire()
        assert (snapshot.census, balance(snapshot.path)) == (None, 0)


# Refusals


def test_a_missing_file_is_said_to_be_missing_and_not_created(home: Path, sources: Sources) -> None:
    with pytest.raises(MissingDatabase):
        sources(home / "no.db").acquire()
    with pytest.raises(MissingDatabase):
        sources(home / "no" / "no.db").acquire()
    assert list(home.iterdir()) == []


def test_what_is_no_database_is_refused(home: Path, sources: Sources) -> None:
    (home / "text.db").write_text("id,box\n1,2\n" * 200)
    (home / "folder.db").mkdir()
    for name in ("text.db", "folder.db"):
        for shared in (False, True):
            with pytest.raises(UnreadableDatabase) as caught:
                sources(home / name, shared=shared).acquire()
            assert caught.value.path == home / name


def test_an_empty_file_is_a_database_without_tables(home: Path, sources: Sources) -> None:
    (home / "empty.db").touch()
    snapshot = sources(old(home / "empty.db")).acquire()
    assert "empty" in snapshot.notices[0]
    with closing(sqlite3.connect(snapshot.path)) as con:
        assert con.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(home: Path, sources: Sources) -> None:
    make_books(home / "a.db").chmod(0)
    with pytest.raises(UnreadableDatabase):
        sources(home / "a.db").acquire()


def test_waiting_for_a_locked_file_can_be_interrupted(home: Path, sources: Sources) -> None:
    path = make_books(home / "a.db")
    holder = processes.holding(path, "BEGIN EXCLUSIVE")
    try:
        source = sources(path, shared=True)
        failed: list[BaseException] = []
        thread = threading.Thread(target=lambda: failed.append(_error(source)))
        thread.start()
        time.sleep(0.3)
        source.interrupt()
        thread.join(2)
        assert isinstance(failed[0], QueryInterrupted)
    finally:
        processes.stop(holder)
    assert source.acquire().kind == "copy"


@pytest.mark.slow
def test_a_lock_that_never_goes_away_ends_the_wait(home: Path, sources: Sources) -> None:
    path = make_books(home / "a.db")
    holder = processes.holding(path, "BEGIN EXCLUSIVE")
    try:
        with pytest.raises(DatabaseLocked, match="10 s"):
            sources(path, shared=True).acquire()
    finally:
        processes.stop(holder)


# Private files


def test_closing_removes_every_private_file(home: Path, private: Path, sources: Sources) -> None:
    path = old(make_books(home / "a.db"))
    source = sources(path)
    source.acquire()
    for _ in range(3):
        change(path)
        source.acquire()
    assert len(list(private.rglob("*.db"))) <= 2
    source.close()
    assert list(private.iterdir()) == []


def test_the_folders_of_dead_owners_are_swept_and_those_of_the_living_stay(
    home: Path, private: Path, sources: Sources
) -> None:
    alive = sources(old(make_books(home / "a.db"))).acquire()
    dead = private / ".greynb-session-1-dead"
    dead.mkdir()
    (dead / "owner.lock").touch()
    foreign = private / ".greynb-session-by-hand"
    foreign.mkdir()
    for folder in private.iterdir():
        old(folder)
    sweep(private)
    assert alive.path.exists()
    assert not dead.exists()
    assert foreign.exists()


def test_many_threads_get_one_snapshot(home: Path, sources: Sources) -> None:
    source = sources(make_books(home / "a.db", wal=True))
    found: list[Snapshot] = []
    threads = [threading.Thread(target=lambda: found.append(source.acquire())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({id(each) for each in found}) == 1


def rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as con:
        return int(con.execute("SELECT count(*) FROM debit").fetchone()[0])


def filler(path: Path) -> str:
    with closing(sqlite3.connect(path)) as con:
        return str(con.execute("SELECT filler FROM debit WHERE id = 1").fetchone()[0])


def read_validly(source: SnapshotSource, snapshot: Snapshot) -> int:
    """Read as a cell does: once more on a copy where the file changed meanwhile."""
    try:
        found = balance(snapshot.path)
    except sqlite3.DatabaseError:
        if source.still_valid(snapshot):
            raise
        return balance(source.copy().path)
    return found if source.still_valid(snapshot) else balance(source.copy().path)


def _error(source: SnapshotSource) -> BaseException:
    try:
        source.acquire()
    except Exception as error:
        return error
    raise AssertionError("no error")
