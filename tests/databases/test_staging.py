"""Staging cells: one transaction each, interruptible, and no lock left behind."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb.databases.parameters import bind
from greynb.databases.staging import INVALID_TEXT, StagingSession, StatementFailed
from greynb.errors import DatabaseLocked, MissingDatabase, QueryError, QueryInterrupted, UnreadableDatabase

ENDLESS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)"
EXTERNAL_WRITE = """
import sqlite3, sys
con = sqlite3.connect(sys.argv[1], timeout=0)
con.execute("INSERT INTO t VALUES (-1)")
con.commit()
con.execute("DELETE FROM t WHERE n = -1")
con.commit()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stage.db"


@pytest.fixture
def session(path: Path) -> Iterator[StagingSession]:
    opened = StagingSession(path, timeout=0.3)
    opened.run("CREATE TABLE t (n INTEGER PRIMARY KEY, name TEXT)")
    yield opened
    opened.close()


def rows(path: Path) -> list[int]:
    """What another connection sees."""
    with closing(sqlite3.connect(path)) as con:
        return [row[0] for row in con.execute("SELECT n FROM t ORDER BY n")]


def write_elsewhere(path: Path) -> None:
    """Write from another process that does not wait for locks; fails where one is held."""
    script = EXTERNAL_WRITE.replace("INTO t VALUES", "INTO t (n) VALUES")
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)


def interrupted(session: StagingSession, sql: str, ready: Callable[[], bool] = lambda: True) -> float:
    """Interrupt a cell that would not end, once it runs; the seconds from the call until it returned."""
    called: list[float] = []

    def interrupt() -> None:
        time.sleep(0.1)
        while session.progress() is None or not ready():
            time.sleep(0.005)
        called.append(time.monotonic())
        session.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(QueryInterrupted):
        session.run(sql)
    ended = time.monotonic()
    thread.join()
    return ended - called[0]


def test_a_new_file_is_created_and_the_first_result_says_so(path: Path) -> None:
    with closing(StagingSession(path)) as session:
        first = session.run("CREATE TABLE t (n); CREATE TABLE u (n)")
        assert [result.notices for result in first] == [("stage.db did not exist and was created",), ()]
        assert session.run("SELECT 1")[0].notices == ()


@pytest.mark.parametrize(
    ("cell", "dry_run"),
    [
        ("SELECT 1", False),
        ("INSERT INTO t VALUES (1)", False),
        ("PRAGMA user_version = 1", False),
        ("VACUUM", False),
        ("CREATE TEMP TABLE t (n)", False),
        ("CREATE TABLE t (n)", True),
    ],
)
def test_a_cell_that_creates_nothing_makes_no_file(path: Path, cell: str, dry_run: bool) -> None:
    with closing(StagingSession(path)) as session:
        with pytest.raises(MissingDatabase, match="does not exist"):
            session.run(cell, dry_run=dry_run)
        assert not path.exists()
        session.run("-- new\nCREATE TABLE t (n)")
        assert session.run("SELECT * FROM t", dry_run=True)[0].notices == ()


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with closing(StagingSession(tmp_path / "none" / "x.db")) as session, pytest.raises(MissingDatabase):
        session.run("SELECT 1")
    assert list(tmp_path.iterdir()) == []


def test_each_statement_has_its_place_its_rows_and_its_count(session: StagingSession) -> None:
    results = session.run(
        "INSERT INTO t VALUES (1, 'a'), (2, 'b');\n\n"
        "UPDATE t SET name = 'c' WHERE n > 1;\n"
        "INSERT INTO t SELECT n + 10, name FROM t;\r\n"
        "WITH old AS (SELECT 1 AS n) DELETE FROM t WHERE n IN (SELECT n FROM old) RETURNING name;\n"
        "SELECT n FROM t ORDER BY n; -- last"
    )
    assert [(each.number, each.line, each.affected) for each in results] == [
        (1, 1, 2),
        (2, 3, 1),
        (3, 4, 2),
        (4, 5, 1),
        (5, 6, None),
    ]
    assert results[0].frame is None
    assert results[3].frame is not None and results[3].frame.to_dict("list") == {"name": ["a"]}
    assert results[4].frame is not None and results[4].frame["n"].tolist() == [2, 11, 12]


