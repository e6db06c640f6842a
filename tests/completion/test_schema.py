"""What is known of a role's tables while a statement is written."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from greynb.completion.schema import FIRST, Schema, Schemas
from greynb.databases.analytics import AnalyticsSession
from greynb.databases.snapshot import SnapshotSource
from greynb.databases.staging import StagingSession
from tests.notebook.shell import make_databases


@pytest.fixture
def analytics(tmp_path: Path) -> Iterator[AnalyticsSession]:
    make_databases(tmp_path)
    session = AnalyticsSession(SnapshotSource(tmp_path / "analytics.db", shared=False))
    yield session
    session.close()


def asked(schemas: Schemas, session: AnalyticsSession | StagingSession) -> Schema:
    """Ask until something is known, as somebody does who presses Tab again."""
    for _ in range(100):
        if (found := schemas.of(session)).tables:
            return found
    raise AssertionError("nothing became known")


def test_tables_views_and_temporary_tables_of_analytics_are_known(analytics: AnalyticsSession) -> None:
    analytics.run("CREATE TEMP TABLE mine AS SELECT 1 AS one, 'x' AS two")
    analytics.run("SELECT * FROM races")
    schema = asked(Schemas(), analytics)
    assert set(schema.tables) == {"races", "runs", "mine"}
    assert [(each.name, each.type) for each in schema.columns("MINE")] == [
        ("one", "INTEGER"),
        ("two", "VARCHAR"),
    ]
    assert ("race_date", "DATE") in [(each.name, each.type) for each in schema.columns("races")]


def test_a_changed_file_is_noticed(analytics: AnalyticsSession, tmp_path: Path) -> None:
    schemas = Schemas()
    assert "added" not in asked(schemas, analytics).tables
    with closing(sqlite3.connect(tmp_path / "analytics.db")) as con:
        con.execute("CREATE TABLE added (n INTEGER)")
        con.commit()
    deadline = time.monotonic() + 30
    while "added" not in schemas.of(analytics).tables:
        assert time.monotonic() < deadline


def test_while_a_statement_runs_what_was_known_is_given_without_asking(analytics: AnalyticsSession) -> None:
    schemas = Schemas()
    before = asked(schemas, analytics)
    long = "SELECT sum(sin(i) * cos(j)) FROM range(300000) a(i), range(300000) b(j)"
    errors: list[BaseException] = []

    def run() -> None:
        try:
            analytics.run(long)
        except Exception as error:
            errors.append(error)

    running = threading.Thread(target=run)
    running.start()
    try:
        while analytics.outline() is not None:  # until it has begun
            time.sleep(0.01)
        for _ in range(20):
            assert schemas.of(analytics) is before
        assert running.is_alive() and not errors
    finally:
        while running.is_alive():
            analytics.interrupt()
            running.join(0.05)


def test_tables_of_staging_are_known_before_a_cell_has_run_and_while_none_does(tmp_path: Path) -> None:
    make_databases(tmp_path)
    session = StagingSession(tmp_path / "stage.db")
    with closing(session):
        assert set(asked(Schemas(), session).tables) == {"races", "runs"}
        with closing(sqlite3.connect(tmp_path / "stage.db")) as con:
            assert con.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        session.run("CREATE TEMP TABLE mine (one INTEGER)")
        schema = asked(Schemas(), session)
        assert schema.tables["mine"].kind == "temporary"
        assert [each.name for each in schema.columns("races")] == ["race_id", "venue", "race_date", "runners"]


def test_a_staging_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with closing(StagingSession(tmp_path / "none.db")) as session:
        assert Schemas().of(session) == Schema()
    assert list(tmp_path.iterdir()) == []


def test_a_locked_staging_file_holds_nobody_up(tmp_path: Path) -> None:
    make_databases(tmp_path)
    with (
        closing(sqlite3.connect(tmp_path / "stage.db")) as writer,
        closing(StagingSession(tmp_path / "stage.db")) as session,
    ):
        writer.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        assert Schemas().of(session) == Schema()
        assert time.monotonic() - begun < FIRST + 5


def test_a_file_that_is_no_database_gives_no_tables_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "odd.db").write_text("not a database, though long enough to be looked at as one" * 20)
    for session in (
        StagingSession(tmp_path / "odd.db"),
        AnalyticsSession(SnapshotSource(tmp_path / "odd.db", shared=False)),
    ):
        with closing(session):
            assert Schemas().of(session) == Schema()
