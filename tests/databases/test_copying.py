"""Copies of a database that others write to: one moment of it, whole, whichever way they are made."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb.databases.copying import connect, copy_database, reading
from greynb.databases.frozen import frozen, tidied
from greynb.errors import UnreadableDatabase

needs_list_of_locks = pytest.mark.skipif(
    not Path("/proc/locks").exists(), reason="only Linux tells which lock a reader holds"
)

# Moves points between accounts, 100 in all, and moves the log into the file all the time.
STORM = """
import random, sqlite3, sys
con = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
con.execute("PRAGMA synchronous = OFF")
con.execute("PRAGMA wal_autocheckpoint = 3")
print("on", flush=True)
while True:
    con.execute("BEGIN IMMEDIATE")
    for sign in (1, -1):
        where = random.randrange(1000)
        con.execute("UPDATE account SET points = points + ? WHERE id = ?", (sign, where))
    con.execute("COMMIT")
    if not random.randrange(10):
        con.execute(f"PRAGMA wal_checkpoint({random.choice(['PASSIVE', 'RESTART', 'TRUNCATE'])})").fetchall()
"""


@pytest.fixture(params=["wal", "delete"])
def database(request, tmp_path):
    """A thousand accounts on some fifty pages."""
    path = tmp_path / "a database's file.db"
    with closing(sqlite3.connect(path)) as con:
        con.execute(f"PRAGMA journal_mode = {request.param}").fetchone()
        con.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, points INTEGER, note TEXT)")
        con.executemany(
            "INSERT INTO account VALUES (?, ?, ?)", ((n, 100 * (n == 0), "x" * 200) for n in range(1000))
        )
        con.commit()
    return path


@contextmanager
def storm(path):
    """A process that writes without a pause."""
    with subprocess.Popen([sys.executable, "-c", STORM, str(path)], stdout=subprocess.PIPE, text=True) as run:
        try:
            assert run.stdout.readline() == "on\n"
            yield
        finally:
            run.kill()


@contextmanager
def snapshot(path):
    with closing(connect(path, "rw")) as con:
        tidied(con, path)
        with reading(con, path):
            yield con


def rows(con):
    return con.execute("SELECT * FROM account ORDER BY id").fetchall()


@needs_list_of_locks
def test_a_copy_beside_a_writer_is_what_its_transaction_sees_byte_by_byte_or_by_backup(database, tmp_path):
    ways = set()
    with storm(database):
        for number in range(150):
            copy = tmp_path / f"copy-{number}.db"
            with snapshot(database) as con:
                ways.add(frozen(con, database))
                copy_database(con, copy, path=database)
                seen = rows(con)
            with closing(sqlite3.connect(copy)) as other:
                assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                assert rows(other) == seen
            assert sum(points for _, points, _ in seen) == 100
            assert [each.name for each in tmp_path.glob("copy-*")] == [copy.name]
            copy.unlink()
    assert True in ways


@needs_list_of_locks
def test_a_file_that_is_frozen_stays_as_it_is_while_others_commit_and_checkpoint(database):
    with closing(sqlite3.connect(database, isolation_level=None, timeout=0)) as writer:
        writer.execute("UPDATE account SET points = points + 1 WHERE id = 7")
        with snapshot(database) as con:
            assert frozen(con, database)
            before = database.read_bytes()
            if in_rollback_mode(con):
                with pytest.raises(sqlite3.OperationalError, match="locked"):
                    writer.execute("UPDATE account SET points = 0")
            else:
                writer.execute("UPDATE account SET points = 0")
                writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            assert database.read_bytes() == before
        writer.execute("UPDATE account SET points = 1")
        writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        assert database.read_bytes() != before


@needs_list_of_locks
def test_a_file_is_not_copied_as_it_is_where_a_transaction_needs_its_log(database, tmp_path):
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        if in_rollback_mode(writer):
            pytest.skip("there is no log")
        with closing(sqlite3.connect(database, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM account").fetchone()
            writer.execute("UPDATE account SET points = points + 1 WHERE id = 7")
            with snapshot(database) as con:
                assert not frozen(con, database)
                copy_database(con, tmp_path / "copy.db", path=database)
    with closing(sqlite3.connect(tmp_path / "copy.db")) as other:
        assert other.execute("SELECT points FROM account WHERE id = 7").fetchone() == (1,)


@needs_list_of_locks
def test_a_file_is_not_copied_as_it_is_where_another_connection_here_needs_the_log(database):
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        if in_rollback_mode(other):
            pytest.skip("there is no log")
        other.execute("UPDATE account SET points = points + 1 WHERE id = 7")
        other.execute("BEGIN")
        other.execute("SELECT * FROM account").fetchone()  # of the log
        with snapshot(database) as con:
            assert not frozen(con, database)


@needs_list_of_locks
def test_a_copy_is_of_the_file_that_the_transaction_reads_also_when_another_took_its_name(database, tmp_path):
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as con:
        con.execute("CREATE TABLE other AS SELECT hex(randomblob(500000)) a")
        con.commit()
    with snapshot(database) as con:
        assert frozen(con, database)
        other.replace(database)
        assert not frozen(con, database)
        copy_database(con, tmp_path / "copy.db", path=database)
        seen = rows(con)
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert rows(copy) == seen


# Leaves a commit in the log as a killed program does, and copies as a user who may only read.
READER = """
import os, sqlite3, sys
from pathlib import Path
from greynb.databases.copying import connect, copy_database, reading
path, copy = map(Path, sys.argv[1:])
if not os.fork():
    con = sqlite3.connect(path, isolation_level=None)
    con.execute("UPDATE account SET points = points + 1 WHERE id = 7")
    os._exit(0)
