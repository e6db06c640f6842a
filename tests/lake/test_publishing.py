"""Publishing to a lake: in one transaction, by the rows that changed, and checked."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import greynb
from greynb import api
from greynb.errors import DatabaseError, PublishError
from greynb.lake.attaching import ALIAS, opened
from greynb.lake.publishing import publish
from greynb.lake.snapshots import snapshots
from greynb.routing import Settings
from tests.lake.conftest import Lake


def test_a_first_publication_holds_every_row_and_its_version_is_the_commit_message(lake: Lake) -> None:
    done = api.sync()
    assert (done.id, done.mode) == ("lake-000001", "full")
    assert dict(done.rows) == {"races": 5000, "tips": 900, "free": 300, "tracks": 7}
    route = Settings.current().route("analytics")
    assert route.lake is not None
    with closing(opened(route.lake)) as con:
        newest = snapshots(con, route.lake)[0]
    assert (newest.message, newest.info["mode"]) == ("lake-000001", "full")
    assert api.verify().equal


def test_only_rows_that_changed_are_written(lake: Lake) -> None:
    api.sync()
    lake.execute(
        "UPDATE races SET prize = 0 WHERE id IN (7, 4000)",
        "DELETE FROM races WHERE id = 9",
        "INSERT INTO races VALUES (9000, 'new', '2025-01-01', 1, NULL)",
        "INSERT INTO tips VALUES (9000, 'dog 1', 2)",
    )
    done = api.sync()
    races = done.tables["races"]
    assert (done.id, done.mode) == ("lake-000002", "incremental")
    assert (races.inserted, races.updated, races.deleted) == (1, 2, 1)
    assert done.tables["tips"].rows == 901
    assert not done.tables["free"].changed
    assert api.verify().equal


def test_an_unchanged_staging_publishes_nothing(lake: Lake) -> None:
    api.sync()
    assert api.sync().mode == "unchanged"
    assert [each.id for each in api.history()] == ["lake-000001"]


def test_a_publisher_without_its_copy_replaces_every_table_and_says_so(lake: Lake) -> None:
    api.sync()
    shutil.rmtree(lake.folder / ".stage.lake")
    lake.execute("DELETE FROM races WHERE id > 100")
    done = api.sync()
    assert (done.mode, done.reason) == ("full", "the publisher has no copy of what the lake holds")
    assert api.verify().equal


def test_tables_that_come_go_or_change_their_columns_are_made_anew(lake: Lake) -> None:
    api.sync()
    lake.execute(
        "DROP TABLE free",
        "ALTER TABLE tips ADD COLUMN place INTEGER",
        "UPDATE races SET prize = 'unknown' WHERE id = 5",
        "CREATE TABLE dogs (name TEXT)",
        "INSERT INTO dogs VALUES ('Rex')",
    )
    api.sync()
    assert api.verify().equal
    assert lake.rows("SELECT table_name FROM information_schema.tables ORDER BY ALL") == [
        (name,) for name in ("dogs", "races", "tips", "tracks")
    ]
    assert lake.rows("SELECT prize FROM races WHERE id = 5") == [("unknown",)]


def test_rolling_back_makes_a_new_version_with_the_old_rows(lake: Lake) -> None:
    api.sync()
    before = lake.rows("SELECT sum(id), sum(prize) FROM races")
    lake.execute("DELETE FROM races WHERE id % 3 = 0", "DROP TABLE tips")
    api.sync()
    done = api.rollback()
    assert (done.id, done.mode) == ("lake-000003", "rollback")
    assert "the version was rolled back to" in str(greynb.status())
    assert lake.rows("SELECT sum(id), sum(prize) FROM races") == before
    assert lake.rows("SELECT count(*) FROM tips") == [(900,)]
    assert [(each.id, each.mode, each.current) for each in api.history()] == [
        ("lake-000003", "rollback", True),
        ("lake-000002", "incremental", False),
        ("lake-000001", "full", False),
    ]


def test_rolling_back_to_what_is_not_there_says_what_is(lake: Lake) -> None:
    api.sync()
    with pytest.raises(PublishError, match="no older version"):
        api.rollback()
    with pytest.raises(PublishError, match="lake-000009") as caught:
        api.rollback(9)
    assert "lake-000001" in str(caught.value)


def test_verify_names_the_rows_that_differ(lake: Lake) -> None:
    api.sync()
    lake.execute("UPDATE races SET track = 'moved' WHERE id = 77")
    found = {each.name: each for each in api.verify().tables}
    assert found["tips"].state == "equal"
    assert found["races"].state == "different"
    assert [str(row) for row in found["races"].rows] == [
        "rowid = 77: track: 'moved' in staging, 'track 0' in analytics"
    ]


def test_what_a_plan_left_out_differs_by_plan_also_after_a_rollback(lake: Lake) -> None:
    (lake.folder / "greynb.toml").write_text('[tables]\nexclude = ["tips"]\n')
    api.sync(mode="etl")
    assert {each.name: each.state for each in api.verify().tables} == {
        "free": "equal",
        "races": "equal",
        "tips": "by plan",
        "tracks": "equal",
    }
    api.sync(mode="full")
    api.rollback()
    assert api.verify().equal


def test_a_plan_excuses_no_table_that_cannot_be_read(lake: Lake) -> None:
    (lake.folder / "greynb.toml").write_text('[tables]\nexclude = ["tips"]\n')
    api.sync(mode="etl")
    for file in lake.folder.glob("races.ducklake.files/main/races/*.parquet"):
        file.unlink()
    found = api.verify()
    assert {each.name: each.state for each in found.tables}["races"] == "unreadable"
    assert not found.equal


def test_a_lake_whose_description_is_gone_is_told_as_one_that_cannot_be_read(lake: Lake) -> None:
    api.sync()
    shutil.rmtree(lake.folder / "races.ducklake.files" / "greynb")
    with pytest.raises(DatabaseError, match="the DuckLake cannot be read"):
        api.verify()


def test_a_dry_run_makes_no_lake(lake: Lake) -> None:
    assert api.sync(dry_run=True).dry_run
    assert not lake.catalogue.exists()


def test_the_second_of_two_publishers_at_once_is_refused_and_nothing_is_mixed(lake: Lake) -> None:
    api.sync()
    lake.execute("DELETE FROM races WHERE id > 4000")
    server = Settings.current().route("analytics").lake
    assert server is not None
    with closing(opened(server, writing=True)) as other:
        other.execute("BEGIN")
        other.execute(f"SELECT count(*) FROM {ALIAS}.greynb.contents").fetchall()
        api.sync()
        other.execute(f"DELETE FROM {ALIAS}.greynb.contents")
        with pytest.raises(duckdb.Error):
            other.execute("COMMIT")
    assert api.verify().equal


def test_a_publisher_killed_before_its_commit_leaves_the_old_version(lake: Lake) -> None:
    api.sync()
    before = lake.rows("SELECT count(*), sum(prize) FROM races")
    lake.execute("DELETE FROM races WHERE id % 2 = 0")
    ready = lake.folder / "ready"
    code = f"""
