"""What the doctor says of a PostgreSQL, and what else says clearly that it is for files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

import greynb
from greynb.cli import main
from greynb.doctor import examine
from greynb.doctor.patient import Patient
from greynb.routing import Settings
from tests.scale.server import PostgresServer


@pytest.fixture(autouse=True)
def routed(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("STAGING_DB_PATH", url)
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "analytics.db"))
    monkeypatch.chdir(tmp_path)
    with psycopg.connect(url) as con:
        con.execute("CREATE TABLE races (id bigint PRIMARY KEY)")
    yield


def ids() -> dict[str, str]:
    with closing(Patient(Settings.current())) as patient:
        return {each.id: str(each) for each in examine(patient).findings}


def test_a_healthy_server_and_its_publication_are_no_finding() -> None:
    greynb.sync()
    assert not {name for name in ids() if name not in ("disk-full", "clock-skew")}


def test_each_fault_of_a_server_is_found(
    url: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from greynb.doctor import servers

    monkeypatch.setattr(servers, "LONG", 0.0)
    greynb.sync()
    with psycopg.connect(url) as con:
        con.execute("CREATE TABLE notes (note text)")
        con.commit()
        con.execute("SELECT * FROM notes")
        found = ids()
        assert "no primary key: notes" in found["table-without-key"]
        assert f"pg_terminate_backend({con.info.backend_pid})" in found["open-transaction"]
    other = postgres.url(postgres.database())
    with psycopg.connect(other) as con:
        con.execute("CREATE TABLE writable (x int)")
    monkeypatch.setenv("ANALYTICS_DB_PATH", other)
    assert "greynb may write to writable" in ids()["server-writable"]
    monkeypatch.setenv("STAGING_DB_PATH", postgres.url("races", password="hunter2"))
    said = ids()["server-unreachable"]
    assert "refused the connection" in said and "STAGING_DB_PATH" in said and "hunter2" not in said


ARCHIVE = ["archive", "--table", "races", "--date", "day", "--older-than", "1y", "--to", "x"]


@pytest.mark.parametrize("words", [["optimize"], ["guard", "--", "true"], ARCHIVE])
def test_what_is_for_files_says_so(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = main(words)
    said = capsys.readouterr().err
    assert code not in (0, None)
    assert "works on a SQLite file, and staging is a PostgreSQL database" in said
    assert "STAGING_DB_PATH" in said


def test_status_and_sync_work_from_the_command_line(
    postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sync"]) in (0, None)
    assert main(["status"]) in (0, None)
    assert main(["status", "--json"]) in (0, None)
    assert main(["status", "--prometheus"]) in (0, None)
    assert main(["route"]) in (0, None)
    assert main(["verify"]) in (0, None)
    out = capsys.readouterr()
    assert "PostgreSQL 1" in out.out and "nothing behind staging" in out.out
    assert postgres.password not in out.out + out.err