def test_rows_changed_by_triggers_are_not_counted(session: StagingSession) -> None:
    session.run(
        "CREATE TABLE log (n); CREATE TRIGGER tr AFTER INSERT ON t BEGIN"
        " INSERT INTO log VALUES (new.n); INSERT INTO log VALUES (-new.n); END;"
    )
    assert session.run("INSERT INTO t (n) VALUES (5)")[0].affected == 1
    assert session.run("INSERT OR IGNORE INTO t (n) VALUES (5)")[0].affected == 0


@pytest.mark.parametrize("sql", ["", " ;; ", "-- nothing\r\n", "/* nothing */"])
def test_a_cell_without_statements_does_nothing_at_all(path: Path, sql: str) -> None:
    with closing(StagingSession(path)) as session:
        assert session.run(sql) == []
    assert not path.exists()


def test_bound_parameters_reach_the_statements_that_name_them(session: StagingSession) -> None:
    bound = bind(
        "INSERT INTO t VALUES (:n, $name);\nSELECT count(*) FROM t WHERE n IN (:ns)",
        {"n": 3, "name": "x", "ns": [1, 3]},
        dialect="sqlite",
    )
    result = session.run(bound.sql, bound.parameters)[-1].frame
    assert result is not None and result.iloc[0, 0] == 1


@pytest.mark.parametrize(
    ("failing", "said"),
    [
        ("INSERT INTO t (n) VALUES (1)", "UNIQUE"),
        ("SELECT * FROM nope", "no such table"),
        ("SELEC 1", "syntax error"),
        ("INSERT OR ROLLBACK INTO t (n) VALUES (1)", "UNIQUE"),
        ("SELECT :missing", "missing"),
    ],
)
def test_a_failing_statement_is_named_and_undoes_the_whole_cell(
    session: StagingSession, path: Path, failing: str, said: str
) -> None:
    with pytest.raises(StatementFailed, match=said) as caught:
        session.run(f"INSERT INTO t (n) VALUES (1);\n\n{failing};\nDELETE FROM t")
    assert (caught.value.number, caught.value.line, caught.value.sql) == (2, 3, failing)
    assert isinstance(caught.value.__cause__, sqlite3.Error)
    assert rows(path) == []
    assert session.run("INSERT INTO t (n) VALUES (4)")[0].affected == 1
    assert rows(path) == [4]


def test_a_foreign_key_broken_at_the_commit_undoes_the_cell(session: StagingSession) -> None:
    session.run("CREATE TABLE dog (t REFERENCES t DEFERRABLE INITIALLY DEFERRED)")
    for dry_run in (True, False):
        with pytest.raises(QueryError, match="could not be committed"):
            session.run("INSERT INTO dog VALUES (9)", dry_run=dry_run)
    session.run("INSERT INTO dog VALUES (9); INSERT INTO t (n) VALUES (9)", dry_run=True)
    frame = session.run("SELECT count(*) FROM dog")[0].frame
    assert frame is not None and frame.iloc[0, 0] == 0


def test_a_dry_run_does_everything_and_keeps_nothing(session: StagingSession, path: Path) -> None:
    results = session.run("INSERT INTO t (n) VALUES (1), (2); SELECT n FROM t", dry_run=True)
    assert results[0].affected == 2
    assert results[1].frame is not None and results[1].frame["n"].tolist() == [1, 2]
    assert rows(path) == []


@pytest.mark.parametrize(
    "sql",
    [
        *("BEGIN", "COMMIT", "end", "ROLLBACK", "SAVEPOINT a", "RELEASE a", "ATTACH 'x.db' AS x", "DETACH x"),
        *("PRAGMA locking_mode = EXCLUSIVE", "PRAGMA main.busy_timeout(5)", "PRAGMA query_only = ON"),
        *('PRAGMA "locking_mode" = EXCLUSIVE', "VACUUM INTO 'x.db'"),
    ],
)
@pytest.mark.parametrize("before", ["", "DELETE FROM t; "])
def test_what_would_break_the_frame_of_a_cell_is_refused_before_anything_runs(
    session: StagingSession, path: Path, sql: str, before: str
) -> None:
    session.run("INSERT INTO t (n) VALUES (1)")
    with pytest.raises(QueryError, match="nothing was run"):
        session.run(before + sql)
    assert rows(path) == [1]
    assert [each.name for each in path.parent.glob("x*")] == []


ALONE = ["VACUUM", "PRAGMA journal_mode = DELETE", "PRAGMA wal_checkpoint", "PRAGMA main.foreign_keys(0)"]