import pathlib, time
from greynb import api
def told(step, part):
    if step == "commit":
        pathlib.Path({str(ready)!r}).touch()
        time.sleep(600)
api.sync(progress=told)
"""
    process = subprocess.Popen([sys.executable, "-c", code], env=dict(os.environ))
    try:
        end = time.monotonic() + 120
        while not ready.exists():
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert lake.rows("SELECT count(*), sum(prize) FROM races") == before
    assert api.sync().id == "lake-000002"
    assert api.verify().equal


def test_the_history_and_a_publication_are_plain_values_for_json(lake: Lake) -> None:
    done = api.sync()
    assert json.loads(json.dumps(done.to_dict()))["target"] == f"ducklake:{lake.catalogue}"
    assert json.dumps([each.as_dict() for each in api.history()])


CHANGES = st.lists(
    st.tuples(st.sampled_from(["insert", "update", "delete"]), st.integers(1, 120), st.integers(-5, 5)),
    max_size=12,
)


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rounds=st.lists(CHANGES, min_size=1, max_size=3))
def test_any_changes_end_as_a_publication_of_everything_would(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[list[tuple[str, int, int]]]
) -> None:
    folder = tmp_path_factory.mktemp("lake")
    staging = folder / "stage.db"
    one = Settings.from_environ({"ANALYTICS_DB_PATH": f"ducklake:{folder / 'one'}"}, folder).route(
        "analytics"
    )
    two = Settings.from_environ({"ANALYTICS_DB_PATH": f"ducklake:{folder / 'two'}"}, folder).route(
        "analytics"
    )
    assert one.lake is not None and two.lake is not None
    with closing(sqlite3.connect(staging)) as con, con:
        con.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b REAL)")
        con.executemany("INSERT INTO t VALUES (?, ?, ?)", [(n, n, n / 2) for n in range(1, 100)])
    publish(staging, one.lake)
    for changes in rounds:
        with closing(sqlite3.connect(staging)) as con, con:
            for kind, row, value in changes:
                con.execute(*_statement(kind, row, value))
        publish(staging, one.lake)
    publish(staging, two.lake, mode="full")
    assert _content(one.lake) == _content(two.lake)


def _statement(kind: str, row: int, value: int) -> tuple[str, tuple[int, ...]]:
    if kind == "insert":
        return "INSERT OR REPLACE INTO t VALUES (?, ?, ?)", (row, value, value)
    if kind == "update":
        return "UPDATE t SET a = ? WHERE id = ?", (value, row)
    return "DELETE FROM t WHERE id = ?", (row,)


def _content(lake: object) -> list[tuple[object, ...]]:
    with closing(opened(lake)) as con:  # type: ignore[arg-type]
        return con.execute(f"SELECT * FROM {ALIAS}.main.t ORDER BY ALL").fetchall()


def test_staging_and_its_folder_stay_as_they_were(lake: Lake, tmp_path: Path) -> None:
    before = {each.name for each in tmp_path.iterdir()}
    api.sync()
    assert {each.name for each in tmp_path.iterdir()} - before == {
        ".stage.lake",
        "races.ducklake",
        "races.ducklake.files",
    }
