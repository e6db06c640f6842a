"""The history of versions and going back, on real files with real processes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest

from greynb.databases.generations import SECOND_NAME, generation_at, generations, home_of
from greynb.databases.snapshot import SnapshotSource
from greynb.errors import PublisherBusy, PublishError
from greynb.publish import sync
from greynb.publish.home import publishing
from greynb.publish.versions import history, history_text, rollback
from tests.publish.processes import balance, make_books

LAYOUTS: list[Literal["generations", "plain"]] = ["generations", "plain"]


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    return make_books(tmp_path / "stage.db", wal=True)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


def book(path: Path, amount: int) -> None:
    """Change both tables in one transaction, so that the balance stays zero."""
    with closing(sqlite3.connect(path)) as con:
        con.execute("UPDATE debit SET amount = amount + ?", (amount,))
        con.execute("UPDATE credit SET amount = amount - ?", (amount,))
        con.commit()


def total(path: Path) -> int:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as con:
        return int(con.execute("SELECT sum(amount) FROM debit").fetchone()[0])


def publish(stage: Path, target: Path, layout: Literal["generations", "plain"], times: int) -> list[int]:
    """Publish so often, each time with other amounts; gives the totals."""
    totals = []
    for number in range(times):
        book(stage, number + 1)
        sync(stage, target, layout=layout)
        totals.append(total(target))
    return totals


# History


def test_the_history_lists_versions_with_all_that_their_manifests_say(stage: Path, target: Path) -> None:
    publish(stage, target, "generations", 3)
    newest, middle, oldest = history(target)
    assert (newest.id, newest.number, newest.current, newest.intact) == ("gen-000003", 3, True, True)
    assert not middle.current and not oldest.current
    assert newest.rows == 800 and newest.bytes == target.stat().st_size
    assert newest.published and middle.published and newest.published > middle.published
    assert f"process {os.getpid()}" in newest.who
    assert newest.as_dict()["published"] == newest.published.isoformat()


def test_there_is_no_history_before_the_first_publication(target: Path) -> None:
    assert history(target) == []
    assert "greynb sync" in history_text([])


def test_a_version_that_somebody_reads_is_shown_as_held(stage: Path, target: Path) -> None:
    publish(stage, target, "generations", 2)
    source = SnapshotSource(target, shared=False)
    source.acquire()
    assert [each.held for each in history(target)] == [True, False]
    source.close()
    assert [each.held for each in history(target)] == [False, False]


def test_looking_at_the_history_never_makes_a_reader_take_a_copy(stage: Path, target: Path) -> None:
    publish(stage, target, "generations", 2)
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            history(target)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for _ in range(150):
            source = SnapshotSource(target, shared=False)
            assert source.acquire().kind == "generation"
            source.close()
    finally:
        stop.set()
        looking.join()


def test_a_changed_file_is_shown_as_damaged(stage: Path, target: Path) -> None:
    publish(stage, target, "generations", 2)
    old = history(target)[1]
    file = home_of(target) / old.id / "analytics.db"
    file.chmod(0o644)
    with file.open("ab") as written:
        written.write(b"x")
    assert [each.intact for each in history(target)] == [True, False]
    assert "damaged" in history_text(history(target))


def test_hard_links_count_once_in_the_disk_use(stage: Path, target: Path) -> None:
    publish(stage, target, "generations", 2)
    before = sum(each.disk_bytes for each in history(target))
    rollback(target)
    newest, middle, oldest = history(target)
    assert oldest.disk_bytes < 100_000 < newest.disk_bytes and newest.bytes == oldest.bytes
    assert sum(each.disk_bytes for each in (newest, middle, oldest)) < before + 100_000


# Going back


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_rollback_publishes_the_version_before_as_a_new_one(
    stage: Path, target: Path, layout: Literal["generations", "plain"]
) -> None:
    totals = publish(stage, target, layout, 3)
    result = rollback(target)
    assert (result.id, result.mode, total(target)) == ("gen-000004", "rollback", totals[1])
    assert target.is_symlink() == (layout == "generations")
    newest, *_ = history(target)
    assert (newest.id, newest.mode, newest.source, newest.current) == (
        "gen-000004",
        "rollback",
        "gen-000002",
        True,
    )
    assert newest.intact and balance(target) == 0


@pytest.mark.parametrize("name", ["gen-000001", "1", 1])
def test_a_rollback_goes_to_the_version_that_is_named(stage: Path, target: Path, name: str | int) -> None:
    totals = publish(stage, target, "generations", 3)
    rollback(target, name)
    assert total(target) == totals[0]


def test_a_second_rollback_takes_the_first_one_back(stage: Path, target: Path) -> None:
    totals = publish(stage, target, "generations", 2)
    rollback(target)
    assert total(target) == totals[0]
    rollback(target)
    assert total(target) == totals[1]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_file_of_a_rollback_is_a_second_name_and_both_versions_stay_intact(
    stage: Path, target: Path, layout: Literal["generations", "plain"]
) -> None:
    publish(stage, target, layout, 2)
    rollback(target, 1)
    assert (home_of(target) / "gen-000001/analytics.db").samefile(target)
    assert all(each.intact for each in history(target))


def test_a_version_stays_intact_when_its_second_name_goes_away(stage: Path, target: Path) -> None:
    publish(stage, target, "generations", 2)
    old = SnapshotSource(home_of(target) / "gen-000001/analytics.db", shared=False)
    snapshot = old.acquire()
    assert snapshot.id == "gen-000001"
    rollback(target, 1, keep=0)
    publish(stage, target, "generations", 4)
    names = [each.id for each in history(target)]
    assert "gen-000003" not in names and "gen-000001" in names
    assert snapshot.path.stat().st_nlink == 1
    assert old.still_valid(snapshot) and history(target)[-1].intact
    old.close()


def test_where_no_hard_link_can_be_made_the_rollback_is_a_copy(
    stage: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    totals = publish(stage, target, "generations", 2)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    rollback(target, 1)
    assert total(target) == totals[0]
    assert not (home_of(target) / "gen-000001/analytics.db").samefile(target)
    assert target.stat().st_mode & 0o777 == 0o444
    assert all(each.intact for each in history(target))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_killed_rollback_leaves_the_old_or_the_new_version(
    stage: Path, target: Path, layout: Literal["generations", "plain"]
) -> None:
    totals = publish(stage, target, layout, 2)
    program = "import sys\nfrom pathlib import Path\nfrom greynb.publish.versions import rollback\n"
    program += "print('ready', flush=True)\nwhile True: rollback(Path(sys.argv[1]))"
    for number in range(6):
        command = [sys.executable, "-c", program, str(target)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            time.sleep(0.02 + number * 0.013)
            process.kill()
        assert total(target) in totals and balance(target) == 0
        current = next(each for each in history(target) if each.current)
        assert current.intact
    sync(stage, target, layout=layout)
    assert total(target) == total(stage)
    assert not [each for each in home_of(target).iterdir() if each.name.startswith(".build-")]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_publication_after_a_rollback_is_right(
    stage: Path, target: Path, layout: Literal["generations", "plain"]
) -> None:
    totals = publish(stage, target, layout, 3)
    rollback(target, 1)
    sync(stage, target, layout=layout)
    assert total(target) == totals[2] == total(stage)
    rollback(target, 1) if any(each.number == 1 for each in generations(home_of(target))) else rollback(
        target
    )
    book(stage, 50)
    sync(stage, target, layout=layout)
    assert total(target) == total(stage)


def test_an_unknown_version_is_refused_with_what_is_there(stage: Path, target: Path) -> None:
    publish(stage, target, "generations", 2)
    with pytest.raises(PublishError, match="no version gen-000009") as caught:
        rollback(target, 9)
    assert "gen-000002 (current), gen-000001" in str(caught.value)
    assert [each.id for each in history(target)] == ["gen-000002", "gen-000001"]


def test_the_current_version_is_refused(stage: Path, target: Path) -> None:
    publish(stage, target, "generations", 2)
    with pytest.raises(PublishError, match="current version already"):
        rollback(target, 2)


def test_without_any_version_nothing_is_made(target: Path) -> None:
    with pytest.raises(PublishError, match="no older version"):
        rollback(target)
    assert not home_of(target).exists()


def test_one_version_alone_has_none_before_it(stage: Path, target: Path) -> None:
    publish(stage, target, "generations", 1)
    with pytest.raises(PublishError, match="no older version"):
        rollback(target)


def test_a_flipped_bit_is_found_before_the_switch(stage: Path, target: Path) -> None:
    totals = publish(stage, target, "generations", 2)
    old = generation_at(target.parent / ".analytics/gen-000001/analytics.db")
    assert old is not None
    (old.folder / SECOND_NAME).touch()  # else the changed ctime alone gives it away
    times = old.database.stat()
    old.database.chmod(0o644)
    with old.database.open("r+b") as file:
        file.seek(-5, os.SEEK_END)
        file.write(b"!")
    os.utime(old.database, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(PublishError, match="gen-000001 is damaged"):
        rollback(target)
    assert total(target) == totals[1]
    assert [each.id for each in history(target)] == ["gen-000002", "gen-000001"]
    sync(stage, target)
    assert total(target) == total(stage)


def test_a_file_that_was_put_over_the_published_one_is_kept(stage: Path, target: Path) -> None:
    totals = publish(stage, target, "generations", 2)
    target.unlink()
    make_books(target, rows=3)
    result = rollback(target, 1)
    assert total(target) == totals[0]
    assert any("kept as gen-000003" in notice for notice in result.notices)


def test_a_publisher_at_work_is_waited_for_and_then_named(stage: Path, target: Path) -> None:
    totals = publish(stage, target, "generations", 2)
    begun, let_go = threading.Event(), threading.Event()

    def publisher() -> None:
        with publishing(target):
            begun.set()
            let_go.wait(20)

    other = threading.Thread(target=publisher)
    other.start()
    begun.wait(20)
    with pytest.raises(PublisherBusy, match=f"process {os.getpid()}"):
        rollback(target, wait=0.2)
    assert total(target) == totals[1]
    threading.Timer(0.3, let_go.set).start()
    rollback(target, wait=20)
    other.join()
    assert total(target) == totals[0]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_readers_see_no_mixture_while_versions_go_back_and_forth(
    stage: Path, target: Path, layout: Literal["generations", "plain"]
) -> None:
    publish(stage, target, layout, 2)
    stop, torn, seen = threading.Event(), [], set()

    def read() -> None:
        source = SnapshotSource(target, shared=False)
        while not stop.is_set():
            snapshot = source.acquire()
            found = balance(snapshot.path)
            if found or not source.still_valid(snapshot):
                torn.append((snapshot.id, found))
            seen.add(snapshot.id)
        source.close()

    readers = [threading.Thread(target=read) for _ in range(2)]
    for each in readers:
        each.start()
    deadline = time.monotonic() + 2.0
    while time.monotonic() < deadline:
        rollback(target)
    stop.set()
    for each in readers:
        each.join()
    assert not torn and len(seen) > 3


@pytest.mark.parametrize("keep_times", [True, False])
def test_a_copied_folder_holds_the_versions_that_it_held(tmp_path: Path, keep_times: bool) -> None:
    staging = tmp_path / "one" / "staging.db"
    staging.parent.mkdir()
    for number in (1, 2):
        with closing(sqlite3.connect(staging)) as con, con:
            con.execute("CREATE TABLE IF NOT EXISTS t (a INTEGER)")
            con.execute("INSERT INTO t VALUES (?)", [number])
        sync(staging, tmp_path / "one" / "analytics.db")
    copy = shutil.copy2 if keep_times else shutil.copyfile
    shutil.copytree(tmp_path / "one", tmp_path / "two", symlinks=True, copy_function=copy)
    target = tmp_path / "two" / "analytics.db"
    assert [each.intact for each in history(target)] == [True, True]
    assert rollback(target).mode == "rollback"
    with closing(sqlite3.connect(target)) as con:
        assert con.execute("SELECT count(*) FROM t").fetchone() == (1,)
    written = tmp_path / "two" / ".analytics" / "gen-000002" / "analytics.db"
    written.chmod(0o644)
    content = written.read_bytes()
    written.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert not next(each for each in history(target) if each.id == "gen-000002").intact


def test_a_rollback_to_what_greynb_did_not_make_claims_no_number_of_rows(stage: Path, target: Path) -> None:
    make_books(target)
    sync(stage, target)
    said = str(rollback(target))
    assert "0 rows" not in said and "0 tables" not in said
