"""Cells leave the locks alone that sqlite3 connections of the same process hold, seen by other processes."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

import pytest

from greynb.databases import descriptors
from greynb.databases.analytics import AnalyticsSession
from greynb.databases.copying import copy_files
from greynb.databases.descriptors import hold, open_database
from greynb.databases.filehash import sha256_of
from greynb.databases.fingerprint import Watched
from greynb.databases.snapshot import SnapshotSource
from greynb.databases.staging import StagingSession
from greynb.errors import PublishError
from greynb.publish import sync
from greynb.publish.pages.format import opened

pytestmark = pytest.mark.skipif(os.name == "nt", reason="on Windows locks belong to handles")
LINUX_ONLY = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc/self/fd")

_OTHER = """
import sqlite3, sys
con = sqlite3.connect(sys.argv[1], timeout=float(sys.argv[2]), isolation_level=None)
for sql in sys.argv[3:]:
    try:
        con.execute(sql).fetchall()
    except sqlite3.OperationalError as error:
        print(error)
        break
else:
    print("done")
"""
_WRITING = """
import sqlite3, sys, time
con = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)
for _ in range(100):
    con.execute("INSERT INTO note (who, pad) VALUES ('other', hex(randomblob(300)))")
    time.sleep(0.003)
"""
INSERT = "INSERT INTO note (who, pad) VALUES ('cell', hex(randomblob(300)))"
COUNT = "SELECT count(*) AS rows_ FROM note"


def other(path: Path, *statements: str, timeout: float = 0.2) -> str:
    """What another process gets that runs these statements: ``done``, or the first error."""
    command = [sys.executable, "-c", _OTHER, str(path), str(timeout), *statements]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def make(path: Path, mode: str) -> Path:
    with closing(sqlite3.connect(path)) as con:
        con.execute(f"PRAGMA journal_mode = {mode}")
        con.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, who TEXT, pad TEXT)")
        con.execute("CREATE INDEX note_who ON note (who)")
        con.commit()
    before = time.time() - 60
    os.utime(path, (before, before))
    return path


def by_writer(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as con:
        assert con.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return dict(con.execute("SELECT who, count(*) FROM note NOT INDEXED GROUP BY who"))


def rows(session: AnalyticsSession) -> int:
    frame = session.run(COUNT, {})[0].frame
    assert frame is not None
    return int(frame["rows_"][0])


def kind(session: AnalyticsSession) -> str:
    return session.snapshot.kind


@pytest.fixture
def live(tmp_path: Path) -> Path:
    return make(tmp_path / "live.db", "WAL")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return make(tmp_path / "plain.db", "DELETE")


@pytest.fixture
def user(plain: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(plain, isolation_level=None)) as con:
        yield con


def test_single_mode_loses_no_row_while_another_process_writes(live: Path) -> None:
    staging = StagingSession(live)
    analytics = AnalyticsSession(SnapshotSource(live, shared=True))
    with closing(staging), closing(analytics):
        for _ in range(3):
            staging.run(INSERT, {})
            rows(analytics)
        # A script that ends and believes that it was the last one with the file open.
        assert other(live, INSERT.replace("'cell'", "'script'")) == "done"
        assert Path(f"{live}-wal").exists()
        writing = subprocess.Popen([sys.executable, "-c", _WRITING, str(live)])
        done = 3
        while writing.poll() is None:
            staging.run(INSERT, {})
            done += 1
            rows(analytics)
    assert writing.returncode == 0
    assert by_writer(live) == {"cell": done, "script": 1, "other": 100}


def test_a_write_transaction_of_the_kernel_outlives_dual_mode_cells(
    plain: Path, user: sqlite3.Connection
) -> None:
    user.execute("BEGIN IMMEDIATE")
    with closing(AnalyticsSession(SnapshotSource(plain, shared=False))) as session:
        assert rows(session) == 0
        assert other(plain, "BEGIN IMMEDIATE") == "database is locked"
    assert other(plain, "BEGIN IMMEDIATE") == "database is locked"
    user.execute(INSERT)
    user.execute("COMMIT")
    assert by_writer(plain) == {"cell": 1}


def test_a_session_leaves_its_link_when_the_kernel_opens_the_file_later(plain: Path) -> None:
    with closing(AnalyticsSession(SnapshotSource(plain, shared=False))) as session:
        assert rows(session) == 0
        assert kind(session) == "link"
        with closing(sqlite3.connect(plain, isolation_level=None)) as user:
            user.execute("BEGIN IMMEDIATE")
            for _ in range(3):
                assert rows(session) == 0
                assert kind(session) == "copy"
                assert other(plain, "BEGIN IMMEDIATE") == "database is locked"
            user.execute(INSERT)
            user.execute("COMMIT")
        assert rows(session) == 1


@LINUX_ONLY
def test_a_file_that_nobody_has_open_is_linked_again_after_a_copy(plain: Path) -> None:
    source = SnapshotSource(plain, shared=False)
    with closing(source):
        with closing(sqlite3.connect(plain, isolation_level=None)) as user:
            user.execute(COUNT)
            assert source.acquire().kind == "copy"
            user.execute(INSERT)
        os.utime(plain, (time.time() - 60, time.time() - 60))
        assert source.acquire().kind == "link"


def test_hashing_a_second_name_as_adoption_does_leaves_locks_alone(
    tmp_path: Path, plain: Path, user: sqlite3.Connection
) -> None:
    second = tmp_path / "second.db"
    second.hardlink_to(plain)
    hashed = hashlib.sha256(second.read_bytes()).hexdigest()
    user.execute("BEGIN IMMEDIATE")
    assert sha256_of(second, lambda _: None) == hashed
    with opened(second) as pages:
        assert pages.pages == 3
    assert other(plain, "BEGIN IMMEDIATE") == "database is locked"


@pytest.mark.parametrize("layout", ["generations", "plain"])
def test_publishing_over_a_file_that_the_kernel_reads_leaves_its_locks(
    tmp_path: Path, live: Path, plain: Path, user: sqlite3.Connection, layout: Literal["generations", "plain"]
) -> None:
    second = tmp_path / "second.db"
    second.hardlink_to(plain)
    rows_ = user.execute("SELECT 1 FROM note UNION ALL SELECT 2 UNION ALL SELECT 3")
    assert rows_.fetchone() == (2,)
    with suppress(PublishError):
        sync(live, plain, layout=layout)
    assert other(second, "BEGIN EXCLUSIVE") == "database is locked"
    rows_.close()
    assert other(second, "BEGIN EXCLUSIVE") == "done"


def test_looking_and_copying_by_files_leave_locks_alone(
    tmp_path: Path, plain: Path, user: sqlite3.Connection
) -> None:
    user.execute("BEGIN IMMEDIATE")
    watched = Watched(plain)
    watched.state()
    watched.close()
    copy_files(plain, tmp_path / "copy.db")
    with open_database(plain) as file:
        assert file.read(6) == b"SQLite"
    assert other(plain, "BEGIN IMMEDIATE") == "database is locked"


def test_a_replaced_file_is_let_go_of_without_dropping_locks(
    tmp_path: Path, plain: Path, user: sqlite3.Connection
) -> None:
    user.execute("BEGIN IMMEDIATE")
    second = tmp_path / "second.db"
    second.hardlink_to(plain)
    watched = Watched(plain)
    make(tmp_path / "new.db", "DELETE").replace(plain)
    watched.state()
    watched.close()
    assert other(second, "BEGIN IMMEDIATE") == "database is locked"


def test_a_file_is_opened_once_and_closed_when_its_last_name_is_gone(plain: Path) -> None:
    first, second = hold(plain), hold(plain)
    assert first is second
    first.release()
    second.release()
    assert hold(plain) is first
    plain.unlink()
    assert first.stat().st_nlink == 0
    first.release()
    with pytest.raises(OSError):
        first.stat()
    assert first not in descriptors._table.files
