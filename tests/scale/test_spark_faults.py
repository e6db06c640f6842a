"""Spark and its faults: executors, workers and the server killed, addresses that lead nowhere, interrupts."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from greynb import api, connections
from greynb.databases.identifiers import literal
from greynb.errors import (
    DatabaseError,
    MissingDatabase,
    PublishError,
    QueryError,
    QueryInterrupted,
    RoutingError,
    WriteRefused,
)
from greynb.lake.attaching import ALIAS, opened
from greynb.routing import Settings
from greynb.spark.session import SparkSession
from greynb.spark.typed import Unsupported
from tests.lake.conftest import Lake, fill
from tests.scale.server import free_port, wait_for
from tests.scale.spark import SparkCluster

LONG = "SELECT count(*) AS n FROM races a, races b, races c WHERE (a.id * b.id + c.id) % 7 = 3 AND a.id < {}"
SOME, MANY = 160, 1500
"""Races ``a`` for some seconds, and for minutes."""


class Cells(Lake):
    """The lake of a test, computed by Spark."""

    def session(self) -> SparkSession:
        found = connections.analytics_session(Settings.current().route("analytics"))
        assert isinstance(found, SparkSession)
        return found

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        frame = self.session().run(sql)[-1].frame
        assert frame is not None
        return list(frame.itertuples(index=False, name=None))


@pytest.fixture
def cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spark: SparkCluster) -> Iterator[Cells]:
    made = Cells(tmp_path)
    fill(made.staging, races=2_000)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAGING_DB_PATH", str(made.staging))
    monkeypatch.setenv("ANALYTICS_DB_PATH", f"ducklake:{made.catalogue}")
    monkeypatch.setenv("ANALYTICS_ENGINE", "spark")
    monkeypatch.setenv("SPARK_REMOTE", spark.remote)
    api.sync()
    yield made
    connections.close_all()


def part(cells: Cells) -> float | None:
    """How much of the tasks of the running query is done; None before Spark has told."""
    progress = cells.session().progress()
    return progress.fraction if progress else None


def during(work: Callable[[], object], cells: Cells, fault: Callable[[], None]) -> object:
    """Run a query, and do something to Spark while it is at work."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(work)
        # Spark tells every two seconds: now its tasks are on the executors.
        wait_for(lambda: part(cells) is not None or running.done(), 120)
        assert not running.done()
        fault()
        return running.result(timeout=280)


def lasting(cells: Cells, seconds: float) -> tuple[str, list[tuple[object, ...]]]:
    """A query that takes this machine so long, and its rows."""
    cells.ask(LONG.format(1))  # the first one prepares the executors
    races = SOME
    while True:
        begun = time.monotonic()
        rows = cells.ask(LONG.format(races))
        if time.monotonic() - begun > seconds:
            return LONG.format(races), rows
        races *= 2


def test_a_query_completes_when_an_executor_and_its_worker_are_killed(
    cells: Cells, spark: SparkCluster
) -> None:
    sql, expected = lasting(cells, 6)

    def kill() -> None:
        os.kill(spark.executors()[0], signal.SIGKILL)
        spark.kill("worker1")

    try:
        assert during(lambda: cells.ask(sql), cells, kill) == expected
    finally:
        spark.start_worker(1)


def test_after_a_restart_of_the_server_the_next_cell_works(cells: Cells, spark: SparkCluster) -> None:
    assert cells.ask("SELECT count(*) FROM races") == [(2000,)]
    spark.kill("connect")
    try:
        begun = time.monotonic()
        with pytest.raises(DatabaseError, match=f"127.0.0.1:{spark.port} cannot be reached") as caught:
            cells.ask("SELECT count(*) FROM races")
        assert time.monotonic() - begun < 5
        assert "start it there" in str(caught.value)
    finally:
        spark.start_connect()
    assert cells.ask("SELECT count(*) FROM races") == [(2000,)]


def test_a_server_killed_during_a_query_is_an_error_within_seconds(cells: Cells, spark: SparkCluster) -> None:
    killed = []

    def kill() -> None:
        spark.kill("connect")
        killed.append(time.monotonic())

    try:
        with pytest.raises(DatabaseError, match="Spark"):
            during(lambda: cells.ask(LONG.format(MANY)), cells, kill)
        assert time.monotonic() - killed[0] < 30
    finally:
        spark.start_connect()
    assert cells.ask("SELECT count(*) FROM races") == [(2000,)]


def test_an_interrupt_stops_the_query_and_the_next_one_runs(cells: Cells) -> None:
    stopped = threading.Event()

    def stop() -> None:
        while not stopped.wait(0.2):
            cells.session().interrupt()

    thread = threading.Thread(target=stop)

    def begin() -> None:
        thread.start()

    try:
        with pytest.raises(QueryInterrupted):
            during(lambda: cells.ask(LONG.format(MANY)), cells, begin)
    finally:
        stopped.set()
        thread.join()
    assert cells.ask("SELECT count(*) FROM races") == [(2000,)]


def test_progress_is_told_by_tasks(cells: Cells) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(cells.ask, LONG.format(MANY))
        try:
            wait_for(lambda: part(cells) is not None or running.done(), 120)
            found = part(cells)
            assert found is not None and 0 <= found <= 1
        finally:
            while not running.done():
                cells.session().interrupt()
                time.sleep(0.2)


