"""Incremental publications: what is taken over, what is not, and that nothing differs from a full one."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb.databases.generations import home_of
from greynb.errors import PublishError, UsageError
from greynb.publish import SyncResult, TableResult, full, sync
from greynb.publish.confirmed import CONFIRMED
from tests.publish import processes
from tests.publish.processes import make_books


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    return make_books(tmp_path / "stage.db", wal=True, rows=3000)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        for sql in statements:
            con.execute(sql)


def manifest(result: SyncResult) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.path.with_name("manifest.json").read_text())
    return found


def held(result: SyncResult) -> list[Any]:
    """What a manifest says about the content."""
    found = manifest(result)
    return [found[name] for name in ("rows", "content", "census", "broken_keys", "schema")]


def full_one(stage: Path, folder: Path) -> SyncResult:
    return sync(stage, folder / "full.db", mode="full")


# What is done


def test_the_first_publication_is_a_full_one_and_says_so(stage: Path, target: Path) -> None:
    result = sync(stage, target)
    assert (result.asked, result.mode, result.id) == ("incremental", "full", "gen-000001")
    assert "first version" in result.reason
    assert result.reason in str(result)


def test_inserted_updated_and_deleted_rows_are_counted_exactly(
    tmp_path: Path, stage: Path, target: Path
) -> None:
    sync(stage, target)
    run(
        stage,
        "UPDATE debit SET amount = 7 WHERE id BETWEEN 100 AND 104",
        "DELETE FROM debit WHERE id = 2000",
        "INSERT INTO debit VALUES (9001, 1, NULL), (9002, 1.5, 'x')",
    )
    result = sync(stage, target)
    assert (result.mode, result.id, result.reason) == ("incremental", "gen-000002", "")
    assert result.tables["debit"] == TableResult(3001, 2, 5, 1)
    assert result.tables["credit"] == TableResult(3000, 0, 0, 0)
    assert result.pages is not None and 0 < (result.pages_changed or 0) < result.pages / 4
    assert result.lag_closed is not None and 0 <= result.lag_closed < 60
    assert held(result) == held(full_one(stage, tmp_path))


@pytest.mark.parametrize("noted", [True, False])
def test_an_unchanged_staging_publishes_nothing(stage: Path, target: Path, noted: bool) -> None:
    sync(stage, target)
    if not noted:
        (home_of(target) / CONFIRMED).unlink()
    result = sync(stage, target)
    assert (result.mode, result.id) == ("unchanged", "gen-000001")
    assert ("copy" in result.seconds) != noted
    assert {each.name for each in home_of(target).iterdir()} >= {"gen-000001"}
    assert not (home_of(target) / "gen-000002").exists()
    assert result.path == target.resolve()


def test_a_version_that_was_written_to_is_replaced_even_if_staging_is_unchanged(
    stage: Path, target: Path
) -> None:
    path = sync(stage, target).path
    path.chmod(0o644)
    run(path, "DELETE FROM debit")
    result = sync(stage, target)
    assert result.mode == "full"
    assert "written to" in result.reason
    assert result.rows["debit"] == 3000


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("PRAGMA journal_mode = DELETE", "PRAGMA page_size = 8192", "VACUUM"), "page size"),
        (("DELETE FROM debit WHERE id % 2", "DELETE FROM credit WHERE id % 3", "VACUUM"), "pages changed"),
        (("DROP TABLE debit", "ALTER TABLE credit ADD COLUMN more"), "definition changed"),
    ],
)
def test_a_fall_back_says_why(
    tmp_path: Path, stage: Path, target: Path, change: tuple[str, ...], reason: str
) -> None:
    sync(stage, target)
    run(stage, *change)
    result = sync(stage, target)
    assert result.mode == "full"
    assert reason in result.reason
    assert held(result) == held(full_one(stage, tmp_path))


@pytest.mark.parametrize(
    "change",
    [
        "CREATE VIEW v AS SELECT * FROM debit",
        "CREATE INDEX i ON debit (amount)",
        "PRAGMA user_version = 9",
        "CREATE TABLE new (a)",
        "ALTER TABLE debit RENAME TO other",
        "DROP TABLE credit",
        "ALTER TABLE debit ADD COLUMN more TEXT DEFAULT 'x'",
    ],
)
def test_a_change_of_the_schema_alone_is_published(
    tmp_path: Path, stage: Path, target: Path, change: str
) -> None:
    sync(stage, target)
    run(stage, change)
    result = sync(stage, target)
    assert (result.mode, result.id) == ("incremental", "gen-000002")
    assert held(result) == held(full_one(stage, tmp_path))


def test_rows_of_added_and_dropped_tables_are_counted(stage: Path, target: Path) -> None:
    sync(stage, target)
    run(stage, "CREATE TABLE new AS SELECT 1 AS a", "DROP TABLE credit")
    tables = sync(stage, target).tables
    assert tables["new"] == TableResult(1, 1, 0, 0)
    assert tables["credit"] == TableResult(None, 0, 0, 3000)


def test_broken_foreign_keys_are_reported_and_carried_on(stage: Path, target: Path) -> None:
    run(
        stage,
        "CREATE TABLE child (id INTEGER PRIMARY KEY, of INTEGER REFERENCES debit (id))",
        "INSERT INTO child VALUES (1, 1), (2, -5), (3, -6), (4, NULL)",
    )
    for change in ("UPDATE credit SET amount = 2 WHERE id = 5", "UPDATE debit SET amount = 2 WHERE id = 5"):
        assert "2 foreign keys in child lead nowhere" in sync(stage, target).notices
        run(stage, change)
    run(stage, "DELETE FROM child WHERE id = 2")
    assert "1 foreign keys in child lead nowhere" in sync(stage, target).notices


# What is asked for


def test_a_dry_run_writes_nothing(stage: Path, target: Path) -> None:
    result = sync(stage, target, dry_run=True)
    assert (result.id, result.mode, result.dry_run) == ("gen-000001", "full", True)
    assert result.bytes >= stage.stat().st_size
    assert "would be published" in str(result)
    assert not home_of(target).exists()
    sync(stage, target)
    assert sync(stage, target, dry_run=True).mode == "unchanged"
    run(stage, "DELETE FROM debit")
    result = sync(stage, target, dry_run=True)
    assert (result.id, result.mode) == ("gen-000002", "incremental")
    assert not (home_of(target) / "gen-000002").exists()


def test_verify_reads_every_row_of_both(stage: Path, target: Path) -> None:
    sync(stage, target)
    run(stage, "UPDATE debit SET amount = 1 WHERE id = 77")
    result = sync(stage, target, verify=True)
    assert result.mode == "incremental"
    assert "verify" in result.seconds
    assert sync(stage, target, verify=True).mode == "unchanged"


def test_a_copy_that_is_not_what_staging_holds_is_refused() -> None:
    with pytest.raises(PublishError, match="debit"):
        full.check_equal({"debit": "1:a:1:00", "credit": None}, {"debit": "1:a:1:01", "credit": None})


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_as_many_old_versions_stay_as_asked_for(stage: Path, target: Path, keep: int) -> None:
    for number in range(5):
        run(stage, f"UPDATE debit SET amount = {number + 1} WHERE id = 1")
        sync(stage, target, keep=keep)
    assert len(list(home_of(target).glob("gen-*"))) == keep + 1


@pytest.mark.parametrize("wrong", [{"mode": "quick"}, {"mode": "etl"}, {"keep": -1}])
def test_a_wrong_call_is_refused(stage: Path, target: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        sync(stage, target, **wrong)
    assert not home_of(target).exists()


def test_a_plan_is_applied_to_the_copy_alone(tmp_path: Path, stage: Path, target: Path) -> None:
    from greynb.publish.etl import load_plan

    (tmp_path / "greynb.toml").write_text('[tables]\nexclude = ["credit"]\n')
    plan = load_plan(tmp_path)
    for _ in range(2):
        run(stage, "UPDATE debit SET amount = amount + 1 WHERE id = 9")
        result = sync(stage, target, mode="etl", plan=plan)
        assert result.mode == "etl"
        assert set(result.rows) == {"debit"}
    back = sync(stage, target)
    assert set(back.rows) == {"debit", "credit"}
    assert any("plan" in notice for notice in back.notices)


def test_of_many_tables_those_that_hold_rows_are_listed_first(stage: Path, target: Path) -> None:
    run(stage, *(f"CREATE TABLE a{number} (n)" for number in range(30)))
    listed = [line.split()[:2] for line in str(sync(stage, target)).splitlines()]
    place = {name: at for at, (name, *_) in enumerate(listed)}
    assert place["credit"] < place["debit"] < place["a0"]
    assert ["and", "12"] in listed  # 30 + 2, of which 20 are shown


def test_the_result_is_shown_and_given_to_machines(stage: Path, target: Path) -> None:
    sync(stage, target)
    run(stage, 'ALTER TABLE debit RENAME TO "<b>"', "UPDATE credit SET amount = 1 WHERE id < 3")
    result = sync(stage, target)
    assert json.loads(json.dumps(result.to_dict()))["tables"]["credit"]["updated"] == 3
    assert "&lt;b&gt;" in result._repr_html_()
    assert "<b>" in str(result)


# The same as a full one


NAMES = ("a", "b")
STATEMENTS = st.sampled_from(
    [
        "INSERT INTO {t} (x, y, d) VALUES ({n}, 'ü' || {n}, date('2025-01-01', '+{n} days'))",
        "INSERT INTO {t} (x, y, d) VALUES ({n} / 2.0, {n}, {n})",
        "INSERT INTO {t} (x, y, d) VALUES (CAST(x'ff' AS TEXT), x'00', '2025-02-30')",
        "INSERT INTO {t} (x, y) SELECT x, hex(randomblob(900)) FROM {t} LIMIT 40",
        "UPDATE {t} SET y = y || 'z' WHERE k % 7 = {n} % 7",
        "UPDATE {t} SET k = k + 100000 WHERE k = {n}",
        "UPDATE {t} SET d = NULL, x = -{n} WHERE k = {n}",
        "DELETE FROM {t} WHERE k % 5 = {n} % 5",
        "DELETE FROM {t} WHERE x = (SELECT max(x) FROM {t})",
        "DELETE FROM {t}",
        "INSERT OR REPLACE INTO w VALUES ('{n}', {n})",
        "CREATE INDEX IF NOT EXISTS i{t} ON {t} (y)",
        "DROP INDEX IF EXISTS i{t}",
        "CREATE VIEW IF NOT EXISTS v AS SELECT a.x, b.d FROM a JOIN b USING (k)",
        "ALTER TABLE {t} ADD COLUMN c{n} REAL DEFAULT {n}",
        "VACUUM",
    ]
)
HISTORY = st.lists(st.tuples(STATEMENTS, st.sampled_from(NAMES), st.integers(0, 60)), max_size=8)


def begin(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute("PRAGMA page_size = 1024")
        for name in NAMES:
            con.execute(
                f"CREATE TABLE {name} (k INTEGER PRIMARY KEY, x INTEGER, y TEXT, d DATE, flag BOOLEAN)"
            )
            con.execute(
                f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO"
                f" {name} SELECT i, i * 3, 'row ' || i, date('2024-01-01', i || ' days'), i % 2 FROM n"
            )
        con.execute("CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID")


@settings(max_examples=8)
@given(st.lists(HISTORY, min_size=1, max_size=3))
def test_after_any_history_an_incremental_version_equals_a_full_one(
    histories: list[list[tuple[str, str, int]]],
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        stage, target = folder / "stage.db", folder / "analytics.db"
        begin(stage)
        sync(stage, target)
        for history in histories:
            for sql, table, n in history:
                try:
                    run(stage, sql.format(t=table, n=n))
                except sqlite3.Error as error:
                    assert "duplicate column" in str(error) or "UNIQUE" in str(error)
            result = sync(stage, target, verify=True)
            wanted = full_one(stage, folder)
            assert result.mode in ("incremental", "unchanged", "full")
            found, expected = held(result), held(wanted)
            assert found[:4] == expected[:4]
            assert sorted(map(repr, found[4])) == sorted(map(repr, expected[4]))


def test_versions_stay_whole_while_another_process_commits(stage: Path, target: Path) -> None:
    sync(stage, target)
    writer = processes.booking(stage, pause=0.005)
    try:
        processes.wait_until_changed(stage, 0)
        for _ in range(6):
            assert processes.balance(sync(stage, target, verify=True).path) == 0
    finally:
        processes.stop(writer)
