"""Analytics cells on PostgreSQL: DuckDB's SQL, read-only, one state of the database for each cell."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from signal import SIGQUIT

import psycopg
import pytest

from greynb.connections import close_all, connect
from greynb.databases.readonly import AnalyticsConnection
from greynb.errors import DatabaseError, QueryError, QueryInterrupted, UsageError, WriteRefused
from greynb.postgres.analytics import PostgresAnalytics
from greynb.routing import Server, Settings
from tests.scale.conftest import server_of
from tests.scale.server import PostgresServer, wait_for


@pytest.fixture
def con(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as con:
        con.execute(
            "CREATE TABLE races (id bigint PRIMARY KEY, venue text, day date, price numeric, fast boolean)"
        )
        con.execute(
            "INSERT INTO races SELECT i, 'v' || i % 7, date '2025-01-01' + i % 300, i / 4.0, i % 2 = 0"
            " FROM generate_series(1, 5000) AS i"
        )
        con.execute("CREATE VIEW venues AS SELECT venue, count(*) AS n FROM races GROUP BY venue")
        yield con


@pytest.fixture
def session(con: psycopg.Connection, server: Server) -> Iterator[PostgresAnalytics]:
    opened = PostgresAnalytics(server)
    yield opened
    opened.close()


def rows(session: PostgresAnalytics, sql: str, **values: object) -> list[tuple[object, ...]]:
    result = session.run(sql, values)[-1]
    assert result.frame is not None
    return [tuple(row) for row in result.frame.itertuples(index=False)]


def test_cells_read_tables_and_views_in_duckdbs_sql(session: PostgresAnalytics) -> None:
    assert rows(session, "FROM venues SELECT sum(n)") == [(5000,)]
    assert rows(
        session, "SELECT count(*) FILTER (fast), max(price) FROM races WHERE id > $low", low=4000
    ) == [(500, 1250.0)]
    assert session.snapshot.id.startswith("live ")


def test_a_numeric_that_duckdb_rounds_is_told_of_once(session: PostgresAnalytics) -> None:
    first, second = (session.run("SELECT max(price) FROM races")[0].notices for _ in range(2))
    assert first == (
        "races.price is numeric without a fixed size: read as DOUBLE, whose numbers have about 15 digits",
    )
    assert second == ()


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO races VALUES (1)",
        "CREATE TABLE x (i int)",
        "FROM postgres_query('__greynb_postgres', 'SELECT 1')",
        "SELECT * FROM postgres_scan('', 'public', 'races')",
        "CALL postgres_execute('__greynb_postgres', 'DROP TABLE races')",
        "FROM __greynb_postgres.public.races",
        "FROM duckdb_secrets()",
        "ATTACH '' AS other (TYPE postgres)",
        "CREATE SECRET s (TYPE postgres)",
        "DROP TABLE races",
    ],
)
def test_nothing_can_be_written_or_reached_around_the_gate(session: PostgresAnalytics, sql: str) -> None:
    with pytest.raises((WriteRefused, QueryError)):
        session.run(sql)
    assert rows(session, "SELECT count(*) FROM races") == [(5000,)]


def test_all_statements_of_a_cell_read_one_state_and_the_next_cell_the_newest(
    con: psycopg.Connection, session: PostgresAnalytics
) -> None:
    con.execute("CREATE VIEW slow AS SELECT pg_sleep(1) IS NULL AS x")

    def delete() -> None:
        wait_for(lambda: is_asleep(con))
        con.execute("DELETE FROM races WHERE id <= 1000")

    thread = threading.Thread(target=delete)
    thread.start()
    assert rows(session, "SELECT * FROM slow; SELECT count(*) FROM races") == [(5000,)]
    thread.join()
    assert rows(session, "SELECT count(*) FROM races") == [(4000,)]


def is_asleep(con: psycopg.Connection) -> bool:
    sql = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    return bool(con.execute(sql).fetchall())


def test_temporary_tables_last_and_stand_beside_the_database(session: PostgresAnalytics) -> None:
    session.run("CREATE TEMP TABLE fast AS SELECT * FROM races WHERE fast")
    assert rows(session, "SELECT count(*) FROM fast JOIN races USING (id)") == [(2500,)]


def test_a_changed_schema_is_seen_by_the_next_cell(
    con: psycopg.Connection, session: PostgresAnalytics
) -> None:
    assert "added" not in session.catalog
    con.execute("CREATE TABLE added (x int); ALTER TABLE races ADD box int DEFAULT 3; DROP VIEW venues")
    assert rows(session, "SELECT sum(box) FROM races") == [(15_000,)]
    assert rows(session, "SELECT count(*) FROM added") == [(0,)]
    assert [each.name for each in session.tables()] == ["added", "races"]


def test_columns_are_reported_with_both_types(session: PostgresAnalytics) -> None:
    found = {
        each.column: (each.declared, each.type, each.nulls, each.widened)
        for each in session.catalog.columns("races")
    }
    assert found["id"] == ("bigint", "BIGINT", 0, False)
    assert found["price"] == ("numeric", "DOUBLE", 0, True)


def test_a_query_that_the_server_is_busy_with_is_interrupted(
    con: psycopg.Connection, session: PostgresAnalytics, url: str
) -> None:
    con.execute("CREATE VIEW slow AS SELECT count(*) AS n, pg_sleep(300) IS NULL AS x")

    def interrupt() -> None:
        wait_for(lambda: is_asleep(con))
        while is_asleep(con):
            session.interrupt()
            stop.wait(0.05)

    stop = threading.Event()
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises((QueryInterrupted, QueryError, DatabaseError)):
        session.run("SELECT * FROM slow")
    thread.join()
    assert not is_asleep(con)
    assert rows(session, "SELECT count(*) FROM races") == [(5000,)]


def test_a_connection_that_is_lost_is_made_anew_for_the_next_cell(
    con: psycopg.Connection, session: PostgresAnalytics
) -> None:
    assert rows(session, "SELECT count(*) FROM races") == [(5000,)]
    con.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'greynb-%'"
    )
    assert rows(session, "SELECT count(*) FROM races") == [(5000,)]


def test_a_server_that_is_down_or_refuses_is_said_without_the_password(
    postgres: PostgresServer, con: psycopg.Connection, session: PostgresAnalytics, url: str
) -> None:
    session.run("SELECT 1 FROM races LIMIT 1")
    name = url.rpartition("/")[2]
    wrong = PostgresAnalytics(server_of(postgres.url(name, password="hunter2")))
    with pytest.raises(DatabaseError) as refused:
        wrong.run("SELECT 1")
    assert "refused the connection" in str(refused.value) and "hunter2" not in str(refused.value)
    postgres.stop(SIGQUIT)
    try:
        with pytest.raises(DatabaseError, match=f"127.0.0.1:{postgres.port} cannot be reached") as gone:
            session.run("SELECT count(*) FROM races")
        assert postgres.password not in str(gone.value) + repr(gone.value.__cause__)
    finally:
        postgres.start()
    assert rows(session, "SELECT count(*) FROM races") == [(5000,)]


def test_there_is_nothing_to_pin(session: PostgresAnalytics) -> None:
    with pytest.raises(UsageError, match="keeps no versions"):
        session.pin()


def test_scripts_get_a_gated_connection(con: psycopg.Connection, url: str, tmp_path) -> None:
    route = Settings.from_environ({"ANALYTICS_DB_PATH": url}, tmp_path).route("analytics")
    try:
        with connect(route) as reader:  # type: ignore[union-attr]
            assert isinstance(reader, AnalyticsConnection)
            frame = reader.execute("SELECT count(*) FROM races").df()
            assert frame.iat[0, 0] == 5000
            origin = frame.attrs["greynb"]
            assert origin["file"] == str(route.place) and origin["snapshot"].startswith("live ")
            with pytest.raises(WriteRefused):
                reader.execute("DELETE FROM races")
    finally:
        close_all()
