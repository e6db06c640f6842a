"""The status tells of a PostgreSQL what it tells of a file, and never its password."""

from __future__ import annotations

import json

import psycopg
import pytest

from greynb.cli import main
from greynb.overview import status
from greynb.prometheus import metrics
from tests.scale.server import PostgresServer, free_port


@pytest.fixture
def place(url: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Staging on PostgreSQL, analytics a file that is not there yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAGING_DB_PATH", url)
    return url


def test_it_is_told_with_version_size_and_what_chose_it(place: str, postgres: PostgresServer) -> None:
    shown = str(status())
    assert f"postgresql://greynb@127.0.0.1:{postgres.port}/" in shown
    assert "chosen by STAGING_DB_PATH (environment) · dual mode" in shown
    assert "PostgreSQL 1" in shown and " MB" in shown
    assert "analytics " in shown and "not there yet" in shown
    assert postgres.password not in shown + json.dumps(status().as_dict(), default=str)


def test_a_session_that_writes_is_named_and_one_that_rests_is_not(place: str) -> None:
    with (
        psycopg.connect(place, application_name="ingest.py") as writing,
        psycopg.connect(place, application_name="idle.py") as resting,
    ):
        writing.execute("CREATE TABLE races (id int)")
        resting.execute("SELECT 1")
        (lock,) = status().staging.locks
        assert (lock.doing, lock.command) == ("writing", "ingest.py")
        assert lock.pid == writing.info.backend_pid
        assert f"writing: process {lock.pid} (ingest.py)" in str(status())


def test_a_server_that_does_not_answer_is_told_and_is_no_error(place, monkeypatch, capsys) -> None:
    monkeypatch.setenv("STAGING_DB_PATH", f"postgresql://greynb:secret@127.0.0.1:{free_port()}/races")
    assert main(["status"]) == 0
    shown = capsys.readouterr().out
    assert "not reachable: PostgreSQL at 127.0.0.1:" in shown and "secret" not in shown
    assert 'greynb_up{role="staging"' in metrics(status())
    assert main(["status", "--max-lag", "1d"]) == 3


def test_both_roles_may_be_servers(place, monkeypatch) -> None:
    monkeypatch.setenv("ANALYTICS_DB_PATH", place)
    assert str(status()).count("PostgreSQL 1") == 2
    json.dumps(status().as_dict(), default=str)
