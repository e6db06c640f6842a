"""Publishing PostgreSQL staging to analytics: consistent, exact, and only what changed where it can."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greynb import api
from greynb.errors import GreynbError
from greynb.postgres.snapshot import ServerLook
from greynb.publish import SyncResult, sync
from greynb.publish.history import history
from greynb.publish.lag import lag
from greynb.publish.verifying import compare
from greynb.publish.versions import rollback
from greynb.routing import Server
from tests.scale.server import free_port


@pytest.fixture
def con(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as con:
        con.execute(
            "CREATE TABLE races (id bigint PRIMARY KEY, venue text NOT NULL, day date, price numeric(10, 2))"
        )
        con.execute("CREATE TABLE notes (at timestamptz, note text)")
        con.execute(
            "INSERT INTO races SELECT i, 'v' || i % 7, date '2025-01-01' + i % 300, i / 100.0"
            " FROM generate_series(1, 20000) AS i"
        )
        con.execute("INSERT INTO notes VALUES ('2025-07-01 10:30+10', 'first')")
        yield con


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "analytics.db"


def read(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{path.resolve()}?mode=ro", uri=True)) as con:
        return con.execute(sql).fetchall()


def told(result: SyncResult) -> str:
    return next(note for note in result.notices if "read from PostgreSQL" in note)


def test_all_rows_arrive_and_what_was_read_how_is_said(
    con: psycopg.Connection, server: Server, target: Path
) -> None:
    done = sync(server, target, verify=True)
    assert (done.mode, done.rows) == ("full", {"notes": 1, "races": 20_000})
    assert done.source == server and "all rows were read from PostgreSQL" in str(done)
    assert read(target, "SELECT * FROM races WHERE id = 12345") == [(12345, "v4", "2025-02-15", 123.45)]
    assert read(target, "SELECT * FROM notes") == [("2025-07-01 00:30:00", "first")]
    assert compare(server, target).equal
    (version,) = history(target)
    assert version.current


def test_a_server_that_is_down_is_said_to_be_staging(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAGING_DB_PATH", f"postgresql://ann@127.0.0.1:{free_port()}/races")
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(target))
    for action in (api.sync, api.verify):
        with pytest.raises(GreynbError, match=r"(?s)on: staging .*chosen by STAGING_DB_PATH"):
            action()


def test_one_database_for_both_is_not_called_a_file(
    con: psycopg.Connection, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STAGING_DB_PATH", "ANALYTICS_DB_PATH"):
        monkeypatch.setenv(name, url)
    assert "staging and analytics are one database (postgresql://" in str(api.sync())


def test_only_changed_rows_are_read_again(con: psycopg.Connection, server: Server, target: Path) -> None:
    sync(server, target)
    con.execute("UPDATE races SET venue = 'new' WHERE id BETWEEN 100 AND 104")
    con.execute("DELETE FROM races WHERE id > 19990")
    con.execute("INSERT INTO races VALUES (20001, 'x', NULL, NULL), (-1, 'y', NULL, NULL)")
    con.execute("UPDATE races SET id = 30000 WHERE id = 50")
    done = sync(server, target, verify=True)
    assert done.mode == "incremental" and done.reason == ""
    assert told(done) == "read from PostgreSQL: 1 table unchanged, 1 table by changed rows"
    races = done.tables["races"]
    assert (races.inserted, races.updated, races.deleted) == (3, 5, 11)
    assert compare(server, target).equal


def test_an_unchanged_staging_is_not_published_again(
    con: psycopg.Connection, server: Server, target: Path
) -> None:
    first = sync(server, target)
    assert sync(server, target).mode == "unchanged"
    con.execute("CREATE TABLE gone (n int); DROP TABLE gone")  # a commit, and yet the same rows
    again = sync(server, target, verify=True)
    assert (again.id, again.mode) == (first.id, "unchanged")
    assert lag(server, target).seconds == 0


def test_a_table_without_a_key_is_read_whole_when_it_changed(
    con: psycopg.Connection, server: Server, target: Path
) -> None:
    sync(server, target)
    con.execute("INSERT INTO notes VALUES (now(), 'second')")
    done = sync(server, target, verify=True)
    assert told(done) == "read from PostgreSQL: 1 table unchanged, 1 table whole (notes)"
    assert compare(server, target).equal


def test_a_transaction_that_was_open_during_a_publication_is_in_the_next(
    con: psycopg.Connection, url: str, server: Server, target: Path
) -> None:
    with psycopg.connect(url) as open_one:
        open_one.execute("UPDATE races SET venue = 'late' WHERE id = 1")
        con.execute("UPDATE races SET venue = 'early' WHERE id = 2")
        sync(server, target)
    assert read(target, "SELECT venue FROM races WHERE id <= 2 ORDER BY id") == [("v1",), ("early",)]
    done = sync(server, target, verify=True)
    assert done.mode == "incremental"
    assert read(target, "SELECT venue FROM races WHERE id <= 2 ORDER BY id") == [("late",), ("early",)]


CHANGES = {
    "a column more": "ALTER TABLE races ADD COLUMN box int DEFAULT 3",
    "a column less": "ALTER TABLE races DROP COLUMN price",
    "a column of another type": "ALTER TABLE races ALTER COLUMN price TYPE text USING 'x' || price",
    "an index": "CREATE INDEX by_venue ON races (venue)",
    "a table filled anew": "TRUNCATE races; INSERT INTO races SELECT i, 'z' FROM generate_series(1, 9) i",
    "a table made anew": "DROP TABLE races; CREATE TABLE races (id bigint PRIMARY KEY, x text)",
    "a table renamed": "ALTER TABLE races RENAME TO runs",
    "another key": "ALTER TABLE races DROP CONSTRAINT races_pkey, ADD PRIMARY KEY (id, venue)",
    "a number too exact": "ALTER TABLE notes ADD x numeric; UPDATE notes SET x = 0.1234567890123456789",
    "a view": "CREATE VIEW v AS SELECT 1 AS one",
    "a rewrite": "VACUUM FULL FREEZE races",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_after_any_change_of_the_schema_analytics_is_what_staging_is(
    con: psycopg.Connection, server: Server, target: Path, change: str
) -> None:
    sync(server, target)
    for statement in change.split("; "):
        con.execute(statement)
    done = sync(server, target, verify=True)
    assert done.mode in ("incremental", "unchanged")
    assert compare(server, target).equal


def test_a_label_that_is_renamed_reaches_rows_that_nobody_wrote_to(
    con: psycopg.Connection, server: Server, target: Path
) -> None:
    con.execute("CREATE TYPE going AS ENUM ('good', 'bad')")
    con.execute("CREATE TABLE tracks (id int PRIMARY KEY, going going)")
    con.execute("INSERT INTO tracks VALUES (1, 'good')")
    sync(server, target)
    con.execute("ALTER TYPE going RENAME VALUE 'good' TO 'fast'")
    sync(server, target)
    assert read(target, "SELECT going FROM tracks") == [("fast",)]


def test_partitions_that_come_and_go_with_old_rows_are_noticed(
    con: psycopg.Connection, server: Server, target: Path
) -> None:
    con.execute("CREATE TABLE ticks (day date, n int, PRIMARY KEY (day, n)) PARTITION BY LIST (day)")
    for number, day in enumerate(("2025-07-01", "2025-07-02")):
        con.execute(f"CREATE TABLE ticks_{number} (day date NOT NULL, n int NOT NULL, PRIMARY KEY (day, n))")
        con.execute(f"INSERT INTO ticks_{number} VALUES ('{day}', 1)")
    con.execute("ALTER TABLE ticks ATTACH PARTITION ticks_0 FOR VALUES IN ('2025-07-01')")
    sync(server, target)
    con.execute("ALTER TABLE ticks DETACH PARTITION ticks_0")
    con.execute("ALTER TABLE ticks ATTACH PARTITION ticks_1 FOR VALUES IN ('2025-07-02')")
    sync(server, target)
    assert read(target, "SELECT day FROM ticks") == [("2025-07-02",)]


KINDS = """
    CREATE TABLE kinds (
        id int PRIMARY KEY, small smallint, big bigint, r real, d float8, price numeric(10, 2), n numeric,
        wide numeric(40, 20), whole numeric(12, 0), ok boolean, day date, ts timestamp, tz timestamptz,
        t text, c char(4), v varchar(9), js json, jb jsonb, u uuid, b bytea, ints int[], texts text[],
        span interval, tod time, net inet, dom positive
    )
