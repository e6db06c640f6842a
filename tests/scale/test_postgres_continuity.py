"""A publication carries on from the version before only where the server's history certainly went on, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from greynb.publish import SyncResult, sync
from greynb.publish.verifying import compare
from greynb.routing import Server
from tests.scale.server import PostgresServer, programs


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """A server of its own, whose files are few: they are copied."""
    folder = programs()
    if folder is None:
        pytest.skip("PostgreSQL is not installed: make test-scale does that where it may")
    server = PostgresServer(folder)
    yield server
    server.remove()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


@pytest.fixture
def filled(url: str) -> str:
    execute(url, "CREATE TABLE races (id int PRIMARY KEY, venue text)")
    execute(url, "INSERT INTO races SELECT i, 'v' || i % 7 FROM generate_series(1, 1000) AS i")
    return url


@pytest.fixture
def tracking(postgres: PostgresServer) -> Iterator[None]:
    """The server keeps the moments of commits."""
    with configured(postgres, "track_commit_timestamp = on", "RESET track_commit_timestamp"):
        yield


@contextmanager
def configured(postgres: PostgresServer, setting: str, back: str) -> Iterator[None]:
    execute(postgres.url(), f"ALTER SYSTEM SET {setting}")
    postgres.restart()
    yield
    execute(postgres.url(), f"ALTER SYSTEM {back}")
    postgres.restart()


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as con:
        for each in statements:
            con.execute(each)


def said(result: SyncResult) -> str:
    return next(note for note in result.notices if "from PostgreSQL" in note)


def another_history(postgres: PostgresServer, url: str, server: Server, target: Path) -> SyncResult:
    """Publish, set the server's files back, have it write more than it had written then, publish again."""
    saved = postgres.save()
    execute(url, "UPDATE races SET venue = 'lost' WHERE id = 1")
    sync(server, target)
    postgres.set_back(saved)
    execute(url, *(f"UPDATE races SET venue = 'new {n}' WHERE id = 2" for n in range(20)))
    return sync(server, target)


def test_a_server_that_was_set_back_and_wrote_on_is_read_whole(
    postgres: PostgresServer, filled: str, server: Server, target: Path
) -> None:
    done = another_history(postgres, filled, server, target)
    assert compare(server, target).equal
    assert said(done).startswith("all rows were read from PostgreSQL: the server was restarted since")


def test_a_server_that_was_set_back_to_the_very_number_of_transactions_is_not_taken_for_unchanged(
    postgres: PostgresServer, filled: str, server: Server, target: Path
) -> None:
    saved = postgres.save()
    execute(filled, "UPDATE races SET venue = 'lost' WHERE id = 1")
    sync(server, target)
    postgres.set_back(saved)
    execute(filled, "UPDATE races SET venue = 'other' WHERE id = 1")
    sync(server, target)
    assert compare(server, target).equal


def test_after_a_restart_all_rows_are_read_once(
    postgres: PostgresServer, filled: str, server: Server, target: Path
) -> None:
    sync(server, target)
    postgres.restart()
    execute(filled, "UPDATE races SET venue = 'x' WHERE id = 5")
    done = sync(server, target)
    assert "restarted since the version before, and does not keep the moments of commits" in said(done)
    execute(filled, "UPDATE races SET venue = 'x' WHERE id = 1")
    assert said(sync(server, target)) == "read from PostgreSQL: 1 table by changed rows"


def test_a_server_that_keeps_the_moments_of_commits_is_carried_on_from_after_a_restart(
    postgres: PostgresServer, tracking: None, filled: str, server: Server, target: Path
) -> None:
    sync(server, target)
    postgres.restart()
    execute(filled, "UPDATE races SET venue = 'x' WHERE id = 1")
    assert said(sync(server, target)) == "read from PostgreSQL: 1 table by changed rows"
    assert compare(server, target).equal


def test_moments_of_commits_tell_that_a_server_was_set_back(
    postgres: PostgresServer, tracking: None, filled: str, server: Server, target: Path
) -> None:
    done = another_history(postgres, filled, server, target)
    assert compare(server, target).equal
    assert "the server's files were set back since" in said(done)
