"""``with greynb.guard("ingest"):`` and what restoring does to those who have the file open."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections import namedtuple
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import greynb
from greynb.databases import copying
from greynb.errors import DatabaseError, DatabaseLocked, MissingDatabase, UnreadableDatabase, WriteRefused
from greynb.guarding.backups import backups, home_of, in_use, throw_away
from greynb.guarding.making import make
from greynb.guarding.restoring import restore
from tests.guarding.conftest import ROWS, change, rows
from tests.publish.processes import balance, booking, make_books, stop, wait_until_changed

BALANCE = "SELECT (SELECT sum(amount) FROM debit) + (SELECT sum(amount) FROM credit), max(amount) FROM debit"


def test_a_block_is_compared_and_nothing_is_offered_where_all_went_well(staging):
    said: list[str] = []
    with greynb.guard("ingest", show=said.append) as guarded:
        change(staging, "DELETE FROM races WHERE id < 10")
    assert guarded.comparison.before["races"] - guarded.comparison.after["races"] == 10
    assert not guarded.comparison.reasons and "-10" in said[-1]
    assert backups(staging)[0].label == "ingest"


def test_an_error_of_the_block_goes_on_and_the_way_back_is_said(staging):
    said: list[str] = []
    with pytest.raises(ZeroDivisionError), greynb.guard("ingest", show=said.append):
        change(staging, "DELETE FROM races")
        _ = 1 / 0
    assert f"greynb guard restore {backups(staging)[0].folder}" in said[-1]
    assert rows(staging) == []


def test_an_error_of_the_block_is_restored_at_once_where_that_was_asked_for(staging):
    before = rows(staging)
    with pytest.raises(ZeroDivisionError), greynb.guard(restore_on_failure=True, show=lambda _: None):
        change(staging, "DELETE FROM races", "DROP TABLE odds", "CREATE TABLE other (x)")
        _ = 1 / 0
    assert rows(staging) == before
    assert {each.kind for each in backups(staging)} == {"guard", "restore"}


def test_a_block_whose_own_transaction_is_open_is_not_restored_but_told_how(staging, monkeypatch):
    monkeypatch.setattr("greynb.guarding.block.restore", lambda each, told: restore(each, timeout=0.2))
    said: list[str] = []
    with closing(sqlite3.connect(staging, isolation_level=None)) as con:
        with pytest.raises(ZeroDivisionError), greynb.guard(restore_on_failure=True, show=said.append):
            change(staging, "DELETE FROM odds")
            con.execute("BEGIN IMMEDIATE")
            _ = 1 / 0
        assert "not restored" in said[-1] and "greynb guard restore" in said[-1]


def test_what_was_there_before_a_restoration_can_be_had_back(staging):
    backup = make(staging, "first")
    change(staging, "DELETE FROM races WHERE id > 100")
    later = rows(staging)
    undo = restore(backup)
    assert len(rows(staging)) == ROWS
    restore(undo)
    assert rows(staging) == later


def test_open_connections_see_what_was_restored_and_no_old_log_is_applied_to_it(staging):
    backup = make(staging, "first")
    before = rows(staging)
    with (
        closing(sqlite3.connect(staging, isolation_level=None)) as writer,
        closing(sqlite3.connect(staging, isolation_level=None)) as reader,
    ):
        writer.execute("UPDATE races SET venue = 'WRONG'")  # in WAL this stands in the log
        assert reader.execute("SELECT DISTINCT venue FROM races").fetchall() == [("WRONG",)]
        restore(backup)
        assert reader.execute("SELECT * FROM races ORDER BY 1").fetchall() == before
        writer.execute("INSERT INTO races VALUES (5000, 'AFTER')")
        assert reader.execute("SELECT count(*) FROM races").fetchone() == (ROWS + 1,)
    change(staging, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert rows(staging)[:-1] == before
    with closing(sqlite3.connect(staging)) as con:
        assert con.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_database_keeps_its_journal_mode_when_it_is_restored(staging):
    with closing(sqlite3.connect(staging)) as con:
        mode = con.execute("PRAGMA journal_mode").fetchone()
    restore(make(staging, "first"))
    with closing(sqlite3.connect(staging)) as con:
        assert con.execute("PRAGMA journal_mode").fetchone() == mode


def test_a_reader_in_a_transaction_keeps_what_it_sees_until_it_begins_anew(staging):
    change(staging, "PRAGMA journal_mode = WAL")
    backup = make(staging, "first")
    change(staging, "DELETE FROM races WHERE id >= 10")
    with closing(sqlite3.connect(staging, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM races").fetchone() == (10,)
        restore(backup)
        assert reader.execute("SELECT count(*) FROM races").fetchone() == (10,)
        reader.execute("COMMIT")
        assert reader.execute("SELECT count(*) FROM races").fetchone() == (ROWS,)


@pytest.mark.parametrize("wal", [True, False])
def test_no_reader_ever_sees_half_a_restoration(wal, tmp_path):
    books = make_books(tmp_path / "books.db", wal=wal, rows=2000)
    backup = make(books, "first")
    change(books, "UPDATE debit SET amount = 1", "UPDATE credit SET amount = -1")
    seen: set[tuple[int, int]] = set()
    done = threading.Event()

    def look() -> None:
        with closing(sqlite3.connect(books, timeout=10, isolation_level=None)) as con:
            while not done.is_set():
                seen.add(con.execute(BALANCE).fetchone())

    readers = [threading.Thread(target=look) for _ in range(2)]
    for each in readers:
        each.start()
    later = None
    for _ in range(6):
        later = restore(later or backup)
    done.set()
    for each in readers:
        each.join()
    assert seen <= {(0, 0), (0, 1)} and balance(books) == 0


@pytest.mark.parametrize("wal", [True, False])
def test_a_backup_beside_a_busy_writer_is_whole_and_nothing_is_restored_under_its_feet(wal, tmp_path):
    books = make_books(tmp_path / "books.db", wal=wal)
    writer = booking(books)
    try:
        wait_until_changed(books, 0)
        first = make(books, "busy")
        assert balance(first.file) == 0
        with pytest.raises(DatabaseLocked, match=f"writing to the database: .*process {writer.pid}"):
            restore(first)
        assert writer.poll() is None
    finally:
        stop(writer)
    assert balance(restore(first).file) == 0
    assert balance(books) == 0


def test_a_commit_between_the_copy_and_the_restoration_is_in_the_copy_as_well(staging, monkeypatch):
    """A writer that gets in just there: in a rollback mode it cannot, in WAL all begins again."""
    from greynb.guarding import restoring

    backup = make(staging, "first")
    true_copy, tried = restoring._copy_back, []

    def interfering(*args: object) -> None:
        if not tried:
            tried.append(_try(staging, "INSERT INTO races VALUES (7777, 'LATE')"))
        true_copy(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(restoring, "_copy_back", interfering)
    undo = restore(backup)
    assert len(rows(staging)) == ROWS
    assert ((7777, "LATE") in rows(undo.file)) == tried[0]


def test_a_commit_after_the_copy_begins_the_restoration_again_and_is_lost_nowhere(staging, monkeypatch):
    from greynb.guarding import restoring

    backup = make(staging, "first")
    true_keep, kept = restoring.keep, []

    def interfering(*args: object) -> object:
        kept.append(true_keep(*args))  # type: ignore[arg-type]
        if len(kept) == 1:
            assert _try(staging, "INSERT INTO races VALUES (7777, 'LATE')"), "writers may go on"
        return kept[-1]

    monkeypatch.setattr(restoring, "keep", interfering)
    undo = restore(backup)
    assert len(kept) == 2 and (7777, "LATE") in rows(undo.file)
    assert len(rows(staging)) == ROWS
    assert len(backups(staging)) == 2, "the first copy of what was there is of no use"


def _try(path: Path, statement: str) -> bool:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0.1)) as con:
        try:
            con.execute(statement)
        except sqlite3.OperationalError:
            return False
        return True


def test_a_file_that_is_gone_comes_back_in_wal_and_a_stale_log_is_refused(staging):
    backup = make(staging, "first")
    before = rows(staging)
    for each in staging.parent.glob("stage.db*"):
        each.unlink()
    log = staging.with_name("stage.db-wal")
    log.write_bytes(b"old")
    with pytest.raises(DatabaseError, match="would apply to the new one"):
        restore(backup)
    log.unlink()
    assert restore(backup) is None
    assert rows(staging) == before
    assert staging.stat().st_mode & 0o200, "it takes writes"


def test_a_backup_that_was_changed_is_not_restored(staging):
    backup = make(staging, "first")
    backup.file.chmod(0o600)
    with backup.file.open("r+b") as file:
        file.seek(5000)
        file.write(b"?")
    with pytest.raises(UnreadableDatabase, match="sha256"):
        restore(backup)


def test_backups_go_by_number_and_by_age_but_not_while_one_is_in_use(staging):
    made = [make(staging, f"number {number}") for number in range(5)]
    with in_use(made[0]):
        assert set(throw_away(staging, keep=3)) == {made[1].id}
    assert [each.label for each in backups(staging)] == ["number 4", "number 3", "number 2", "number 0"]
    old = backups(staging)[1]
    manifest = old.folder / "manifest.json"
    manifest.chmod(0o600)
    week_ago = (datetime.now(UTC) - timedelta(days=8)).isoformat(timespec="milliseconds")
    manifest.write_text(manifest.read_text().replace(old.made, week_ago))
    assert set(throw_away(staging, keep=5, keep_days=7)) == {old.id}
    assert sorted(each.name for each in home_of(staging).iterdir()) == sorted(
        each.id for each in backups(staging)
    )


def test_a_guard_keeps_its_own_backup_and_throws_older_ones_away(staging):
    for _ in range(3):
        with greynb.guard("ingest", keep=2, show=lambda _: None):
            pass
    assert len(backups(staging)) == 2


def test_a_full_disk_is_noticed_before_anything_is_written(staging, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(copying.shutil, "disk_usage", lambda _: usage(0, 0, 1000))
    with pytest.raises(DatabaseError, match="MB are needed"), greynb.guard("ingest"):
        pytest.fail("the block must not begin")
    assert not home_of(staging).exists()


def test_a_guard_that_is_killed_while_it_copies_leaves_nothing_that_looks_like_a_backup(staging):
    program = (
        "import os, sys; from pathlib import Path; from greynb.guarding.making import make;"
        "make(Path(sys.argv[1]), 'x', lambda step, _: step.startswith('check') and os.kill(os.getpid(), 9))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(staging)], check=False)
    assert done.returncode == -9
    (left,) = home_of(staging).iterdir()
    os.utime(left, (0, 0))
    make(staging, "next")
    assert [each.label for each in backups(staging)] == ["next"] and not left.exists()


def test_a_restoration_that_is_killed_leaves_the_state_before_it(staging):
    change(staging, "CREATE TABLE filler AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
           " WHERE i < 3000) SELECT i, randomblob(3000) AS b FROM n")  # fmt: skip
    backup = make(staging, "first")
    change(staging, "DELETE FROM races WHERE id > 9")
    program = (
        "import os, sys; from pathlib import Path; from greynb.guarding.backups import backup_named;"
        "from greynb.guarding.restoring import restore;"
        "restore(backup_named(None, sys.argv[1]),"
        " told=lambda step, part: step == 'restore' and os.kill(os.getpid(), 9))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(backup.folder)], check=False)
    assert done.returncode == -9
    assert len(rows(staging)) == 10
    with closing(sqlite3.connect(staging)) as con:
        assert con.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    restore(backup)
    assert len(rows(staging)) == ROWS


def test_a_backup_is_no_more_readable_than_the_file(staging):
    staging.chmod(0o600)
    assert make(staging, "first").file.stat().st_mode & 0o777 == 0o400


def test_a_published_version_and_a_missing_file_are_not_guarded(staging, monkeypatch):
    greynb.sync(mirror=False)
    monkeypatch.setenv("STAGING_DB_PATH", str(staging.with_name("analytics.db")))
    with pytest.raises(WriteRefused, match="published version"), greynb.guard("ingest"):
        pytest.fail("the block must not begin")
    monkeypatch.setenv("STAGING_DB_PATH", str(staging.with_name("gone.db")))
    with pytest.raises(MissingDatabase, match="STAGING_DB_PATH"), greynb.guard("ingest"):
        pytest.fail("the block must not begin")


def test_a_moved_folder_of_backups_is_restored_to_where_it_is_now(staging, tmp_path):
    make(staging, "first")
    moved = tmp_path / "moved"
    shutil.copytree(staging.parent, moved)
    change(moved / staging.name, "DELETE FROM races")
    restore(backups(moved / staging.name)[0])
    assert len(rows(moved / staging.name)) == ROWS


def test_a_writer_in_a_transaction_stops_a_restoration(staging):
    backup = make(staging, "first")
    with closing(sqlite3.connect(staging, isolation_level=None)) as con:
        con.execute("BEGIN IMMEDIATE")
        con.execute("DELETE FROM races")
        with pytest.raises(DatabaseLocked):
            restore(backup, timeout=0.2)
        con.execute("COMMIT")
    assert rows(staging) == []
