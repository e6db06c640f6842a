"""What a server does not let a user do, or cannot hold: it is said with what to do, and nothing is lost."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import psycopg
import pytest

import greynb
from greynb.errors import GreynbError, PublishError
from greynb.postgres.analytics import PostgresAnalytics
from greynb.postgres.staging import PostgresStaging
from greynb.publish import sync
from tests.scale.conftest import server_of
from tests.scale.server import PostgresServer

FRAME = pd.DataFrame({"id": [7], "venue": ["Ascot"]})


@pytest.fixture
def con(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as con:
        con.execute("CREATE TABLE races (id int PRIMARY KEY, venue text, price numeric)")
        con.execute("INSERT INTO races VALUES (1, 'Wentworth', 2.5)")
        yield con


@pytest.fixture
def role(con: psycopg.Connection, url: str) -> str:
    """The address of the same database for a new user who may do nothing there."""
    name = f"looker_{secrets.token_hex(4)}"
    con.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'hunter2'")
    return f"postgresql://{name}:hunter2@{url.rpartition('@')[2]}"


def actions(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], object]]:
    """A cell of each role, a load and a publication."""
    server = server_of(url)
    monkeypatch.setenv("STAGING_DB_PATH", url)

    def cell() -> object:
        with closing(PostgresStaging(server)) as session:
            return session.run("SELECT * FROM races")

    def analytics() -> object:
        with closing(PostgresAnalytics(server)) as session:
            return session.run("SELECT count(venue) FROM races")

    return {
        "cell": cell,
        "analytics": analytics,
        "load": lambda: greynb.load(FRAME, "races"),
        "publication": lambda: sync(server, tmp_path / "analytics.db"),
    }


def refusals(found: dict[str, Callable[[], object]]) -> dict[str, str]:
    said = {}
    for name, action in found.items():
        with pytest.raises(GreynbError) as caught:
            action()
        said[name] = str(caught.value)
        assert "hunter2" not in said[name] and len(said[name].splitlines()) <= 4
    return said


def test_connections_that_are_all_taken_are_not_blamed_on_the_password(
    con: psycopg.Connection, role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    con.execute(f"ALTER ROLE {role.split('//')[1].partition(':')[0]} CONNECTION LIMIT 0")
    for text in refusals(actions(role, tmp_path, monkeypatch)).values():
        assert "too many connections" in text and "pg_stat_activity lists who has them" in text
        assert "password" not in text


def test_a_right_that_is_lacking_is_named_and_columns_that_may_be_read_are_read(
    con: psycopg.Connection, role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in refusals(actions(role, tmp_path, monkeypatch)).values():
        assert "permission denied for table races" in text and "GRANT" in text and "COPY" not in text
    con.execute(f"GRANT SELECT (id) ON races TO {role.split('//')[1].partition(':')[0]}")
    with closing(PostgresAnalytics(server_of(role))) as session:
        (result,) = session.run("SELECT max(id) FROM races")
        assert result.frame is not None and result.frame.iat[0, 0] == 1
        with pytest.raises(GreynbError, match="permission denied"):
            session.run("SELECT max(price) FROM races")


def test_a_server_that_only_reads_says_so_to_who_writes(
    con: psycopg.Connection, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = actions(f"{url}?options=-cdefault_transaction_read_only%3Don", tmp_path, monkeypatch)
    assert "a standby only reads" in refusals({"load": found.pop("load")})["load"]
    for action in found.values():
        action()


def test_another_schema_is_served_by_the_search_path_and_none_is_not_published_as_nothing(
    con: psycopg.Connection, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    con.execute("CREATE SCHEMA racing; ALTER TABLE races SET SCHEMA racing")
    for action in actions(f"{url}?options=-csearch_path%3Dracing", tmp_path, monkeypatch).values():
        action()
    assert con.execute("SELECT count(*) FROM racing.races").fetchall() == [(2,)]
    with pytest.raises(PublishError, match="none of the schemas on the search path is there"):
        sync(server_of(f"{url}?options=-csearch_path%3Dnowhere"), tmp_path / "analytics.db")
    with closing(sqlite3.connect(tmp_path / "analytics.db")) as lite:
        assert lite.execute("SELECT count(*) FROM races").fetchall() == [(2,)]


@pytest.mark.parametrize(("encoding", "text", "other"), [("LATIN1", "é", "日"), ("EUC_JP", "日", "🐕")])
def test_a_database_of_another_encoding_gives_and_takes_the_texts_that_it_can_hold(
    encoding: str,
    text: str,
    other: str,
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"races_{secrets.token_hex(4)}"
    with postgres.connect() as con:
        con.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'")
    monkeypatch.setenv("STAGING_DB_PATH", postgres.url(name))
    server, target = server_of(postgres.url(name)), tmp_path / "analytics.db"
    with closing(PostgresStaging(server)) as staging, closing(PostgresAnalytics(server)) as analytics:
        staging.run(f"CREATE TABLE t (i int PRIMARY KEY, x text); INSERT INTO t VALUES (1, '{text}')")
        greynb.load(pd.DataFrame({"i": [2], "x": [text]}), "t")
        for session in (staging, analytics):
            (result,) = session.run("SELECT x FROM t")
            assert result.frame is not None and result.frame["x"].tolist() == [text, text]
        for action in (
            lambda: staging.run(f"INSERT INTO t VALUES (3, '{other}')"),
            lambda: greynb.load(pd.DataFrame({"i": [3], "x": [other]}), "t"),
        ):
            with pytest.raises(GreynbError, match=f'no equivalent in encoding "{encoding}"'):
                action()
    sync(server, target)
    with closing(sqlite3.connect(target)) as lite:
        assert lite.execute("SELECT x FROM t").fetchall() == [(text,), (text,)]