@pytest.mark.parametrize("sql", ALONE)
def test_what_needs_no_transaction_runs_alone_and_only_alone(session: StagingSession, sql: str) -> None:
    assert len(session.run(f"{sql};")) == 1
    with pytest.raises(QueryError, match="cannot run inside a transaction"):
        session.run(f"SELECT 1; {sql}")
    with pytest.raises(QueryError, match="no dry run"):
        session.run(sql, dry_run=True)


def test_reading_pragmas_mix_with_other_statements(session: StagingSession) -> None:
    results = session.run("PRAGMA journal_mode; PRAGMA user_version = 7; PRAGMA user_version; SELECT 1")
    frames = [result.frame for result in results if result.frame is not None]
    assert [frame.iloc[0, 0] for frame in frames] == ["wal", 7, 1]


def test_foreign_keys_are_enforced_and_switching_them_off_is_said(session: StagingSession) -> None:
    session.run("CREATE TABLE dog (t REFERENCES t)")
    with pytest.raises(StatementFailed, match="FOREIGN KEY"):
        session.run("INSERT INTO dog VALUES (9)")
    assert "not enforced" in session.run("PRAGMA foreign_keys = OFF")[0].notices[0]
    assert session.run("INSERT INTO dog VALUES (9)")[0].affected == 1


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM t",
        "SELECT * FROM t LIMIT 1; SELECT 1",
        "INSERT INTO t (n) VALUES (50) RETURNING n",
        "INSERT INTO t (n) VALUES (1)",
        "SELECT * FROM nope",
        "CREATE TEMP TABLE mine AS SELECT * FROM t; SELECT * FROM mine",
        "EXPLAIN QUERY PLAN SELECT * FROM t",
        "PRAGMA table_info(t)",
        "VACUUM",
    ],
)
def test_another_process_can_write_right_after_each_cell(
    session: StagingSession, path: Path, mode: str, sql: str
) -> None:
    session.run(f"PRAGMA journal_mode = {mode}")
    session.run("INSERT INTO t (n) VALUES (1), (2), (3)")
    for dry_run in (False, True):
        try:
            session.run(sql, dry_run=dry_run)
        except QueryError as error:
            assert not isinstance(error, DatabaseLocked)
    write_elsewhere(path)


def test_a_plain_copy_of_the_file_holds_what_a_cell_wrote(session: StagingSession, path: Path) -> None:
    session.run("INSERT INTO t (n) VALUES (1)")
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    assert rows(copy) == [1]


