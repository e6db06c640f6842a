"""A lake whose catalogue is a PostgreSQL server: shared by publishers and readers, and its faults."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from greynb import api, connections
from greynb.databases.identifiers import literal
from greynb.errors import DatabaseError, PublisherBusy, PublishError, UnreadableDatabase, UsageError
from greynb.lake.attaching import ALIAS, opened
from greynb.lake.committing import refusal
from greynb.routing import Server, Settings
from tests.lake.conftest import Lake, check_versions, fill
from tests.scale.conftest import lake_over
from tests.scale.server import PostgresServer, wait_for


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> Iterator[Lake]:
    with lake_over(url, tmp_path, monkeypatch) as made:
        yield made


def server() -> Server:
    found = Settings.current().route("analytics").lake
    assert found is not None
    return found


def test_publications_cells_history_and_rollback_work_as_on_a_file(lake: Lake) -> None:
    check_versions(lake)


def test_a_new_lake_needs_a_folder_for_its_files(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAKE_DATA_PATH")
    with pytest.raises(UsageError, match="needs a folder") as caught:
        api.sync()
    assert "LAKE_DATA_PATH" in str(caught.value)


def test_a_reader_who_may_only_read_can_read_and_cannot_publish(
    lake: Lake, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.sync()
    database = server().database
    with postgres.connect(database) as con:
        con.execute("CREATE ROLE looker LOGIN PASSWORD 'may-look'")
        con.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO looker")
    address = f"ducklake:postgres:host=127.0.0.1 port={postgres.port} dbname={database}"
    monkeypatch.setenv("ANALYTICS_DB_PATH", f"{address} user=looker password=may-look")
    assert lake.rows("SELECT count(*) FROM races") == [(5000,)]
    lake.execute("DELETE FROM races WHERE id < 100")
    with pytest.raises(PublishError, match="may only be read"):
        api.sync()
    monkeypatch.setenv("ANALYTICS_DB_PATH", f"{address} user=looker password=secret-guess")
    with pytest.raises(UnreadableDatabase) as caught:
        lake.rows("SELECT 1")
    assert "secret-guess" not in str(caught.value)


def test_a_server_that_comes_back_serves_the_next_cell(lake: Lake, postgres: PostgresServer) -> None:
    api.sync()
    assert lake.rows("SELECT count(*) FROM races") == [(5000,)]
    postgres.stop()
    try:
        with pytest.raises(DatabaseError, match=f"127.0.0.1:{postgres.port}") as caught:
            lake.rows("SELECT count(*) FROM races")
        assert postgres.password not in str(caught.value)
    finally:
        postgres.start()
    assert lake.rows("SELECT count(*) FROM races") == [(5000,)]


def test_of_two_publishers_at_once_one_is_refused_and_nothing_is_mixed(lake: Lake) -> None:
    api.sync()
    lake.execute("DELETE FROM races WHERE id > 4000")
    other = opened(server(), writing=True)
    other.execute("BEGIN")
    other.execute(f"SELECT count(*) FROM {ALIAS}.greynb.contents").fetchall()
    api.sync()
    other.execute(f"INSERT INTO {ALIAS}.main.tips VALUES (1, 'dog', 1)")
    other.execute(f"DELETE FROM {ALIAS}.greynb.contents")
    with pytest.raises(Exception) as caught:  # DuckDB's own, put into words below
        other.execute("COMMIT")
    assert isinstance(refusal(caught.value, server()), PublisherBusy)  # type: ignore[arg-type]
    other.close()
    assert api.verify().equal


def test_publishers_of_two_machines_at_once_lose_nothing(lake: Lake, tmp_path: Path) -> None:
    """Each has its own staging; the versions are whole ones of the one or the other."""
    api.sync()
    others = []
    for number in (1, 2):
        staging = tmp_path / f"machine{number}" / "stage.db"
        staging.parent.mkdir()
        fill(staging, races=1000 * number)
        code = """
from greynb import api
from greynb.errors import PublisherBusy
done = 0
while done < 3:
    try:
        api.sync("full")
        done += 1
    except PublisherBusy:
        pass
"""
        env = {**os.environ, "STAGING_DB_PATH": str(staging)}
        others.append(subprocess.Popen([sys.executable, "-c", code], env=env))
    seen = set()
    while any(each.poll() is None for each in others):
        seen |= set(lake.rows("SELECT count(*), max(id) FROM races"))
    assert [each.returncode for each in others] == [0, 0]
    assert seen <= {(5000, 5000), (1000, 1000), (2000, 2000)}
    assert len(api.history()) == 7


def test_a_publisher_killed_in_its_commit_leaves_the_old_version_or_the_new(lake: Lake) -> None:
    api.sync()
    code = """