def test_cells_follow_versions_and_pins(cells: Cells) -> None:
    connections.pin(Settings.current().route("analytics"))
    cells.execute("DELETE FROM races WHERE id > 10", "UPDATE races SET prize = 1 WHERE id = 4")
    api.sync()
    assert cells.ask("SELECT count(*), sum(CASE WHEN prize = 1 THEN 1 ELSE 0 END) FROM races") == [(2000, 1)]
    connections.unpin(Settings.current().route("analytics"))
    assert cells.ask("SELECT count(*), sum(CASE WHEN prize = 1 THEN 1 ELSE 0 END) FROM races") == [(10, 2)]
    assert cells.session().snapshot.id == "lake-000002"


def test_a_table_with_deleted_or_inlined_rows_is_refused_until_the_lake_is_prepared(cells: Cells) -> None:
    lake = Settings.current().route("analytics").lake
    assert lake is not None
    con = opened(lake, writing=True)
    con.execute(f"DELETE FROM {ALIAS}.main.races WHERE id < 1500")
    con.close()
    with pytest.raises(DatabaseError, match="deleted rows") as caught:
        cells.ask("SELECT count(*) FROM races")
    assert "greynb sync" in str(caught.value)
    con = opened(lake, writing=True)
    con.execute(f"CALL {ALIAS}.set_option('data_inlining_row_limit', 10)")
    con.execute(f"INSERT INTO {ALIAS}.main.tips VALUES (9999, 'dog', 1)")
    con.close()
    cells.execute("DELETE FROM races WHERE id = 1")
    with pytest.raises(PublishError, match="does not hold what was written"):
        api.sync()
    api.sync("full")
    assert cells.ask("SELECT count(*) FROM races") == [(1999,)]
    assert cells.ask("SELECT count(*) FROM tips") == [(900,)]


def test_a_pinned_version_that_has_expired_says_how_to_go_on(cells: Cells) -> None:
    connections.pin(Settings.current().route("analytics"))
    number = cells.session().snapshot.number
    cells.execute("DELETE FROM tips")
    api.sync()
    lake = Settings.current().route("analytics").lake
    assert lake is not None
    con = opened(lake, writing=True)
    con.execute(f"CALL ducklake_expire_snapshots({literal(ALIAS)}, versions => [{number}])")
    con.close()
    with pytest.raises(MissingDatabase, match="lake-000001 has expired"):
        cells.ask("SELECT 1 AS x FROM tips")


def test_parameters_are_bound_with_their_types(cells: Cells) -> None:
    sql = "SELECT count(*) AS n FROM races WHERE track = $track AND prize > $least AND id <> $id"
    ran = cells.session().run(sql, {"track": "track 1", "least": 10.5, "id": 71})
    assert ran[0].frame is not None
    wanted = cells.session().reader().execute(sql, {"track": "track 1", "least": 10.5, "id": 71}).fetchall()
    assert [(int(ran[0].frame.iat[0, 0]),)] == wanted
    assert ran[0].engine == "Spark"


def test_the_gate_and_frames_of_the_notebook(cells: Cells) -> None:
    import pandas as pd

    with pytest.raises(WriteRefused):
        cells.ask("DELETE FROM races")
    with pytest.raises((Unsupported, QueryError)):
        cells.session().run("SELECT * FROM mine", variables={"mine": pd.DataFrame({"x": [1]})})


def test_an_address_where_nothing_listens_fails_within_seconds(
    cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("SPARK_REMOTE", f"sc://127.0.0.1:{port}/;token=very-secret")
    begun = time.monotonic()
    with pytest.raises(DatabaseError, match=f"127.0.0.1:{port}") as caught:
        cells.ask("SELECT count(*) FROM races")
    assert time.monotonic() - begun < 5
    assert "very-secret" not in str(caught.value)


def test_an_address_that_swallows_everything_fails_within_seconds(
    cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as silent, socket.socket() as first:
        # A full queue of connections: further ones are neither accepted nor refused.
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        first.connect(silent.getsockname())
        monkeypatch.setenv("SPARK_REMOTE", f"sc://127.0.0.1:{silent.getsockname()[1]}")
        begun = time.monotonic()
        with pytest.raises(DatabaseError, match="cannot be reached"):
            cells.ask("SELECT count(*) FROM races")
        assert time.monotonic() - begun < 6


def test_spark_by_its_own_address_reads_the_lake_that_is_named_beside(
    cells: Cells, monkeypatch: pytest.MonkeyPatch, spark: SparkCluster
) -> None:
    monkeypatch.delenv("ANALYTICS_ENGINE")
    monkeypatch.delenv("SPARK_REMOTE")
    monkeypatch.setenv("ANALYTICS_DB_PATH", spark.remote)
    with pytest.raises(Exception, match="names none"):
        cells.ask("SELECT 1 AS x")
    monkeypatch.setenv("LAKE_DB_PATH", f"ducklake:{cells.catalogue}")
    assert cells.ask("SELECT count(*) FROM races") == [(2000,)]


def test_an_engine_without_a_server_is_a_clear_error(cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPARK_REMOTE")
    with pytest.raises(RoutingError, match="SPARK_REMOTE is not set"):
        Settings.current().route("analytics")
