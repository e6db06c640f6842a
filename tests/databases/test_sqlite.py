"""Opening SQLite files, nested transactions, and waiting for locks."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from greynb.databases.locks import SLICE, lock_holders, wait_for_lock
from greynb.databases.sqlite import atomic, database_uri, open_readonly, open_writable
from greynb.errors import DatabaseLocked, MissingDatabase, QueryInterrupted, UnreadableDatabase
from tests.rights import ROOT_ONLY, as_nobody

ODD_NAMES = [
    "plain.db",
    "a b.db",
    "what?.db",
    "50%25.db",
    "#1.db",
    "ünï.db",
    "a'b.db",
    "back\\slash.db",
    "a:b.db",
]

WRITER = """
import sqlite3, sys
con = sqlite3.connect(sys.argv[1], isolation_level=None)
con.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked_elsewhere(path: Path) -> Iterator[int]:
    """Hold the write lock of a file in another process, and give its id."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    try:
        yield process.pid
    finally:
        process.communicate()


def table(con: sqlite3.Connection) -> list[int]:
    return [row[0] for row in con.execute("SELECT n FROM t ORDER BY n")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "dogs.db"
    with closing(open_writable(file, create=True)) as con:
        con.execute("CREATE TABLE t (n INTEGER)")
    return file


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_file_of_any_name_is_created_and_read_back(tmp_path: Path, name: str) -> None:
    if sys.platform == "win32" and set(name) & set("?\\:"):
        pytest.skip("Windows has no such file names")
    with closing(open_writable(tmp_path / name, create=True)) as con:
        con.execute("CREATE TABLE t (n INTEGER)")
        con.execute("INSERT INTO t VALUES (7)")
    with closing(open_readonly(tmp_path / name)) as con:
        assert table(con) == [7]
    assert name in [each.name for each in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        (PurePosixPath("/data/a b?.db"), "file:///data/a%20b%3F.db?mode=ro"),
        (PureWindowsPath(r"C:\data\50%.db"), "file:///C:/data/50%25.db?mode=ro"),
        (PureWindowsPath(r"\\server\share\x.db"), "file:////server/share/x.db?mode=ro"),
    ],
)
def test_the_uri_is_one_that_sqlite_reads_on_each_system(path: PurePosixPath, uri: str) -> None:
    assert database_uri(path, "ro") == uri


def test_a_writable_connection_is_in_wal_autocommits_and_enforces_foreign_keys(path: Path) -> None:
    with closing(open_writable(path, timeout=2)) as con:
        settings = [
            con.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        ]
        assert settings == ["wal", 1, 2000]
        con.execute("INSERT INTO t VALUES (1)")
        assert not con.in_transaction


def test_a_file_in_use_is_opened_in_its_old_journal_mode(path: Path) -> None:
    with closing(sqlite3.connect(path)) as con:
        con.execute("PRAGMA journal_mode = DELETE")
        con.execute("BEGIN")
        con.execute("SELECT * FROM t").fetchall()
        with closing(open_writable(path)) as other:
            assert other.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_readonly_connection_refuses_every_write(path: Path) -> None:
    with closing(open_readonly(path)) as con:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            con.execute("INSERT INTO t VALUES (1)")
        con.execute("PRAGMA query_only = OFF")
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            con.execute("INSERT INTO t VALUES (1)")


def test_a_missing_file_is_an_error_and_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(MissingDatabase):
        open_readonly(tmp_path / "none.db")
    with pytest.raises(MissingDatabase):
        open_writable(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_an_error_for_writers(tmp_path: Path) -> None:
    with pytest.raises(MissingDatabase, match="folder"):
        open_writable(tmp_path / "none" / "x.db", create=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x1f\x8b" + b"x" * 600, "gzip"),
        (b"12345678DUCK" + b"x" * 600, "DuckDB"),
        (b"race,dog\n" * 100, "other content"),
        (bytes(range(255, 0, -1)) * 8, "encrypted"),
    ],
)
@pytest.mark.parametrize("opened", [open_readonly, open_writable])
def test_a_file_of_another_kind_is_named_for_what_it_is(
    tmp_path: Path, content: bytes, said: str, opened: type
) -> None:
    file = tmp_path / "x.db"
    file.write_bytes(content)
    with pytest.raises(UnreadableDatabase, match=said):
        opened(file)
    assert file.read_bytes() == content


@ROOT_ONLY
def test_a_folder_without_the_right_to_write_is_an_error_that_says_what_to_check(path: Path) -> None:
    with closing(sqlite3.connect(path)) as con:
        con.execute("PRAGMA journal_mode = DELETE")
    path.chmod(0o666)
    path.parent.chmod(0o555)
    with as_nobody(path.parent), pytest.raises(UnreadableDatabase, match="may not be written") as refused:
        open_writable(path)
    assert "permissions of the file and its folder" in str(refused.value)


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDatabase):
        open_readonly(tmp_path)


def test_atomic_commits_at_the_end_and_nests(path: Path) -> None:
    with closing(open_writable(path)) as con:
        with atomic(con):
            con.execute("INSERT INTO t VALUES (1)")
            with atomic(con):
                con.execute("INSERT INTO t VALUES (2)")
        assert not con.in_transaction
        assert table(con) == [1, 2]


def test_an_error_inside_undoes_only_its_own_block(path: Path) -> None:
    with closing(open_writable(path)) as con:
        with atomic(con):
            con.execute("INSERT INTO t VALUES (1)")
            with pytest.raises(ZeroDivisionError), atomic(con):
                con.execute("INSERT INTO t VALUES (2)")
                with atomic(con):
                    con.execute("INSERT INTO t VALUES (3)")
                raise ZeroDivisionError
        assert table(con) == [1]


def test_an_interrupt_inside_the_outermost_block_undoes_all(path: Path) -> None:
    with closing(open_writable(path)) as con:
        with pytest.raises(KeyboardInterrupt), atomic(con), atomic(con):
            con.execute("INSERT INTO t VALUES (1)")
            raise KeyboardInterrupt
        assert not con.in_transaction
        assert table(con) == []


def test_atomic_inside_a_transaction_of_the_caller_leaves_the_commit_to_the_caller(path: Path) -> None:
    with closing(open_writable(path)) as con:
        con.execute("BEGIN")
        with atomic(con):
            con.execute("INSERT INTO t VALUES (1)")
        assert con.in_transaction
        con.execute("ROLLBACK")
        assert table(con) == []


def test_a_rollback_by_sqlite_itself_keeps_the_first_error(path: Path) -> None:
    with closing(open_writable(path)) as con:
        con.execute("CREATE UNIQUE INDEX u ON t (n)")
        with pytest.raises(sqlite3.IntegrityError), atomic(con):
            con.execute("INSERT INTO t VALUES (1)")
            con.execute("INSERT OR ROLLBACK INTO t VALUES (1)")
        assert table(con) == []


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_lock_that_stays_is_an_error_that_says_who_may_hold_it(path: Path, mode: str) -> None:
    with closing(open_writable(path, timeout=SLICE)) as con:
        con.execute(f"PRAGMA journal_mode = {mode}")
        with locked_elsewhere(path) as pid:
            with pytest.raises(DatabaseLocked, match=r"0\.3 s") as caught:
                wait_for_lock(lambda: con.execute("BEGIN IMMEDIATE"), path=path, timeout=0.3)
            if sys.platform == "linux":
                assert str(pid) in str(caught.value)
                assert list(lock_holders(path)) == [pid]


def test_a_lock_of_this_process_is_said_to_be_its_own(path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux tells who holds a lock")
    with closing(open_writable(path, timeout=SLICE)) as con, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseLocked, match="this process"):
            wait_for_lock(lambda: con.execute("BEGIN IMMEDIATE"), path=path, timeout=0.1)


def test_a_wait_for_a_lock_ends_when_it_is_released(path: Path) -> None:
    with closing(open_writable(path, timeout=SLICE)) as con, closing(open_writable(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.3, other.execute, ["COMMIT"])
        release.start()
        wait_for_lock(lambda: con.execute("BEGIN IMMEDIATE"), path=path, timeout=10)
        release.join()
        assert con.in_transaction


def test_a_wait_for_a_lock_can_be_stopped(path: Path) -> None:
    stop = threading.Event()
    with closing(open_writable(path, timeout=SLICE)) as con, closing(open_writable(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.2, stop.set).start()
        begun = time.monotonic()
        with pytest.raises(QueryInterrupted):
            wait_for_lock(lambda: con.execute("BEGIN IMMEDIATE"), path=path, timeout=30, stop=stop)
        assert time.monotonic() - begun < 0.7


def test_other_errors_end_the_wait_at_once(path: Path) -> None:
    with closing(open_writable(path)) as con, pytest.raises(sqlite3.OperationalError, match="no such table"):
        wait_for_lock(lambda: con.execute("SELECT * FROM nope"), path=path, timeout=30)
