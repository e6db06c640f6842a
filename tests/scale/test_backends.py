"""The same statements on every back end: equal to DuckDB over the file's mirror, or refused with a reason.

Floating-point sums depend on the order of addition in every engine, DuckDB included, so doubles may differ in
their last digits; everything else is equal exactly, names and types included.
"""

from __future__ import annotations

import math
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pandas as pd
import psycopg
import pytest

from greynb import api, connections
from greynb.databases.reading import CellSession
from greynb.databases.result import Result
from greynb.errors import GreynbError
from greynb.postgres.analytics import PostgresAnalytics
from greynb.routing import Settings
from greynb.spark.session import SparkSession
from greynb.spark.typed import Unsupported
from tests.scale.server import PostgresServer
from tests.scale.spark import SparkCluster
from tests.scale.statements import DIALECT, EVALUATION, make_season

STATEMENTS = (*EVALUATION, *DIALECT)
Rows = list[tuple[object, ...]]
Answers = dict[str, Result | GreynbError]


@contextmanager
def environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("season") / "stage.db"
    make_season(path)
    return path


@contextmanager
def published(staging: Path, analytics: str, **more: str) -> Iterator[CellSession]:
    """A session over what was published to an address."""
    with environment(STAGING_DB_PATH=str(staging), ANALYTICS_DB_PATH=analytics, **more):
        api.sync()
        session = connections.analytics_session(Settings.current().route("analytics"))
    yield session
    connections.close_all()


@pytest.fixture(scope="module")
def expected(staging: Path) -> Answers:
    """What DuckDB says over the published file's mirror."""
    with published(staging, str(staging.with_name("analytics.db"))) as session:
        session.mirroring.mode = "require"
        return {sql: answer(session, sql) for sql in STATEMENTS}


def answer(session: CellSession, sql: str) -> Result | GreynbError:
    try:
        return session.run(sql)[-1]
    except GreynbError as error:
        return error


def compare(session: CellSession, expected: Answers) -> Counter[str]:
    """Run every statement; what is neither equal nor refused fails, all of it at once."""
    found: Counter[str] = Counter()
    wrong = []
    for sql, wanted in expected.items():
        got = answer(session, sql)
        if isinstance(got, Unsupported):
            assert got.hint
            found["refused"] += 1
        elif isinstance(wanted, GreynbError) and isinstance(got, GreynbError):
            found["failed in both"] += 1
        elif isinstance(wanted, GreynbError) or isinstance(got, GreynbError):
            wrong.append((sql, wanted, got))
        elif difference := differing(sql, wanted, got):
            wrong.append((sql, difference, ""))
        else:
            found["equal"] += 1
    assert not wrong
    return found


def differing(sql: str, wanted: Result, got: Result) -> str:
    """How two results differ; empty where they do not."""
    one, two = wanted.frame, got.frame
    if one is None or two is None:
        return "" if one is two else "rows on one side"
    if sql.startswith("DESCRIBE"):  # what a lake says of defaults is its own
        one, two = one.iloc[:, :3], two.iloc[:, :3]
    if list(one.columns) != list(two.columns) or wanted.types != got.types:
        return f"columns {wanted.types} and {got.types}"
    if list(map(str, one.dtypes)) != list(map(str, two.dtypes)):
        return f"dtypes {list(one.dtypes)} and {list(two.dtypes)}"
    rows = rows_of(sql, one), rows_of(sql, two)
    if len(rows[0]) != len(rows[1]):
        return f"{len(rows[0])} and {len(rows[1])} rows"
    pairs = zip(*rows, strict=True)
    return next((f"{a} and {b}" for a, b in pairs if not all(map(same, a, b))), "")


def rows_of(sql: str, frame: pd.DataFrame) -> Rows:
    rows = list(frame.itertuples(index=False, name=None))
    ordered = re.search(r"ORDER BY[^()]*(\([^()]*\)[^()]*)*$", sql)
    return rows if ordered else sorted(rows, key=repr)


def same(one: object, two: object) -> bool:
    if isinstance(one, float) and isinstance(two, float):
        if math.isnan(one) or math.isnan(two):
            return math.isnan(one) and math.isnan(two)
        return one == two or math.isclose(one, two, rel_tol=1e-12, abs_tol=1e-12)
    if isinstance(one, list | tuple | dict) or hasattr(one, "shape"):
        return repr(one) == repr(two)
    if pd.isna(one) or pd.isna(two):
        return bool(pd.isna(one) and pd.isna(two))
    return one == two


OPEN = (
    "random",
    "any_value",
    "first(",
    "mode(",
    "approx_",
    "SAMPLE",
    "list(",
    "string_agg",
    "SELECT id FROM races LIMIT",
    "FROM races LIMIT",
    "row_number() OVER ()",
    "arg_max",
    "ASOF JOIN starters",
)
"""Statements whose rows no engine promises, so that two runs of DuckDB may differ."""


@pytest.fixture(scope="module")
def catalogue(postgres: PostgresServer) -> str:
    return f"ducklake:{postgres.url(postgres.database())}"


def test_there_are_statements_enough() -> None:
    assert len(set(STATEMENTS)) >= 120


def test_a_lake_on_postgresql_answers_as_the_file_does(
    staging: Path, expected: Answers, catalogue: str
) -> None:
    certain = {sql: each for sql, each in expected.items() if not any(word in sql for word in OPEN)}
    with published(staging, catalogue, LAKE_DATA_PATH=str(staging.parent / "data")) as session:
        found = compare(session, certain)
    assert found["equal"] >= 120
    assert found["refused"] == 0


@pytest.fixture(scope="module")
def live(postgres: PostgresServer, staging: Path) -> str:
    """The season's tables in PostgreSQL, in the types that it has for what they hold."""
    url = postgres.url(postgres.database())
    types = {"INTEGER": "bigint", "REAL": "double precision"}
    with closing(sqlite3.connect(staging)) as lite, psycopg.connect(url) as con, con.cursor() as cursor:
        for (table,) in lite.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            columns = [
                (name, types.get(kind, kind))
                for _, name, kind, *_ in lite.execute(f"PRAGMA table_info({table})")
            ]
            cursor.execute(f"CREATE TABLE {table} ({', '.join(map(' '.join, columns))})")
            with cursor.copy(f"COPY {table} FROM STDIN") as copying:
                for row in lite.execute(f"SELECT * FROM {table}"):
                    copying.write_row(row)
    return url


def test_postgresql_as_analytics_answers_as_the_file_does(expected: Answers, live: str) -> None:
    certain = {sql: each for sql, each in expected.items() if not any(word in sql for word in OPEN)}
    with environment(ANALYTICS_DB_PATH=live):
        session = connections.analytics_session(Settings.current().route("analytics"))
        assert isinstance(session, PostgresAnalytics)
        found = compare(session, certain)
        connections.close_all()
    assert found["equal"] >= 120
    assert found["refused"] == 0


@pytest.mark.timeout(900)  # Spark beside other work
def test_spark_answers_as_duckdb_does_or_refuses_with_what_to_write_instead(
    staging: Path, expected: Answers, catalogue: str, spark: SparkCluster
) -> None:
    more = {
        "LAKE_DATA_PATH": str(staging.parent / "data"),
        "ANALYTICS_ENGINE": "spark",
        "SPARK_REMOTE": spark.remote,
    }
    with published(staging, catalogue, **more) as session:
        assert isinstance(session, SparkSession)
        found = compare(session, expected)
    assert found["equal"] >= 120
    assert found["equal"] + found["refused"] + found["failed in both"] == len(STATEMENTS)