"""


def test_each_type_is_stored_exactly(con: psycopg.Connection, server: Server, target: Path) -> None:
    con.execute("CREATE DOMAIN positive AS numeric(8, 3) CHECK (value > 0)")
    con.execute(KINDS)
    con.execute(
        "INSERT INTO kinds VALUES (1, -32768, 9223372036854775807, 0.1, 0.1, 100.50, 12.5,"
        " 12345678901234567890.12345678901234567890, 123456789012, true, '2025-07-01',"
        " '2025-07-01 10:30:00.123456', '2025-07-01 10:30+10', E'it''s \\t é', 'ab', 'x', '{\"a\": 1.0}',"
        " '{\"b\": [1]}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\\x00ff', '{1,NULL,3}', '{a,\"b c\"}',"
        " '1 mon 2 days', '10:30', '10.0.0.1/8', 1.5), (2), (3, d => NULL)".replace(
            ", (3, d => NULL)", ""
        ).replace(", (2)", "")
    )
    con.execute("INSERT INTO kinds (id, d, n, day) VALUES (2, 'NaN', 'NaN', 'infinity'), (3, 'inf', 5, NULL)")
    done = sync(server, target, verify=True)
    (row, special, infinite) = read(target, "SELECT * FROM kinds ORDER BY id")
    assert row == (
        *(1, -32768, 2**63 - 1, 0.10000000149011612, 0.1, 100.5, 12.5),
        *("12345678901234567890.12345678901234567890", 123456789012, 1, "2025-07-01"),
        *("2025-07-01 10:30:00.123456", "2025-07-01 00:30:00", "it's \t é", "ab  ", "x", '{"a": 1.0}'),
        *('{"b": [1]}', "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", b"\x00\xff", "[1,null,3]", '["a","b c"]'),
        *("1 mon 2 days", "10:30:00", "10.0.0.1/8", 1.5),
    )
    assert (special[4], special[6], special[10]) == ("NaN", "NaN", "infinity")
    assert (infinite[4], infinite[6]) == (float("inf"), 5.0)
    assert "kinds.wide has numbers of more than 15 digits, so it is published as text" in done.notices


numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
@given(st.lists(st.tuples(numbers, st.floats(allow_nan=False), st.text().map(lambda t: t.replace("\0", "")))))
def test_any_row_is_the_same_in_analytics(
    con: psycopg.Connection, server: Server, tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    con.execute("DROP TABLE IF EXISTS anything; DROP TABLE IF EXISTS races")
    con.execute("CREATE TABLE anything (id serial PRIMARY KEY, n numeric, x float8, t text)")
    with con.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO anything (n, x, t) VALUES (%s, %s, %s)",
            [(n, x, t.encode("utf-8", "ignore").decode()) for n, x, t in rows],
        )
    target = tmp_path_factory.mktemp("any") / "analytics.db"
    sync(server, target, verify=True)
    stored = read(target, "SELECT n, x, t FROM anything ORDER BY id")
    staged = con.execute("SELECT n, x, t FROM anything ORDER BY id").fetchall()
    assert [(x, t) for _, x, t in stored] == [(x, t) for _, x, t in staged]
    assert all(type(n)(a) == n for (a, *_), (n, *_) in zip(stored, staged, strict=True) if isinstance(a, str))


def test_a_rollback_and_the_publication_after_it_hold_what_they_should(
    con: psycopg.Connection, server: Server, target: Path
) -> None:
    sync(server, target)
    con.execute("DELETE FROM races WHERE id > 10")
    sync(server, target)
    rollback(target)
    assert read(target, "SELECT count(*) FROM races") == [(20_000,)]
    con.execute("INSERT INTO races VALUES (11, 'x', NULL, NULL)")
    sync(server, target, verify=True)
    assert compare(server, target).equal


def test_a_plan_is_applied_to_the_copy(con: psycopg.Connection, server: Server, target: Path) -> None:
    from greynb.publish.etl import load_plan

    (target.parent / "greynb.toml").write_text('[tables]\nexclude = ["notes"]\n')
    plan = load_plan(target.parent)
    done = sync(server, target, mode="etl", plan=plan)
    assert done.mode == "etl" and list(done.rows) == ["races"]


def test_another_database_at_the_address_is_read_whole() -> None:
    then = ServerLook("1", 1, 5, "100:105:101")
    for now, why in (
        (ServerLook("2", 1, 5, "200:200:"), "another database"),
        (ServerLook("1", 2, 5, "200:200:"), "promoted"),
        (ServerLook("1", 1, 5, "90:90:"), "set back"),
        (ServerLook("1", 1, 5, f"{2**31 + 200}:{2**31 + 200}:"), "too many"),
    ):
        assert why in now.why_not_since(then)
    assert ServerLook("1", 1, 5, "101:106:").why_not_since(then) == ""


def test_a_publication_that_loses_the_server_leaves_the_old_version(
    con: psycopg.Connection, server: Server, target: Path
) -> None:
    first = sync(server, target)
    con.execute("UPDATE races SET venue = 'new' WHERE id < 10")

    def end(step: str, part: float) -> None:
        if step == "copy":
            con.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'greynb' AND datname = current_database()"
            )

    with pytest.raises(GreynbError, match="PostgreSQL gave up"):
        sync(server, target, mode="full", progress=end)
    assert [each.id for each in history(target)] == [first.id]
    assert sync(server, target, verify=True).mode == "incremental"


def test_readers_see_whole_versions_while_writers_and_publisher_go_on(
    con: psycopg.Connection, url: str, server: Server, target: Path
) -> None:
    con.execute("CREATE TABLE twice (id int PRIMARY KEY, one int NOT NULL, two int NOT NULL)")
    con.execute("INSERT INTO twice SELECT i, 0, 0 FROM generate_series(1, 50) i")
    sync(server, target)
    stop = threading.Event()

    def write() -> None:
        with psycopg.connect(url) as own:
            for number in range(10_000):
                own.execute("UPDATE twice SET one = %s", (number,))
                own.execute("UPDATE twice SET two = %s", (number,))
                own.commit()
                if stop.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            sync(server, target, mirror=False)
            ((values, torn),) = read(
                target, "SELECT count(DISTINCT one), sum(one <> two) + count(DISTINCT one) - 1 FROM twice"
            )
            assert (values, torn) == (1, 0)
    finally:
        stop.set()
        writer.join()
