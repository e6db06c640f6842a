"""From PostgreSQL staging to a DuckLake: the same publication, the same rows."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

import greynb
from greynb import api
from greynb.connections import analytics_session, close_all
from greynb.routing import Settings

pytest.importorskip("duckdb_extension_ducklake")


def test_a_lake_is_filled_from_a_server_and_brought_up_to_date(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGING_DB_PATH", url)
    monkeypatch.setenv("ANALYTICS_DB_PATH", f"ducklake:{tmp_path / 'lake.db'}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    sql = "SELECT count(*) AS n, sum(price) AS total FROM races"
    try:
        with psycopg.connect(url, autocommit=True) as con:
            con.execute("CREATE TABLE races (id bigint PRIMARY KEY, price numeric(10, 2))")
            con.execute("INSERT INTO races SELECT i, i / 4.0 FROM generate_series(1, 1000) i")
            greynb.sync()
            con.execute("DELETE FROM races WHERE id > 900; UPDATE races SET price = 1 WHERE id = 1")
            done = greynb.sync()
            races = done.tables["races"]
            assert (races.inserted, races.updated, races.deleted) == (0, 1, 100)
            session = analytics_session(Settings.current().route("analytics"))
            frame = session.run(sql)[0].frame
            assert frame is not None
            expected = con.execute("SELECT count(*), sum(price)::float8 FROM races").fetchone()
            assert (int(frame["n"][0]), float(frame["total"][0])) == expected
            assert api.verify().equal
            assert str(greynb.status()).count("postgresql://") == 1
    finally:
        close_all()