from greynb import api
api.sync("full", progress=lambda step, part: print(step, part, flush=True))
"""
    for _ in range(4):
        lake.execute("DELETE FROM races WHERE id % 50 = 0 OR id = (SELECT max(id) FROM races)")
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("commit"):
                    break
            process.send_signal(signal.SIGKILL)
        rows = lake.rows("SELECT count(*) FROM races")[0][0]
        version = lake.cells().snapshot
        assert version.is_publication
        assert rows == version.info["rows"] - 900 - 300 - 7
    assert api.sync().id.startswith("lake-")
    assert api.verify().equal


def test_an_expired_pin_says_how_to_go_on(lake: Lake) -> None:
    api.sync()
    connections.pin(Settings.current().route("analytics"))
    number = lake.cells().snapshot.number
    lake.execute("DELETE FROM tips")
    api.sync()
    con = opened(server(), writing=True)
    con.execute(f"CALL ducklake_expire_snapshots({literal(ALIAS)}, versions => [{number}])")
    con.close()
    with pytest.raises(DatabaseError, match="lake-000001 has expired"):
        lake.rows("SELECT 1 FROM tips")
    connections.unpin(Settings.current().route("analytics"))
    assert lake.rows("SELECT count(*) FROM tips") == [(0,)]


def test_a_broken_connection_between_two_cells_is_made_again(lake: Lake, postgres: PostgresServer) -> None:
    api.sync()
    lake.rows("SELECT 1 FROM races")
    with postgres.connect(server().database) as con:
        con.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    wait_for(lambda: lake.rows("SELECT count(*) FROM races") == [(5000,)])


def test_a_cell_that_loses_the_catalogue_says_so_and_the_next_one_runs(
    lake: Lake, postgres: PostgresServer
) -> None:
    api.sync()
    session = lake.cells()

    def end() -> None:
        ended = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state = 'idle in transaction'"
            " AND state_change < clock_timestamp() - interval '0.3 s'"  # it computes
        )
        with postgres.connect(server().database) as con:
            wait_for(lambda: con.execute(ended).fetchone() is not None)

    ending = threading.Thread(target=end)
    ending.start()
    with pytest.raises(DatabaseError, match="the connection to the catalogue broke while the cell ran"):
        session.run("SELECT count(*) FROM races a, races b, range(15) c(n) WHERE (a.id + b.id + n) % 7 > 1")
    ending.join()
    assert lake.rows("SELECT count(*) FROM races") == [(5000,)]


def test_a_publication_that_loses_the_catalogue_says_so_and_leaves_the_old_version(
    lake: Lake, postgres: PostgresServer
) -> None:
    api.sync()
    lake.execute("DELETE FROM races WHERE id % 2 = 0")

    def end(step: str, part: float) -> None:
        if step == "commit":
            with postgres.connect(server().database) as con:
                con.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )

    with pytest.raises(DatabaseError, match="the connection to the catalogue broke"):
        api.sync(progress=end)
    assert api.history()[0].id == "lake-000001"
    assert api.sync().id == "lake-000002"


def test_staging_on_postgresql_is_published_to_a_lake_by_its_changed_rows(
    lake: Lake, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    database = postgres.database()
    monkeypatch.setenv("STAGING_DB_PATH", postgres.url(database))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with postgres.connect(database) as con:
        con.execute("CREATE TABLE bets (id bigint PRIMARY KEY, odds double precision, placed date)")
        con.execute(
            "INSERT INTO bets SELECT i, i / 4.0, date '2025-01-01' + i FROM generate_series(1, 3000) i"
        )
    first = api.sync()
    assert (first.id, dict(first.rows)) == ("lake-000001", {"bets": 3000})
    assert lake.rows("SELECT count(*), sum(odds), max(placed)::VARCHAR FROM bets") == [
        (3000, 1125375.0, "2033-03-20")
    ]
    with postgres.connect(database) as con:
        con.execute("UPDATE bets SET odds = 0 WHERE id IN (5, 2000)")
        con.execute("DELETE FROM bets WHERE id = 7")
    second = api.sync()
    assert second.mode == "incremental"
    assert (second.tables["bets"].updated, second.tables["bets"].deleted) == (2, 1)
    assert api.verify().equal
    assert api.sync().mode == "unchanged"
