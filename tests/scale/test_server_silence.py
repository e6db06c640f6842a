"""A server that falls silent and holds its connections: what waits for it ends, and nothing is lost."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from signal import SIGQUIT

import duckdb
import pandas as pd
import psycopg
import pytest

import greynb
from greynb import api
from greynb.errors import DatabaseError
from greynb.postgres.analytics import PostgresAnalytics
from greynb.postgres.staging import PostgresStaging
from greynb.publish import sync
from greynb.publish.watching import watch
from tests.lake.conftest import Lake
from tests.scale.conftest import lake_over, server_of
from tests.scale.proxy import Proxy
from tests.scale.server import PostgresServer, free_port, wait_for

_MOST = 60
"""Seconds: 12 to 18 on an idle machine."""


@pytest.fixture
def con(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as con:
        con.execute("CREATE TABLE races (id bigint PRIMARY KEY, venue text)")
        con.execute("INSERT INTO races SELECT i, repeat('v', 100) FROM generate_series(1, 300000) AS i")
        yield con


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[Proxy]:
    made = Proxy(postgres.port)
    yield made
    made.close()


@pytest.fixture
def through(url: str, postgres: PostgresServer, proxy: Proxy) -> str:
    """The address of the same database, by way of the proxy."""
    return url.replace(f":{postgres.port}/", f":{proxy.port}/")


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, through: str) -> Iterator[Lake]:
    with lake_over(through, tmp_path, monkeypatch) as made:
        yield made


def is_running(con: psycopg.Connection, text: str) -> bool:
    sql = "SELECT 1 FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE %s AND state <> 'idle'"
    return bool(con.execute(sql, (f"%{text}%",)).fetchall())


def asleep(con: psycopg.Connection) -> int:
    sql = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    )
    ((found,),) = con.execute(sql).fetchall()
    return int(found)


def timed(action: Callable[[], object]) -> tuple[str, float]:
    """What an action says that must fail, and after how many seconds."""
    begun = time.monotonic()
    with pytest.raises((DatabaseError, duckdb.Error)) as caught:
        action()
    return str(caught.value), time.monotonic() - begun


@pytest.mark.parametrize("how", ["silent", "killed"])
def test_everything_that_waits_for_a_server_that_fails_ends_and_goes_on_when_it_is_back(
    how: str,
    con: psycopg.Connection,
    through: str,
    proxy: Proxy,
    postgres: PostgresServer,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STAGING_DB_PATH", through)
    server, target = server_of(through), tmp_path / "analytics.db"
    rows = pd.DataFrame({"id": range(10**6, 10**6 + 1_000_000), "venue": "x" * 50})
    steps: list[str] = []
    con.execute("CREATE VIEW slow AS SELECT count(*) AS n, pg_sleep(300) IS NULL AS x FROM races")
    with (
        closing(PostgresStaging(server)) as staging,
        closing(PostgresStaging(server)) as idle,
        closing(PostgresAnalytics(server)) as analytics,
        closing(PostgresAnalytics(server)) as other,
        ThreadPoolExecutor(8) as pool,
    ):
        idle.run("SELECT 1")
        analytics.run("SELECT 1 FROM races LIMIT 1")
        waiting = {
            "cell": lambda: staging.run("INSERT INTO races VALUES (-1, 'x'); SELECT pg_sleep(300)"),
            "analytics": lambda: analytics.run("SELECT * FROM slow"),
            "script": lambda: other.reader().execute("SELECT * FROM slow").fetchall(),
            "load": lambda: greynb.load(rows, "races"),
            "publication": lambda: sync(server, target, progress=lambda step, _: steps.append(step)),
        }
        done = {name: pool.submit(timed, action) for name, action in waiting.items()}
        wait_for(lambda: asleep(con) == 3 and is_running(con, "greynb_load") and "copy" in steps)
        if how == "silent":
            proxy.silence(on=True)
            done["idle"] = pool.submit(timed, lambda: idle.run("SELECT 1"))
        else:
            postgres.stop(SIGQUIT)
        said = {name: each.result() for name, each in done.items()}
        proxy.silence(on=False)
        if how == "killed":
            postgres.start()
        assert {name: seconds for name, (_, seconds) in said.items() if seconds > _MOST} == {}
        silent = {name for name, (text, _) in said.items() if "has not answered anybody" in text}
        # What a load sends is not taken, which the system notices sooner; a script gets DuckDB's words.
        mine = {"cell", "analytics", "publication", "idle"}
        assert silent & mine == (mine if how == "silent" else set())
        assert "nothing was written" in said["cell"][0] and "nothing was written" in said["load"][0]
        assert not any(postgres.password in text for text, _ in said.values())
        for session in (staging, idle, analytics, other):
            session.run("SELECT count(*) FROM races")
    with psycopg.connect(url) as again:
        assert again.execute("SELECT count(*) FROM races").fetchall() == [(300_000,)]
    assert sync(server, target).rows == {"races": 300_000}
    assert greynb.load(rows[:5], "races").inserted == 5


def test_a_watch_goes_on_after_a_silent_server_and_a_restart(
    con: psycopg.Connection, through: str, proxy: Proxy, postgres: PostgresServer, url: str, tmp_path: Path
) -> None:
    server, target, stop = server_of(through), tmp_path / "analytics.db", threading.Event()
    lines: list[str] = []

    def venue() -> str:
        with closing(sqlite3.connect(target)) as lite:
            return str(lite.execute("SELECT venue FROM races WHERE id = 1").fetchone()[0])

    def write(text: str) -> None:
        with psycopg.connect(url) as writer:
            writer.execute("UPDATE races SET venue = %s WHERE id = 1", (text,))

    def work() -> None:
        watch(server, target, every=0.2, publish=lambda: sync(server, target), stop=stop, log=lines.append)

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(work)
        try:
            wait_for(target.exists)
            proxy.silence(on=True)
            write("after silence")
            wait_for(lambda: any("failed: PostgreSQL" in line for line in lines))
            proxy.silence(on=False)
            wait_for(lambda: venue() == "after silence", 120)
            postgres.restart()
            write("after a restart")
            wait_for(lambda: venue() == "after a restart", 120)
        finally:
            proxy.silence(on=False)
            stop.set()
        watching.result()
    assert not any(postgres.password in line for line in lines)


def test_a_watch_of_a_server_that_is_down_tries_as_rarely_as_it_says(tmp_path: Path) -> None:
    server, stop = server_of(f"postgresql://ann@127.0.0.1:{free_port()}/races"), threading.Event()
    lines: list[str] = []
    timer = threading.Timer(4, stop.set)
    timer.start()
    target = tmp_path / "analytics.db"
    watch(server, target, every=0.1, publish=lambda: sync(server, target), stop=stop, log=lines.append)
    failed = [line.rpartition("again in ")[2] for line in lines if "failed" in line]
    assert failed == ["1 s", "2 s", "4 s"][: len(failed)] and failed


def test_a_lake_s_catalogue_that_falls_silent_ends_a_cell_and_a_publication(
    lake: Lake, through: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.sync()
    lake.cells().refresh()
    lake.execute("DELETE FROM tips WHERE odds > 50")
    steps: list[str] = []

    def told(step: str, _fraction: float) -> None:
        if step == "write lake" and step not in steps:
            proxy.silence(on=True)
        steps.append(step)

    with ThreadPoolExecutor(2) as pool:
        publication = pool.submit(timed, lambda: api.sync(progress=told))
        wait_for(lambda: "write lake" in steps)
        cell = pool.submit(timed, lambda: lake.rows("SELECT count(*) FROM races"))
        said = [publication.result(), cell.result()]
    proxy.silence(on=False)
    assert [seconds for _, seconds in said if seconds > _MOST] == []
    assert all("has not answered anybody" in text for text, _ in said)
    assert lake.rows("SELECT count(*) FROM tips") == [(900,)]
    assert api.sync().id == "lake-000002"
    assert lake.rows("SELECT count(*) FROM tips") == [(401,)]
