"""Staging cells on PostgreSQL: one transaction each, interruptible, and no password anywhere."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal

import numpy as np
import pandas as pd
import psycopg
import pytest

from greynb.databases.parameters import bind
from greynb.databases.result import Result
from greynb.errors import (
    DatabaseLocked,
    GreynbError,
    MissingDatabase,
    QueryError,
    QueryInterrupted,
    UnreadableDatabase,
)
from greynb.postgres.staging import PostgresStaging
from greynb.routing import Server
from tests.scale.conftest import server_of
from tests.scale.server import PostgresServer, wait_for


@pytest.fixture
def session(server: Server) -> Iterator[PostgresStaging]:
    opened = PostgresStaging(server, timeout=0.5)
    opened.run("CREATE TABLE t (n bigint PRIMARY KEY, name text)")
    yield opened
    opened.close()


def rows(url: str) -> list[int]:
    """What another connection sees."""
    with psycopg.connect(url) as con:
        return [n for (n,) in con.execute("SELECT n FROM t ORDER BY n")]


def run(session: PostgresStaging, sql: str, **values: object) -> list[Result]:
    bound = bind(sql, values, dialect="postgresql")
    return session.run(bound.sql, bound.parameters)


def value(session: PostgresStaging, sql: str, **values: object) -> object:
    (result,) = run(session, sql, **values)
    assert result.frame is not None
    return result.frame.iloc[0, 0]


def test_each_statement_has_its_place_its_rows_and_its_count(session: PostgresStaging) -> None:
    results = session.run(
        "INSERT INTO t VALUES (1, 'a'), (2, 'b');\n\n"
        "UPDATE t SET name = 'c' WHERE n > 1;\n"
        "WITH old AS (SELECT 1 AS n) DELETE FROM t WHERE n IN (SELECT n FROM old) RETURNING name;\n"
        "SELECT n FROM t ORDER BY n; -- last"
    )
    assert [(each.number, each.line, each.affected) for each in results] == [
        (1, 1, 2),
        (2, 3, 1),
        (3, 4, 1),
        (4, 5, None),
    ]
    assert results[2].frame is not None and results[2].frame["name"].tolist() == ["a"]
    assert results[3].frame is not None and results[3].frame["n"].tolist() == [2]


def test_a_cell_is_written_whole_or_not_at_all(session: PostgresStaging, url: str) -> None:
    with pytest.raises(QueryError, match=r"statement 2: .*nothing was written"):
        session.run("INSERT INTO t VALUES (1, 'a'); INSERT INTO t VALUES (1, 'b')")
    assert rows(url) == []
    session.run("INSERT INTO t VALUES (1, 'a'); INSERT INTO t VALUES (2, 'b')")
    assert rows(url) == [1, 2]


def test_a_dry_run_does_everything_and_keeps_nothing(session: PostgresStaging, url: str) -> None:
    results = session.run("INSERT INTO t VALUES (1, 'a'); SELECT count(*) FROM t", dry_run=True)
    assert results[1].frame is not None and results[1].frame.iloc[0, 0] == 1
    assert rows(url) == []


def test_a_dry_run_fails_where_the_commit_would(session: PostgresStaging) -> None:
    session.run("CREATE TABLE u (n bigint REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED)")
    for dry_run in (True, False):
        with pytest.raises(QueryError, match=r"could not be committed: .*foreign key") as caught:
            session.run("INSERT INTO u VALUES (7)", dry_run=dry_run)
        assert "Key (n)=(7)" in str(caught.value)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT 1; COMMIT", "one transaction already"),
        ("START TRANSACTION", "one transaction already"),
        ("PREPARE TRANSACTION 'x'", "one transaction already"),
        ("COPY t FROM STDIN", "COPY has no file"),
        ("VACUUM t; SELECT 1", "cannot run inside a transaction"),
        ("CREATE INDEX CONCURRENTLY i ON t (name); SELECT 1", "cannot run inside a transaction"),
        (r"\d t", "psql"),
    ],
)
def test_what_a_cell_cannot_hold_is_refused_before_anything_runs(
    session: PostgresStaging, url: str, sql: str, said: str
) -> None:
    with pytest.raises(QueryError, match=f"{said}.*; nothing was run"):
        session.run(f"INSERT INTO t VALUES (1, 'a'); {sql}" if ";" in sql else sql)
    assert rows(url) == []


@pytest.mark.parametrize(
    "sql", ["VACUUM t", "CREATE UNIQUE INDEX CONCURRENTLY i ON t (name)", "REINDEX TABLE CONCURRENTLY t"]
)
def test_what_cannot_live_in_a_transaction_runs_alone(session: PostgresStaging, sql: str) -> None:
    assert session.run(sql)[0].affected is None
    with pytest.raises(QueryError, match="no dry run"):
        session.run(sql, dry_run=True)


def test_an_error_points_at_its_place_in_the_cell(session: PostgresStaging) -> None:
    with pytest.raises(QueryError) as caught:
        run(session, "SELECT 1;\nSELECT n, :name AS x, nme\nFROM t", name="a long text, much longer than $1")
    assert 'statement 2: column "nme" does not exist' in caught.value.message
    line, marks = (caught.value.detail or "").splitlines()[:2]
    assert line.startswith("line 2: ") and line[marks.index("^") :] == "nme"
    assert "t.name" in (caught.value.hint or "")


def test_a_table_that_is_not_there_gets_a_near_name(session: PostgresStaging) -> None:
    session.run("CREATE TABLE predictions (id bigint)")
    with pytest.raises(QueryError) as caught:
        session.run("SELECT * FROM prediction")
    assert caught.value.hint == "did you mean predictions?"


def test_a_table_out_of_the_search_path_is_not_offered_as_another(session: PostgresStaging) -> None:
    session.run("CREATE TABLE predictions (id bigint)")
    with pytest.raises(QueryError) as caught:
        session.run("SET search_path TO elsewhere; SELECT * FROM predictions")
    assert caught.value.hint == "it is not in the search_path here"


def test_a_habit_of_sqlite_gets_the_other_way_to_write_it(session: PostgresStaging) -> None:
    with pytest.raises(QueryError) as caught:
        session.run("INSERT OR REPLACE INTO t VALUES (1, 'a')")
    assert "ON CONFLICT" in (caught.value.hint or "")


def test_what_the_server_has_to_say_is_a_notice(session: PostgresStaging) -> None:
    results = session.run("SELECT 1; DROP TABLE IF EXISTS nothing")
    assert [each.notices for each in results] == [(), ('table "nothing" does not exist, skipping',)]


@pytest.mark.parametrize(
    "given",
    [
        *(1, 2**40, 10**30, -1.5, "it's $1 %s :x", "", True, None, b"\x00\xff", Decimal("1.10")),
        *(dt.datetime(2025, 7, 1), dt.datetime(2025, 7, 1, 10, 30), dt.time(10, 30), dt.timedelta(hours=5)),
        dt.datetime(2025, 7, 1, 10, 30, tzinfo=dt.UTC),
        *(np.int64(5), np.float32(0.5), pd.Timestamp("2025-07-01 10:30"), [1, 2, None]),
    ],
    ids=repr,
)
def test_a_parameter_arrives_as_it_is(session: PostgresStaging, given: object) -> None:
    back = value(session, "SELECT :given AS x, '%s :given' AS y", given=given)
    plain = given.item() if isinstance(given, np.generic) else given
    if given is None:
        assert back is None or pd.isna(back)  # type: ignore[call-overload]
    elif isinstance(plain, int) and not isinstance(plain, bool):
        assert int(back) == plain  # type: ignore[call-overload]
    elif isinstance(plain, Decimal):
        assert back == 1.1
    else:
        assert back == plain


@pytest.mark.parametrize("ids", [[], [1], [1, 3], list(range(1, 2_001)), {2}, np.array([2, 3])], ids=len)
def test_a_list_in_in_means_its_values_however_many(session: PostgresStaging, ids: object) -> None:
    session.run("INSERT INTO t SELECT i, i::text FROM generate_series(1, 3) AS i")
    wanted = sorted(set(ids) & {1, 2, 3})  # type: ignore[call-overload]
    for mark in ("(:ids)", ":ids"):
        found = run(session, f"SELECT n FROM t WHERE n IN {mark} ORDER BY n", ids=ids)[0].frame
        others = run(session, f"SELECT n FROM t WHERE n NOT IN {mark} ORDER BY n", ids=ids)[0].frame
        assert found is not None and others is not None
        assert found["n"].tolist() == wanted
        assert others["n"].tolist() == sorted({1, 2, 3} - set(wanted))


def test_colons_of_postgresql_stay_its_own(session: PostgresStaging) -> None:
    sql = """
        SELECT '1'::int + 1, (ARRAY[1,2,3])[1:2], '{"a": 1}'::jsonb ? 'a', $q$ :x $q$, E'it\\'s :x', :x::int
    """
    (result,) = run(session, sql, x=7)
    assert result.frame is not None
    assert result.frame.iloc[0].tolist() == [2, [1, 2], True, " :x ", "it's :x", 7]


def test_a_function_with_a_body_is_one_statement(session: PostgresStaging) -> None:
    results = session.run(
        "CREATE FUNCTION a() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;"
        "CREATE FUNCTION b() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END;"
        "SELECT a() + b()"
    )
    assert results[-1].frame is not None and results[-1].frame.iloc[0, 0] == 3


TYPES = """
    SELECT 1::smallint AS int2, 1::int AS int4, 1::bigint AS int8, 1.5::real AS float4, 1.5::float8 AS float8,
    1.10::numeric(10, 2) AS price, true AS bool, DATE '2025-07-01' AS day,
    TIMESTAMP '2025-07-01 10:30' AS ts, TIMESTAMPTZ '2025-07-01 10:30+00' AS tstz, TIME '10:30' AS time,
    INTERVAL '1 day 02:00' AS span, 'x'::text AS text, 'x'::char(3) AS padded, '{"a": 1}'::json AS json,
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS uuid, '\\xff'::bytea AS bytea, ARRAY[1, 2] AS list
"""


def test_each_type_has_its_dtype_and_keeps_it_with_null_or_without_rows(session: PostgresStaging) -> None:
    session.run(f"SET timezone = 'Australia/Sydney'; CREATE TABLE kinds AS {TYPES}")
    full = session.run("SELECT * FROM kinds")[0]
    assert full.frame is not None
    dtypes = {name: str(kind) for name, kind in full.frame.dtypes.items()}
    text = str(pd.Series(["x"]).dtype)
    assert dtypes == {
        **dict.fromkeys(("int2", "int4", "int8"), "int64"),
        **{"float4": "float32", "float8": "float64", "price": "float64", "bool": "bool"},
        **{"day": "datetime64[s]", "ts": "datetime64[us]", "tstz": "datetime64[us, Australia/Sydney]"},
        **{"time": "object", "span": "timedelta64[us]", "text": text, "padded": text, "json": text},
        **{"uuid": text, "bytea": "object", "list": "object"},
    }
    assert full.types[5] == "numeric(10,2)"
    assert full.frame["json"][0] == '{"a": 1}' and full.frame["bytea"][0] == b"\xff"
    session.run("INSERT INTO kinds (int2) VALUES (NULL)")
    holes = session.run("SELECT * FROM kinds")[0].frame
    empty = session.run("SELECT * FROM kinds WHERE false")[0].frame
    assert holes is not None and empty is not None
    assert (str(holes["int8"].dtype), str(holes["bool"].dtype)) == ("Int64", "boolean")
    assert str(holes["tstz"].dtype) == str(empty["tstz"].dtype) == dtypes["tstz"]
    assert holes.iloc[1].isna().all()
    assert str(empty["int8"].dtype) == "int64" and len(empty.columns) == len(dtypes)


def test_what_python_cannot_hold_is_not_changed_silently(session: PostgresStaging) -> None:
    (result,) = session.run(
        "SELECT 'infinity'::date AS day, '0044-03-15 BC'::timestamp AS ts, 0.12345678901234567890 AS exact,"
        " INTERVAL '1 month 3 days' AS months, 'NaN'::numeric AS nan"
    )
    assert result.frame is not None
    day, ts, exact, months, _ = result.frame.iloc[0]
    assert (day, ts) == ("infinity", "0044-03-15 00:00:00 BC")
    assert exact == Decimal("0.12345678901234567890")
    assert months == pd.DateOffset(months=1, days=3, microseconds=0)
    assert len([each for each in result.notices if "came as text" in each]) == 2


def interrupted(session: PostgresStaging, sql: str, is_running: Callable[[], bool]) -> None:
    def interrupt() -> None:
        wait_for(is_running)
        session.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(QueryInterrupted, match="nothing was written"):
        session.run(sql)
    thread.join()


def waits(url: str, event: str) -> Callable[[], bool]:
    """Whether a connection of greynb waits in the server for something of that kind."""

    def asked() -> bool:
        with psycopg.connect(url) as con:
            return bool(
                con.execute(
                    "SELECT 1 FROM pg_stat_activity WHERE application_name = 'greynb'"
                    " AND datname = current_database() AND wait_event ILIKE %s",
                    (event,),
                ).fetchall()
            )

    return asked


def test_a_running_cell_is_interrupted_and_the_session_goes_on(session: PostgresStaging, url: str) -> None:
    interrupted(session, "INSERT INTO t VALUES (1, 'a'); SELECT pg_sleep(300)", waits(url, "PgSleep"))
    assert rows(url) == []
    session.run("INSERT INTO t VALUES (2, 'b')")
    assert rows(url) == [2]


def test_a_lock_that_stays_is_an_error_and_a_wait_for_it_can_be_interrupted(
    session: PostgresStaging, url: str
) -> None:
    with psycopg.connect(url) as holder:
        holder.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(DatabaseLocked, match="nothing was written"):
            session.run("INSERT INTO t VALUES (1, 'a')")
        session.timeout = 300
        interrupted(session, "INSERT INTO t VALUES (1, 'a')", waits(url, "relation"))
    assert rows(url) == []


def test_a_connection_that_is_ended_between_cells_is_made_again(session: PostgresStaging, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as con:
        con.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'greynb'"
        )
    session.run("INSERT INTO t VALUES (1, 'a')")
    assert rows(url) == [1]


def test_a_server_that_is_killed_while_a_cell_runs_leaves_nothing_and_is_found_again(
    postgres: PostgresServer, session: PostgresStaging, url: str
) -> None:
    from signal import SIGQUIT

    def kill() -> None:
        wait_for(waits(url, "PgSleep"))
        postgres.stop(SIGQUIT)

    thread = threading.Thread(target=kill)
    thread.start()
    with pytest.raises(GreynbError) as caught:
        session.run("INSERT INTO t VALUES (1, 'a'); SELECT pg_sleep(300)")
    thread.join()
    assert "broke while the cell ran; nothing was written" in str(caught.value)
    try:
        with pytest.raises(GreynbError, match=f"127.0.0.1:{postgres.port} cannot be reached"):
            session.run("SELECT 1")
    finally:
        postgres.start()
    session.run("INSERT INTO t VALUES (2, 'b')")
    assert rows(url) == [2]


def test_a_wrong_password_and_a_missing_database_are_told_apart(postgres: PostgresServer) -> None:
    wrong = postgres.url(password="hunter2")
    for url, kind in ((wrong, UnreadableDatabase), (postgres.url("nowhere"), MissingDatabase)):
        with closing(PostgresStaging(server_of(url))) as session, pytest.raises(kind) as caught:
            session.run("SELECT 1")
        shown = str(caught.value) + repr(caught.value.__cause__) + repr(session.__dict__)
        assert f"127.0.0.1:{postgres.port}" in shown
        assert "hunter2" not in shown and postgres.password not in shown


def test_columns_are_listed_for_every_table_that_can_be_named(session: PostgresStaging) -> None:
    session.run("CREATE VIEW v AS SELECT n FROM t; CREATE TEMP TABLE own (x int)")
    assert session.columns() == {"own": ["x"], "t": ["n", "name"], "v": ["n"]}
