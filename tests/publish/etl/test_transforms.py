"""Transforms: in order, all or nothing, on the copy alone, and errors that name file, line and statement."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from greynb.errors import PublishError
from tests.publish.etl.helpers import applied, database, dump, query

PLAN = "transforms = 't'\n"
ENDLESS = (
    "SELECT count(*) FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n);"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "t").mkdir()
    return database(
        tmp_path / "d.db", "CREATE TABLE t (a INTEGER UNIQUE); INSERT INTO t VALUES (1), (2), (3)"
    )


def transform(path: Path, name: str, sql: str | bytes) -> None:
    (path.parent / "t" / name).write_bytes(sql.encode() if isinstance(sql, str) else sql)


def test_transforms_run_in_order_and_count_rows(path: Path) -> None:
    transform(path, "20_last.sql", "INSERT INTO u SELECT a * 10 FROM t;")
    transform(
        path, "10_first.sql", "-- first\n\nDELETE FROM t WHERE a = 3;\nCREATE TABLE u (a);\nSELECT * FROM t"
    )
    transform(path, "30_empty.sql", "-- nothing yet")
    transform(path, "notes.txt", "DROP TABLE t")
    report = applied(path, PLAN)
    assert query(path, "SELECT a FROM u") == [(10,), (20,)]
    ran = [
        (each.file, [(one.line, one.sql, one.rows) for one in each.statements]) for each in report.transforms
    ]
    assert ran == [
        (
            "t/10_first.sql",
            [(3, "DELETE FROM t WHERE a = 3", 1), (4, "CREATE TABLE u (a)", 0), (5, "SELECT * FROM t", 0)],
        ),
        ("t/20_last.sql", [(1, "INSERT INTO u SELECT a * 10 FROM t", 2)]),
        ("t/30_empty.sql", []),
    ]
    assert list(report.seconds)[:2] == ["tables", "transforms"]


def test_a_failing_statement_is_named_and_nothing_is_kept(path: Path) -> None:
    before = dump(path)
    transform(path, "1.sql", "DELETE FROM t WHERE a = 1;")
    transform(path, "2.sql", "\ufeffDELETE FROM t WHERE a = 2;\n\n  UPDATE t\n  SET a = absent;")
    with pytest.raises(PublishError) as caught:
        applied(path, PLAN)
    assert str(caught.value).startswith(
        "t/2.sql, line 3: no such column: absent\n  UPDATE t\n    SET a = absent"
    )
    assert dump(path) == before


REFUSED = {
    "ATTACH ':memory:' AS other": "ATTACH is not allowed",
    "DETACH main": "DETACH is not allowed",
    "BEGIN": "BEGIN is not allowed",
    "COMMIT": "COMMIT is not allowed",
    "/* so */ END": "COMMIT is not allowed",
    "ROLLBACK": "ROLLBACK is not allowed",
    "SAVEPOINT a": "SAVEPOINT is not allowed",
    "VACUUM": "VACUUM is not allowed",
    "VACUUM INTO 'elsewhere.db'": "VACUUM is not allowed",
    "/* so */ VACUUM INTO 'elsewhere.db'": "VACUUM is not allowed",
    "ANALYZE": "ANALYZE is not allowed",
    "PRAGMA journal_mode = WAL": "PRAGMA journal_mode is not allowed",
    "PRAGMA foreign_keys = ON": "PRAGMA foreign_keys is not allowed",
    "PRAGMA temp_store_directory = 'x'": "PRAGMA temp_store_directory is not allowed",
    "PRAGMA writable_schema = ON": "PRAGMA writable_schema is not allowed",
    "PRAGMA page_size = 512": "PRAGMA page_size is not allowed",
    "SELECT load_extension('x')": "load_extension",
    "INSERT OR ROLLBACK INTO t VALUES (8), (8)": "UNIQUE constraint failed",
    "SELECT :a": "line 2: ",
    "SELECT 1 \0": "line 2: ",
    "SELEC": 'near "SELEC"',
    "INSERT INTO t VALUES (1": "incomplete input",
    "DELETE FROM sqlite_schema": "may not be modified",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_does_not_belong_into_a_transform_is_refused(path: Path, sql: str) -> None:
    before = dump(path)
    transform(path, "1.sql", f"DELETE FROM t;\n{sql};")
    with pytest.raises(PublishError) as caught:
        applied(path, PLAN)
    assert str(caught.value).startswith("t/1.sql, line 2: ")
    assert REFUSED[sql] in str(caught.value)
    assert dump(path) == before
    assert sorted(each.name for each in path.parent.iterdir()) == ["d.db", "greynb.toml", "t"]


def test_questions_about_the_copy_are_allowed(path: Path) -> None:
    transform(
        path,
        "1.sql",
        "PRAGMA table_info(t); PRAGMA user_version = 7; SELECT * FROM pragma_table_list;"
        "CREATE TEMP TABLE scratch AS SELECT * FROM t; CREATE TABLE u AS SELECT max(a) AS m FROM scratch;"
        "CREATE TRIGGER tr AFTER INSERT ON u BEGIN DELETE FROM t; SELECT 1; END; INSERT INTO u VALUES (0);",
    )
    applied(path, PLAN)
    assert query(path, "PRAGMA user_version") == [(7,)]
    assert query(path, "SELECT m FROM u") == [(3,), (0,)]
    assert query(path, "SELECT * FROM t") == []


def test_temporary_tables_do_not_hide_the_published_ones(path: Path) -> None:
    transform(
        path,
        "1.sql",
        "INSERT INTO t VALUES (NULL); CREATE TEMP TABLE t AS SELECT 1 AS a;"
        "CREATE TEMP VIEW v AS SELECT * FROM t;"
        "CREATE TEMP TRIGGER tr AFTER INSERT ON main.t BEGIN SELECT 1; END; CREATE INDEX temp.i ON t (a)",
    )
    with pytest.raises(PublishError, match=r"t.a not null: no value in 1 rows\n *rowid 4"):
        applied(path, f"{PLAN}[contracts]\nt.not_null = ['a']")
    applied(path, f"{PLAN}[types]\nt.a = 'text'")
    assert query(path, "SELECT a FROM t") == [("1",), ("2",), ("3",), (None,)]


@pytest.mark.parametrize(
    ("content", "problem"), [(b"SELECT '\xff'", "is not UTF-8"), (None, "cannot be read")]
)
def test_a_file_that_cannot_be_read_is_named(path: Path, content: bytes | None, problem: str) -> None:
    if content is None:
        (path.parent / "t" / "1.sql").mkdir()
    else:
        transform(path, "1.sql", content)
    with pytest.raises(PublishError, match=f"t/1.sql: the transform {problem}"):
        applied(path, PLAN)


def test_progress_goes_up_to_one_and_may_stop(path: Path) -> None:
    transform(path, "1.sql", "SELECT 1")
    told: list[float] = []
    applied(path, PLAN, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    transform(path, "2.sql", f"DELETE FROM t; {ENDLESS}")
    before = dump(path)
    begun = time.monotonic()

    def stop(_: float) -> None:
        if time.monotonic() > begun + 0.2:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        applied(path, PLAN, progress=stop)
    assert dump(path) == before


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_ends_a_transform_and_leaves_the_copy_alone(path: Path) -> None:
    transform(path, "1.sql", f"DELETE FROM t; {ENDLESS}")
    (path.parent / "greynb.toml").write_text(PLAN)
    before = dump(path)
    code = (
        "import sys; from pathlib import Path; from greynb.publish.etl import apply, load_plan\n"
        "path = Path(sys.argv[1]); plan = load_plan(path.parent); print('go', flush=True)\n"
        "try: apply(path, plan)\n"
        "except KeyboardInterrupt: print('stopped')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "go\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "stopped\n"
    assert dump(path) == before
    assert not Path(f"{path}-journal").exists()


def test_a_plan_is_applied_on_any_thread(path: Path) -> None:
    done: list[object] = []
    worker = threading.Thread(target=lambda: done.append(applied(path, PLAN)))
    worker.start()
    worker.join()
    assert len(done) == 1


def test_a_file_that_is_no_database_is_an_error(path: Path) -> None:
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(
        PublishError, match="could not be applied: the file is not a SQLite database"
    ) as caught:
        applied(path, PLAN)
    assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)
