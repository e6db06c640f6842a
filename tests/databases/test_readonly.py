from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from greynb.databases.gate import Passed
from greynb.databases.readonly import AnalyticsConnection
from greynb.errors import ParameterError, QueryError, WriteRefused

from .locked_session import Fort, build


@pytest.fixture(scope="module")
def fort(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fort]:
    built = build(tmp_path_factory.mktemp("fort"))
    yield built
    built.con.close()


@pytest.fixture
def con(fort: Fort) -> Iterator[AnalyticsConnection]:
    with AnalyticsConnection(fort.con, close=lambda: None) as connection:
        yield connection


def test_results_come_in_every_usual_shape(con: AnalyticsConnection) -> None:
    sql = "SELECT id, venue FROM races ORDER BY id"
    rows = [(1, "WPK"), (2, "MEA"), (3, "WPK")]
    assert con.execute(sql).fetchall() == rows
    assert con.execute(sql).fetchone() == rows[0]
    assert con.fetchmany(5) == rows[1:]
    assert con.execute(sql).df()["venue"].tolist() == ["WPK", "MEA", "WPK"]
    assert con.execute(sql).to_arrow_table().num_rows == 3
    assert con.execute(sql).pl().height == 3
    assert [column[0] for column in con.execute(sql).description or ()] == ["id", "venue"]


def test_a_result_of_sql_reads_and_does_nothing_else(con: AnalyticsConnection) -> None:
    result = con.sql("SELECT id FROM races WHERE id > $least ORDER BY id", params={"least": 1})
    assert result is not None
    assert (result.columns, result.types) == (["id"], ["BIGINT"])
    assert result.fetchall() == [(2,), (3,)]
    assert len(result.df()) == 2
    for name in (
        "to_csv",
        "write_csv",
        "to_parquet",
        "create",
        "create_view",
        "insert_into",
        "query",
        "to_table",
    ):
        with pytest.raises(AttributeError, match="read it by"):
            getattr(result, name)
    assert con.sql("CREATE OR REPLACE TEMP TABLE mine AS SELECT 1") is None


@pytest.mark.parametrize("method", ["execute", "sql", "query"])
def test_every_way_to_run_sql_passes_the_gate(fort: Fort, con: AnalyticsConnection, method: str) -> None:
    for sql in (
        f"ATTACH '{fort.folder / 'staging.db'}' AS s (TYPE sqlite)",
        f"FROM sqlite_scan('{fort.folder / 'staging.db'}', 'hidden')",
        "SELECT 1; DROP VIEW main.races",
    ):
        with pytest.raises(WriteRefused):
            getattr(con, method)(sql)
    assert fort.unchanged()


def test_what_else_a_duckdb_connection_has_is_absent_with_a_reason(con: AnalyticsConnection) -> None:
    theirs = {name for name in dir(duckdb.DuckDBPyConnection) if not name.startswith("_")}
    ours = {name for name in dir(AnalyticsConnection) if not name.startswith("_")}
    assert not ours & {"read_csv", "load_extension", "append", "from_query", "table", "executemany"}
    for name in theirs - ours:
        with pytest.raises(AttributeError, match="the analytics connection has no"):
            getattr(con, name)
    with pytest.raises(AttributeError, match=r"pandas\.read_csv"):
        con.read_csv  # noqa: B018  (the access is what is tested)


def test_several_statements_take_their_parameters_by_name(con: AnalyticsConnection) -> None:
    sql = "CREATE OR REPLACE TEMP TABLE a AS SELECT 1 AS x; SELECT x + $n FROM a"
    assert con.execute(sql, {"n": 2, "unused": 3}).fetchall() == [(3,)]
    assert con.execute("SELECT ? + ?", [1, 2]).fetchall() == [(3,)]
    with pytest.raises(QueryError, match="by name"):
        con.execute("SELECT 1; SELECT ?", [1])


def test_a_registered_frame_can_be_joined_and_a_path_cannot_be_registered(
    fort: Fort, con: AnalyticsConnection
) -> None:
    con.register("mine_too", pd.DataFrame({"id": [1, 2]}))
    assert con.execute("SELECT count(*) FROM races JOIN mine_too USING (id)").fetchone() == (2,)
    con.unregister("mine_too")
    with pytest.raises(WriteRefused):
        con.register("csv", str(fort.folder / "form.csv"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.int64(2**53 + 1), 2**53 + 1),
        (np.float32(0.5), 0.5),
        (Decimal("1E+2"), Decimal(100)),
        ([[Decimal("1E+2")]], [[Decimal(100)]]),
        ({"a": Decimal("1E+2")}, {"a": Decimal(100)}),
        (pd.Timestamp("2025-07-01 10:20:30"), dt.datetime(2025, 7, 1, 10, 20, 30)),
        (2**127, 2**127),
        (None, None),
    ],
)
def test_values_mean_what_they_mean_in_cells(
    con: AnalyticsConnection, given: object, expected: object
) -> None:
    assert con.execute("SELECT ?", [given]).fetchone() == (expected,)
    assert con.execute("SELECT $x", {"x": given}).fetchone() == (expected,)


def test_a_value_that_would_be_cut_short_is_refused(con: AnalyticsConnection) -> None:
    with pytest.raises(ParameterError, match="value 1 cannot be bound: it has nanoseconds"):
        con.execute("SELECT ?", [pd.Timestamp("2025-07-01 00:00:00.000000001")])


def test_the_hook_sees_each_statement_before_it_runs(fort: Fort) -> None:
    seen: list[Passed] = []
    con = AnalyticsConnection(fort.con, seen.append)
    con.execute("FROM races; FROM runners")
    con.sql("FROM races, runners")
    assert [each.tables for each in seen] == [("races",), ("runners",), ("races", "runners")]


def test_a_cursor_is_as_well_guarded_and_finds_the_same_tables(con: AnalyticsConnection) -> None:
    con.execute("SELECT 'pending'")
    cursor = con.cursor()
    assert cursor.execute("SELECT count(*) FROM races").fetchone() == (3,)
    assert con.fetchall() == [("pending",)]
    with pytest.raises(WriteRefused):
        cursor.execute("DELETE FROM races")
    cursor.close()
    assert con.execute("SELECT 1").fetchone() == (1,)


def test_a_failing_statement_leaves_the_connection_usable(con: AnalyticsConnection) -> None:
    with pytest.raises(duckdb.Error):
        con.execute("CREATE TEMP TABLE x AS PIVOT races ON no_such_column")
    assert con.execute("SELECT 1").fetchone() == (1,)


def test_interrupt_stops_a_query_of_another_thread(con: AnalyticsConnection) -> None:
    stopped = threading.Event()

    def run() -> None:
        with pytest.raises(duckdb.InterruptException):
            con.execute("SELECT sum(a.i * b.i) FROM range(3000000) a(i), range(3000000) b(i)")
        stopped.set()

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.3)
    while not stopped.wait(0.05):
        con.interrupt()
    thread.join()
    assert con.execute("SELECT 1").fetchone() == (1,)


def test_closing_twice_closes_once(tmp_path: Path) -> None:
    closed: list[int] = []
    fort = build(tmp_path)
    with AnalyticsConnection(fort.con, close=lambda: closed.append(1)) as con:
        con.close()
    fort.con.close()
    assert closed == [1]