os.wait()
for each in path.parent.iterdir():
    each.chmod(0o444)
if not os.getuid():
    os.setuid(65534)
con = connect(path)
with reading(con, path):
    copy_database(con, copy, path=path)
print(sqlite3.connect(copy).execute("SELECT points FROM account WHERE id = 7").fetchone()[0])
"""


@needs_list_of_locks
@pytest.mark.skipif(not hasattr(os, "setuid"), reason="needs a user who may not write")
def test_a_reader_who_may_not_write_beside_the_file_copies_what_only_the_log_holds(database):
    with tempfile.TemporaryDirectory() as folder:
        source, results = Path(folder, "source"), Path(folder, "results")
        source.mkdir()
        results.mkdir()
        for each, mode in ((folder, 0o755), (source, 0o755), (results, 0o777)):
            Path(each).chmod(mode)
        shutil.copy(database, source / "a.db")
        run = subprocess.run(
            [sys.executable, "-c", READER, source / "a.db", results / "copy.db"],
            capture_output=True,
            text=True,
        )
    assert (run.stdout, run.stderr) == ("1\n", "")


@needs_list_of_locks
def test_a_copy_of_a_file_that_a_program_without_locks_shortens_fails(database, tmp_path):
    def cut(_done):
        os.truncate(database, 4096)

    with closing(connect(database, "rw")) as con, reading(con, database):
        assert frozen(con, database)
        with pytest.raises(UnreadableDatabase, match="shorter"):
            copy_database(con, tmp_path / "copy.db", path=database, progress=cut)
    assert not (tmp_path / "copy.db").exists()


@given(st.sampled_from([512, 1024, 4096, 65536]), st.lists(st.binary(max_size=3000), max_size=40))
@settings(max_examples=30, deadline=None)
def test_a_copy_byte_by_byte_holds_the_same_rows_at_any_page_size(tmp_path_factory, size, values):
    folder = tmp_path_factory.mktemp("pages")
    with closing(sqlite3.connect(folder / "a.db")) as con:
        con.execute(f"PRAGMA page_size = {size}")
        con.execute("PRAGMA journal_mode = WAL").fetchone()
        con.execute("CREATE TABLE t (a)")
        con.executemany("INSERT INTO t VALUES (?)", ((each,) for each in values))
        con.execute("DELETE FROM t WHERE rowid % 3 = 0")
        con.commit()
        with snapshot(folder / "a.db") as seen:
            copy_database(seen, folder / "b.db", path=folder / "a.db")
        with closing(sqlite3.connect(folder / "b.db")) as copy:
            assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
            assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            rows = "SELECT rowid, a FROM t"
            assert copy.execute(rows).fetchall() == con.execute(rows).fetchall()


def in_rollback_mode(con):
    return con.execute("PRAGMA journal_mode").fetchone()[0] != "wal"
