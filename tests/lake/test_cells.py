"""Cells on a lake: one snapshot each, read-only, with the dialect and the words of analytics."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

import greynb
from greynb import api, connections
from greynb.cli import main
from greynb.databases.identifiers import literal
from greynb.errors import GreynbError, MissingDatabase, QueryInterrupted, WriteRefused
from greynb.lake.attaching import ALIAS, opened
from greynb.routing import Settings
from tests.lake.conftest import Lake


@pytest.fixture
def published(lake: Lake) -> Lake:
    api.sync()
    return lake


def test_a_cell_reads_the_types_of_staging_and_provenance_names_the_version(published: Lake) -> None:
    ran = published.cells().run("SELECT run_date, prize, note FROM races WHERE id = $id", {"id": 3})
    assert ran[0].types == ("DATE", "DOUBLE", "VARCHAR")
    assert published.cells().snapshot.id == "lake-000001"


def test_the_first_use_of_a_widened_column_is_told_once(published: Lake) -> None:
    cells = published.cells()
    first, second = (cells.run("SELECT note FROM races LIMIT 1")[0].notices for _ in range(2))
    assert second == ()
    assert any("races.note" in notice for notice in first)


def test_temporary_tables_live_across_versions(published: Lake) -> None:
    published.cells().run("CREATE TEMP TABLE best AS SELECT * FROM races WHERE prize > 1600")
    published.execute("DELETE FROM races")
    api.sync()
    assert published.rows("SELECT count(*), (SELECT count(*) FROM races) FROM best") == [(200, 0)]


def test_each_cell_reads_the_newest_version_unless_one_is_pinned(published: Lake) -> None:
    route = Settings.current().route("analytics")
    connections.pin(route)
    published.execute("DELETE FROM races WHERE id > 10")
    api.sync()
    ran = published.cells().run("SELECT count(*) FROM races")[0]
    assert ran.frame is not None and ran.frame.iat[0, 0] == 5000
    assert "pinned to lake-000001, newest is lake-000002; `%greynb unpin` goes there" in ran.notices
    connections.unpin(route)
    assert published.rows("SELECT count(*) FROM races") == [(10,)]
    connections.pin(route, "1")
    assert published.rows("SELECT count(*) FROM races") == [(5000,)]
    with greynb.get_conn() as con:
        assert con.execute("SELECT count(*) FROM races").fetchall() == [(5000,)]


def test_a_raw_connection_stays_on_its_version(published: Lake) -> None:
    with greynb.get_conn() as con:
        published.execute("DELETE FROM races WHERE id > 10")
        api.sync()
        assert con.execute("SELECT count(*) FROM races").fetchall() == [(5000,)]
    with greynb.get_conn() as con:
        assert con.execute("SELECT count(*) FROM races").fetchall() == [(10,)]


def test_a_frame_of_a_raw_connection_says_where_it_came_from(published: Lake) -> None:
    sql = "SELECT id, track FROM races WHERE id < 9"
    with greynb.get_conn() as con:
        frame = con.execute(sql).df()
    cell = published.cells().snapshot
    assert (frame.attrs["greynb"]["sql"], frame.attrs["greynb"]["snapshot"]) == (sql, cell.id)
    assert frame.attrs["greynb"]["file"] == str(Settings.current().route("analytics").place)
    greynb.export(frame, published.folder / "races.parquet")
    assert main(["verify", str(published.folder / "races.parquet")]) == 0


def test_a_pinned_version_that_has_expired_is_an_error_that_says_how_to_go_on(published: Lake) -> None:
    connections.pin(Settings.current().route("analytics"))
    published.execute("DELETE FROM races WHERE id > 10")
    api.sync()
    server = Settings.current().route("analytics").lake
    assert server is not None
    number = published.cells().snapshot.number
    con = opened(server, writing=True)
    con.execute(f"CALL ducklake_expire_snapshots({literal(ALIAS)}, versions => [{number}])")
    con.close()
    with pytest.raises(MissingDatabase, match="lake-000001 has expired") as caught:
        published.rows("SELECT count(*) FROM races")
    assert "unpin" in str(caught.value)
    published.cells().unpin()
    assert published.rows("SELECT count(*) FROM races") == [(10,)]


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT * FROM {ALIAS}.main.races",
        f"SELECT * FROM __ducklake_metadata_{ALIAS}.ducklake_snapshot",
        f"FROM ducklake_snapshots('{ALIAS}')",
        f"CALL ducklake_expire_snapshots('{ALIAS}', versions => [1])",
        "FROM read_parquet('races.ducklake.files/main/races/*.parquet')",
        "FROM 'races.ducklake.files/main/races/x.parquet'",
        "INSERT INTO races VALUES (1)",
        "DELETE FROM races",
        "DROP TABLE races",
        "CREATE TABLE mine AS SELECT 1",
        "ATTACH 'other.db'",
        "SET memory_limit = '1GB'",
    ],
)
def test_what_writes_or_leaves_the_lake_is_refused(published: Lake, sql: str) -> None:
    with pytest.raises(GreynbError) as caught:
        published.cells().run(sql)
    assert isinstance(caught.value, WriteRefused)


def test_an_interrupt_stops_the_query_and_the_next_one_runs(published: Lake) -> None:
    cells = published.cells()
    cells.run("SELECT 1")
    stopped = threading.Event()

    def stop() -> None:
        while not stopped.wait(0.05):
            cells.interrupt()

    thread = threading.Thread(target=stop)
    thread.start()
    try:
        with pytest.raises(QueryInterrupted):
            cells.run("SELECT sum(hash(a.id + b.id + c.id)) FROM races a, races b, races c")
    finally:
        stopped.set()
        thread.join()
    assert published.rows("SELECT count(*) FROM races") == [(5000,)]


def test_a_lake_that_is_not_there_says_what_makes_it(lake: Lake) -> None:
    with pytest.raises(MissingDatabase, match="no DuckLake yet") as caught:
        lake.cells().run("SELECT 1")
    assert "greynb sync" in str(caught.value)
    assert not lake.catalogue.exists()


def test_tables_that_something_else_wrote_can_be_read_too(published: Lake) -> None:
    server = Settings.current().route("analytics").lake
    assert server is not None
    con = opened(server, writing=True)
    con.execute(f"CREATE TABLE {ALIAS}.main.ticks AS SELECT 1 AS id, DATE '2025-01-02' AS day")
    con.close()
    assert published.rows("SELECT count(*) FROM ticks JOIN races USING (id)") == [(1,)]
    assert published.cells().snapshot.id.startswith("snapshot-")
    assert [each.type for each in published.cells().catalog.columns("ticks")] == ["INTEGER", "DATE"]


def test_status_says_version_lag_and_files(published: Lake) -> None:
    text = str(greynb.status())
    assert f"ducklake:{published.catalogue}" in text
    assert "lake-000001" in text


def test_a_file_that_is_no_catalogue_is_named(lake: Lake, tmp_path: Path) -> None:
    lake.catalogue.write_text("no database at all, only some text")
    with pytest.raises(GreynbError, match="neither a SQLite nor a DuckDB file"):
        lake.cells().run("SELECT 1")