@pytest.mark.parametrize("sql", ["SELECT n FROM t", "WITH a AS (SELECT 1) SELECT * FROM a", "VALUES (1)"])
def test_cells_that_only_read_do_not_wait_for_a_writer(session: StagingSession, path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert len(session.run(sql)) == 1
        with pytest.raises(DatabaseLocked, match=r"0\.3 s"):
            session.run("INSERT INTO t (n) VALUES (1)")
        assert len(session.run("CREATE TEMP TABLE mine AS SELECT 1 AS a; SELECT a FROM mine")) == 2


def test_a_reader_in_the_way_of_the_commit_is_waited_for(session: StagingSession, path: Path) -> None:
    session.run("PRAGMA journal_mode = DELETE")
    session.run("INSERT INTO t (n) VALUES (1)")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM t").fetchall()
        with pytest.raises(DatabaseLocked):
            session.run("INSERT INTO t (n) VALUES (2)")
    assert rows(path) == [1]


@pytest.mark.parametrize(
    "sql",
    [
        f"{ENDLESS} SELECT count(*) FROM c",
        f"{ENDLESS} SELECT n FROM c",
        f"INSERT INTO t (n) VALUES (-5); INSERT INTO t (n) {ENDLESS} SELECT n FROM c",
        f"DELETE FROM t; {ENDLESS} SELECT max(n) FROM c; SELECT 1",
    ],
)
def test_an_interrupt_stops_the_cell_at_once_and_undoes_it(
    session: StagingSession, path: Path, sql: str
) -> None:
    session.run("INSERT INTO t (n) VALUES (0)")
    for _ in range(3):
        assert interrupted(session, sql) < 0.5
        assert rows(path) == [0]
        assert session.run("UPDATE t SET name = 'x'")[0].affected == 1
    write_elsewhere(path)


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_an_interrupt_ends_a_wait_for_a_lock(path: Path, mode: str) -> None:
    with closing(StagingSession(path, timeout=60)) as session:
        session.run("CREATE TABLE t (n INTEGER PRIMARY KEY)")
        session.run(f"PRAGMA journal_mode = {mode}")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert interrupted(session, "INSERT INTO t VALUES (1)") < 0.5
        assert session.run("INSERT INTO t VALUES (1)")[0].affected == 1


def test_an_interrupt_while_nothing_runs_is_harmless(session: StagingSession) -> None:
    session.interrupt()
    assert session.run("INSERT INTO t (n) VALUES (1)")[0].affected == 1
    session.close()
    session.interrupt()


def test_progress_counts_the_rows_of_the_running_statement(session: StagingSession) -> None:
    assert session.progress() is None

    def fetching() -> bool:
        progress = session.progress()
        return progress is not None and (progress.rows or 0) > 0

    interrupted(session, f"{ENDLESS} SELECT n FROM c", ready=fetching)
    assert session.progress() is None


def test_a_session_serves_several_threads_one_after_the_other(session: StagingSession, path: Path) -> None:
    threads = [
        threading.Thread(target=session.run, args=[f"INSERT INTO t (n) VALUES ({n})"]) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(path) == list(range(8))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps an open file where it is")
def test_a_replaced_file_is_opened_again(session: StagingSession, path: Path) -> None:
    session.run("INSERT INTO t (n) VALUES (1)")
    other = path.with_name("other.db")
    with closing(sqlite3.connect(other)) as con:
        con.executescript("CREATE TABLE t (n INTEGER PRIMARY KEY); INSERT INTO t VALUES (77)")
    other.replace(path)
    session.run("INSERT INTO t (n) VALUES (78)")
    assert rows(path) == [77, 78]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps an open file where it is")
def test_a_deleted_file_is_made_anew_and_that_is_said(session: StagingSession, path: Path) -> None:
    path.unlink()
    with pytest.raises(MissingDatabase):
        session.run("SELECT name FROM sqlite_master")
    assert "was created" in session.run("CREATE TABLE t (n)")[0].notices[0]
    assert rows(path) == []


def test_a_file_that_is_no_database_stays_untouched(path: Path) -> None:
    path.write_bytes(b"race,dog\n" * 200)
    with closing(StagingSession(path)) as session, pytest.raises(UnreadableDatabase):
        session.run("CREATE TABLE t (n)")
    assert path.read_bytes() == b"race,dog\n" * 200


def test_texts_that_are_not_utf8_are_shown_and_the_rest_is_exact(session: StagingSession) -> None:
    session.run("INSERT INTO t VALUES (1, CAST(x'61ff' AS TEXT)), (2, 'größe')")
    result = session.run("SELECT name FROM t ORDER BY n")[0]
    assert result.frame is not None and result.frame["name"].tolist() == ["a\\xff", "größe"]
    assert result.notices == (INVALID_TEXT,)
    assert session.run("SELECT 'größe'")[0].notices == ()


WRITES = st.sampled_from(["INSERT INTO t (n) VALUES ({n})", "DELETE FROM t WHERE n = {n}", "DELETE FROM t"])
CELLS = st.lists(st.tuples(WRITES, st.integers(0, 3)).map(lambda pair: pair[0].format(n=pair[1])), max_size=5)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(CELLS, st.booleans()), max_size=6))
def test_any_cells_leave_what_whole_transactions_would(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[list[str], bool]]
) -> None:
    path = tmp_path_factory.mktemp("cells") / "stage.db"
    expected: set[int] = set()
    with closing(StagingSession(path)) as session:
        session.run("CREATE TABLE t (n INTEGER PRIMARY KEY)")
        for statements, dry_run in cells:
            after = model(expected, statements)
            try:
                session.run(";\n".join(statements), dry_run=dry_run)
                assert after is not None
            except StatementFailed:
                assert after is None
            expected = expected if dry_run or after is None else after
            assert rows(path) == sorted(expected)


def model(before: set[int], statements: list[str]) -> set[int] | None:
    """The table after a cell, or None where an insert meets its own number."""
    now = set(before)
    for statement in statements:
        number = int(statement.rstrip(")")[-1]) if statement[-1] in "0123)" else None
        if number is None:
            now.clear()
        elif statement.startswith("DELETE"):
            now.discard(number)
        elif number in now:
            return None
        else:
            now.add(number)
    return now
