"""What a report or an export recorded of PostgreSQL staging is run again, and nothing else is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import psycopg
import pytest
from IPython.core.interactiveshell import InteractiveShell

import greynb
from greynb import connections
from greynb.errors import QueryInterrupted, WriteRefused
from greynb.postgres.selecting import PostgresSelect
from greynb.report.verifying import State, verify_file
from greynb.routing import Server
from tests.report.test_verify_hostile import page, refused
from tests.scale.conftest import server_of
from tests.scale.server import PostgresServer, wait_for

Query = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> str:
    return postgres.url(postgres.database())


@pytest.fixture
def con(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as con:
        con.execute("DROP TABLE IF EXISTS races")
        con.execute("CREATE TABLE races (id int PRIMARY KEY, venue text, odds numeric(6, 2), at timestamptz)")
        con.execute(
            "INSERT INTO races SELECT i, 'v' || i % 3, i / 4.0,"
            " timestamptz '2025-07-01 10:00+10' + i * interval '1 h' FROM generate_series(1, 60) AS i"
        )
        yield con


@pytest.fixture
def query(
    con: psycopg.Connection, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Query]:
    """Run a staging cell, and give its frame."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAGING_DB_PATH", database)
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "analytics.db"))
    shell = InteractiveShell.instance()
    shell.reset(new_session=True)
    shell.run_line_magic("load_ext", "greynb")

    def run(sql: str, **values: object) -> pd.DataFrame:
        shell.user_ns.update(values)
        shell.run_cell_magic("staging", "found", sql)
        frame = shell.user_ns["found"]
        assert isinstance(frame, pd.DataFrame)
        return frame

    yield run
    shell.run_line_magic("unload_ext", "greynb")
    InteractiveShell.clear_instance()
    connections.close_all()


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("SELECT venue, count(*) AS n, avg(odds) AS mean FROM races GROUP BY venue ORDER BY venue", {}),
        ("SELECT * FROM races WHERE id IN (:ids) AND odds > :low", {"ids": [3, 5, 8], "low": 1}),
        ("WITH late AS (SELECT * FROM races WHERE id > 50) SELECT max(at) - min(at) AS span FROM late", {}),
        (
            "SELECT id, array_agg(venue) AS venues FROM races WHERE false GROUP BY id",
            {},
        ),
        (
            "SELECT to_char(at, 'YYYY') AS y, jsonb_build_object('n', count(*)) AS j FROM races GROUP BY 1",
            {},
        ),
        ("TABLE races; -- all", {}),
    ],
)
def test_what_was_read_from_staging_is_run_again(
    query: Query, tmp_path: Path, sql: str, values: dict[str, object]
) -> None:
    greynb.export(query(sql, **values), tmp_path / "x.parquet")
    found = verify_file(tmp_path / "x.parquet")
    (verdict,) = found.verdicts
    assert (verdict.state, verdict.on) == (State.EXACT, "staging as it is now"), verdict
    assert found.holds


def test_the_number_that_changed_is_named(query: Query, con: psycopg.Connection, tmp_path: Path) -> None:
    report = greynb.Report("Odds")
    report.table(query("SELECT id, venue, odds FROM races ORDER BY id"))
    report.table(query("SELECT count(*) AS n FROM races"))
    report.save(tmp_path / "x.html")
    assert verify_file(tmp_path / "x.html").holds
    con.execute("UPDATE races SET odds = 99.5 WHERE id = 7")
    changed, same = verify_file(tmp_path / "x.html").verdicts
    assert (changed.state, same.state) == (State.DIFFERS, State.EXACT)
    assert changed.first is not None
    assert (changed.first.row, changed.first.then, changed.first.now) == ("id=7", "1.75", "99.5")


ATTACKS = [
    "DELETE FROM races",
    "UPDATE races SET odds = 1 RETURNING odds",
    "WITH x AS (DELETE FROM races RETURNING id) SELECT * FROM x",
    "SELECT 1; DROP TABLE races",
    "SELECT * INTO other FROM races",
    "SELECT * FROM races FOR UPDATE",
    "CREATE TABLE other AS SELECT 1",
    "COPY races TO PROGRAM 'touch /tmp/x'",
    "DO $$ BEGIN DELETE FROM races; END $$",
    "EXPLAIN ANALYZE DELETE FROM races",
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT pg_catalog . pg_read_file /* here */ ('postgresql.conf')",
    "SELECT \"pg_read_file\"('postgresql.conf')",
    "SELECT U&\"pg\\005fread_file\"('postgresql.conf')",
    "SELECT PG_TERMINATE_BACKEND(pg_backend_pid())",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT query_to_xml('DELETE FROM races', true, true, '')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT removed(id) FROM races",
    "SET transaction_read_only = off",
]


@pytest.mark.parametrize("sql", ATTACKS)
def test_nothing_but_a_select_that_reads_is_run_again(
    query: Query, con: psycopg.Connection, database: str, tmp_path: Path, sql: str
) -> None:
    con.execute(
        "CREATE OR REPLACE FUNCTION removed(int) RETURNS int LANGUAGE sql AS 'DELETE FROM races RETURNING id'"
    )
    name = database.rpartition("/")[2]
    refused(page(tmp_path / "x.html", sql=sql, role="staging", file=name))
    assert con.execute("SELECT count(*), sum(odds) FROM races").fetchone() == (60, 457.5)
    assert con.execute("SELECT to_regclass('other')").fetchone() == (None,)


def test_a_result_that_never_ends_is_cut(query: Query, database: str, tmp_path: Path) -> None:
    path = page(
        *(tmp_path / "x.html",),
        sql="WITH RECURSIVE n(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n) SELECT a FROM n",
        role="staging",
        file=database.rpartition("/")[2],
    )
    assert "100,002 rows or more" in refused(path)


_BUSY = (
    "SELECT 1 FROM pg_stat_activity"
    " WHERE state = 'active' AND query LIKE '%greynb_again%' AND pid <> pg_backend_pid()"
)


def test_a_query_that_is_run_again_is_stopped_in_the_server(con: psycopg.Connection, server: Server) -> None:
    select = PostgresSelect(server)

    def busy() -> bool:
        return bool(con.execute(_BUSY).fetchall())

    def interrupt() -> None:
        wait_for(busy)
        while not done.wait(0.05):
            select.interrupt()

    thread = threading.Thread(target=interrupt)
    done = threading.Event()
    thread.start()
    with pytest.raises(QueryInterrupted):
        select.fetch("SELECT count(*) FROM generate_series(1, 1000000000000)", {}, limit=10)
    done.set()
    thread.join()
    wait_for(lambda: not busy())
    select.close()


def test_a_function_that_only_computes_is_no_reason_to_refuse(server: Server) -> None:
    select = PostgresSelect(server)
    assert select.fetch("SELECT abs(-$x) AS n, now() IS NULL AS no", {"x": 3}, limit=5)["n"].tolist() == [3]
    with pytest.raises(WriteRefused, match="it calls random, which may do more than read"):
        select.fetch("SELECT random()", {}, limit=5)
    select.close()


def test_a_function_that_runs_the_statement_it_is_given_is_refused(
    con: psycopg.Connection, database: str
) -> None:
    con.execute("CREATE EXTENSION IF NOT EXISTS tablefunc")
    select = PostgresSelect(server_of(database))
    read = "SELECT 1::text, ''a''::text, pg_read_file(''PG_VERSION'')"
    with pytest.raises(WriteRefused, match="it calls crosstab"):
        select.fetch(f"SELECT * FROM crosstab('{read}') AS t(a text, b text)", {}, limit=5)
    select.close()
