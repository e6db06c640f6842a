"""Analytics on PostgreSQL reads what is there, where DuckDB's scanner alone would read something else."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import psycopg
import pytest

from greynb.errors import QueryError
from greynb.postgres.analytics import PostgresAnalytics
from greynb.routing import Server


@pytest.fixture
def con(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as con:
        yield con


@pytest.fixture
def session(server: Server) -> Iterator[PostgresAnalytics]:
    opened = PostgresAnalytics(server)
    yield opened
    opened.close()


def rows(session: PostgresAnalytics, sql: str) -> list[tuple[object, ...]]:
    frame = session.run(sql)[-1].frame
    assert frame is not None
    return [tuple(row) for row in frame.itertuples(index=False)]


@pytest.mark.parametrize("index", ["SELECT 1", "CREATE INDEX ON odds (price, id)"], ids=["plain", "indexed"])
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_a_numeric_that_is_no_number_is_refused_and_never_read_as_zero(
    con: psycopg.Connection, session: PostgresAnalytics, value: str, index: str
) -> None:
    con.execute("CREATE TABLE odds (id int, price numeric, other numeric(5, 2) DEFAULT 1)")
    con.execute(index)
    assert rows(session, "SELECT count(price), count(other) FROM odds") == [(0, 0)]
    con.execute("INSERT INTO odds VALUES (1, 2.5), (2, %s)", (value,))
    for sql in (
        "SELECT price FROM odds",
        "SELECT sum(price) FROM odds",
        "SELECT id FROM odds WHERE price > 2",
    ):
        with pytest.raises(QueryError, match="column price holds NaN or infinity"):
            session.run(sql)
    with pytest.raises(duckdb.Error, match="column price holds"), session.reader() as reader:
        reader.execute("SELECT price FROM odds")


def test_what_is_no_number_hinders_only_what_needs_that_column_and_while_it_is_there(
    con: psycopg.Connection, session: PostgresAnalytics
) -> None:
    con.execute("CREATE TABLE odds (id int, price numeric(8, 2))")
    con.execute("INSERT INTO odds VALUES (1, 2.5), (2, 'NaN')")
    assert rows(session, "CREATE TEMP TABLE kept AS SELECT id FROM odds; SELECT sum(id) FROM kept") == [(3,)]
    with pytest.raises(QueryError, match="column price"):
        session.run("SELECT max(price) FROM odds")
    con.execute("DELETE FROM odds WHERE id = 2")
    assert rows(session, "SELECT sum(price) = 2.5 FROM odds") == [(True,)]
    con.execute("INSERT INTO odds VALUES (3, 'NaN')")
    with pytest.raises(QueryError, match="column price"):
        session.run("SELECT max(price) FROM odds")
    reports = {each.column: (each.type, each.rows) for each in session.catalog.columns("odds")}
    assert reports["price"] == ("DECIMAL(8,2)", 2)


def test_arrays_of_numerics_are_looked_into_as_well(
    con: psycopg.Connection, session: PostgresAnalytics
) -> None:
    con.execute("CREATE TABLE ladders (id int, prices numeric[])")
    con.execute("INSERT INTO ladders VALUES (1, '{1.5,2}')")
    assert rows(session, "SELECT list_sum(prices) FROM ladders") == [(3.5,)]
    con.execute("INSERT INTO ladders VALUES (2, '{1.5,NaN}')")
    with pytest.raises(QueryError, match="column prices"):
        session.run("SELECT prices FROM ladders")


def test_a_numeric_of_a_negative_scale_is_refused(
    con: psycopg.Connection, session: PostgresAnalytics
) -> None:
    if con.info.server_version < 150_000:
        pytest.skip("PostgreSQL has such numerics since version 15")
    con.execute("CREATE TABLE prizes (id int, prize numeric(3, -2))")
    con.execute("INSERT INTO prizes VALUES (1, 12345)")
    assert rows(session, "SELECT id FROM prizes") == [(1,)]
    with pytest.raises(QueryError, match=r"column prize is numeric\(3,-2\), which DuckDB reads as other"):
        session.run("SELECT prize FROM prizes")


def test_text_is_compared_as_duckdb_does_whatever_the_servers_collation(
    con: psycopg.Connection, session: PostgresAnalytics
) -> None:
    con.execute("CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    con.execute("CREATE TABLE dogs (name text COLLATE loose)")
    con.execute("INSERT INTO dogs VALUES ('abc'), ('ABC'), ('b'), ('Z')")
    assert rows(session, "SELECT name FROM dogs WHERE name = 'abc'") == [("abc",)]
    assert rows(session, "SELECT name FROM dogs WHERE name IN ('abc', 'x')") == [("abc",)]
    assert sorted(rows(session, "SELECT name FROM dogs WHERE name > 'Z' OR name = 'Z'")) == [
        ("Z",),
        ("abc",),
        ("b",),
    ]
    assert rows(session, "SELECT count(DISTINCT name), min(name) FROM dogs") == [(4, "ABC")]


def test_types_that_duckdb_has_as_text_are_compared_as_text(
    con: psycopg.Connection, session: PostgresAnalytics
) -> None:
    con.execute("CREATE TABLE notes (id int, said json, kept jsonb, fee money, host inet)")
    con.execute("""INSERT INTO notes VALUES (1, '{"a":1}', '{"b":1,"a":2}', 5, '10.0.0.2'),
        (2, NULL, NULL, 10, '10.0.0.10')""")
    assert rows(session, """SELECT id FROM notes WHERE kept = '{"b":1,"a":2}'""") == []
    assert rows(session, """SELECT id FROM notes WHERE kept = '{"a": 2, "b": 1}' OR said = 'x'""") == [(1,)]
    assert rows(session, "SELECT id FROM notes WHERE fee > '$2'") == [(1,)]
    assert rows(session, "SELECT id FROM notes WHERE host > '10.0.0.1' ORDER BY host") == [(2,), (1,)]


def test_domains_are_read_as_their_base_types(con: psycopg.Connection, session: PostgresAnalytics) -> None:
    con.execute("CREATE DOMAIN stall AS int CHECK (VALUE > 0)")
    con.execute("CREATE DOMAIN odds AS numeric(6, 2)")
    con.execute("CREATE TABLE starters (box stall, odds odds, name name)")
    con.execute("INSERT INTO starters VALUES (10, 2.50, 'x'), (9, 12.25, 'y')")
    assert rows(session, "SELECT box FROM starters ORDER BY box") == [(9,), (10,)]
    assert rows(session, "SELECT box + 1 FROM starters WHERE odds < 10") == [(11,)]
    types = {each.column: each.type for each in session.catalog.columns("starters")}
    assert types == {"box": "INTEGER", "odds": "DECIMAL(6,2)", "name": "VARCHAR"}
