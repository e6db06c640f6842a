"""Four processes write to PostgreSQL staging while it is published and read: nothing lost, nothing torn."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

import greynb
from greynb.connections import analytics_session, close_all
from greynb.postgres.analytics import PostgresAnalytics
from greynb.publish import sync
from greynb.publish.verifying import compare
from greynb.routing import Server, Settings

WRITERS, ROWS, AT_ONCE = 4, 2_000, 20
# Each transaction writes as many rows to one table as to the other: a reader that sees a part of one sees it.
WRITER = """
import sys
import pandas as pd
import greynb
from greynb.connections import staging_session
from greynb.routing import Settings
number, rows, at_once = map(int, sys.argv[1:])
session = staging_session(Settings.current().route("staging"))
for start in range(0, rows, at_once):
    ids = [number * 1_000_000 + start + each for each in range(at_once)]
    if start % (3 * at_once) == 0:
        greynb.load(pd.DataFrame({"id": ids}), "loaded", key="id", on_conflict="ignore")
    values = ", ".join(f"({each})" for each in ids)
    session.run(f"INSERT INTO runs VALUES {values}; INSERT INTO odds VALUES {values}")
"""
TORN = "SELECT (SELECT count(*) FROM runs) - (SELECT count(*) FROM odds) AS torn, count(*) AS n FROM runs"


@pytest.fixture
def con(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as con:
        for table in ("runs", "odds", "loaded"):
            con.execute(f"CREATE TABLE {table} (id bigint PRIMARY KEY)")
        yield con


def read(session: Any) -> tuple[int, int]:
    frame = session.run(TORN)[0].frame
    return int(frame["torn"][0]), int(frame["n"][0])


def test_nothing_is_lost_and_nothing_torn(
    con: psycopg.Connection, url: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "analytics.db"
    monkeypatch.setenv("STAGING_DB_PATH", url)
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(target))
    sync(server, target)
    words = [sys.executable, "-c", WRITER]
    writers = [subprocess.Popen([*words, str(number), str(ROWS), str(AT_ONCE)]) for number in range(WRITERS)]
    published = analytics_session(Settings.current().route("analytics"))
    live = PostgresAnalytics(server)
    seen: list[tuple[int, int]] = []
    modes: list[str] = []
    try:
        while any(each.poll() is None for each in writers):
            modes.append(greynb.sync().mode)
            seen += [read(published), read(live)]
        codes = [each.wait() for each in writers]
        greynb.sync(verify=True)
        last = read(published)
    finally:
        live.close()
        close_all()
        for each in writers:
            each.kill()
            each.wait()
    assert codes == [0] * WRITERS
    assert {torn for torn, _ in seen} == {0}
    assert last == (0, WRITERS * ROWS)
    counts = [con.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("runs", "odds")]
    assert counts == [(WRITERS * ROWS,)] * 2
    assert "incremental" in modes
    assert compare(server, target).equal
