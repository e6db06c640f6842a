"""Errors of the real engines, as a person gets to read them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from greynb.databases.diagnose import explain_error
from greynb.databases.dialect_hints import DUCKDB_FUNCTIONS, SQLITE_FUNCTIONS
from greynb.errors import DatabaseLocked, GreynbError, QueryError, QueryInterrupted, UnreadableDatabase

SCHEMA = """
CREATE TABLE race_metadata (race_id TEXT PRIMARY KEY, venue TEXT NOT NULL, race_date DATE, distance INTEGER);
CREATE TABLE dog_race_data (race_id TEXT REFERENCES race_metadata, dog_name TEXT, finish TEXT, odds REAL);
INSERT INTO race_metadata VALUES ('a', 'WENT', '2025-07-01', 520);
INSERT INTO dog_race_data VALUES ('a', 'REX', '1', 2.5);
"""
TABLES = {
    "race_metadata": ["race_id", "venue", "race_date", "distance"],
    "dog_race_data": ["race_id", "dog_name", "finish", "odds"],
}


@pytest.fixture
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute(SCHEMA)
        yield con


@pytest.fixture
def lite() -> Iterator[sqlite3.Connection]:
    con = sqlite3.connect(":memory:", isolation_level=None)
    con.executescript(SCHEMA + "PRAGMA foreign_keys = ON;")
    yield con
    con.close()


def of_duckdb(con: duckdb.DuckDBPyConnection, sql: str, line_offset: int = 0) -> GreynbError:
    with pytest.raises(duckdb.Error) as caught:
        con.execute(sql).fetchall()
    return explain_error(caught.value, sql, role="analytics", tables=lambda: TABLES, line_offset=line_offset)


def of_sqlite(con: sqlite3.Connection, sql: str) -> GreynbError:
    with pytest.raises(sqlite3.Error) as caught:
        con.execute(sql).fetchall()
    return explain_error(caught.value, sql, role="staging", tables=lambda: TABLES)


def marked(error: GreynbError) -> str:
    """The characters above the carets."""
    assert error.detail, f"no line shown: {error}"
    line, carets = error.detail.split("\n")
    return line[carets.index("^") : carets.rindex("^") + 1]


DUCKDB_SLIPS = [
    ("SELECT substr(race_date, 1, 4) FROM race_metadata", "strftime(d, '%Y-%m')"),
    ("SELECT length(race_date) FROM race_metadata", "CAST(d AS VARCHAR)"),
    ("SELECT * FROM race_metadata WHERE race_date LIKE '2025-%'", "year(d)"),
    ("SELECT * FROM race_metadata WHERE race_date GLOB '2025*'", "year(d)"),
    ("SELECT strftime('%Y', venue) FROM race_metadata", "CAST(x AS TIMESTAMP)"),
    ("SELECT strftime('%Y', 'now')", "now()"),
    ("SELECT datetime('now')", "now()"),
    ("SELECT date('now')", "current_date"),
    ("SELECT date('now', '-7 days')", "INTERVAL 7 DAY"),
    ("SELECT date(race_date, 'start of month') FROM race_metadata", "date_trunc('month', d)"),
    ("SELECT time('now')", "CAST(x AS TIME)"),
    ("SELECT julianday(race_date) FROM race_metadata", "date_diff"),
    ("SELECT unixepoch('now')", "epoch("),
    ('SELECT * FROM race_metadata WHERE venue = "WENT"', "single quotes: 'WENT'"),
    ("SELECT total(odds) FROM dog_race_data", "coalesce(sum(x), 0)"),
    ("SELECT iif(odds > 2, 'a', 'b') FROM dog_race_data", "if(condition, a, b)"),
    ("SELECT * FROM race_metadata LIMIT 0, 5", "LIMIT count OFFSET start"),
    ("SELECT `venue` FROM race_metadata", 'double quotes: "venue"'),
    ("SELECT venue IS 'WENT' FROM race_metadata", "IS NOT DISTINCT FROM"),
    ("SELECT venue IS NOT 'WENT' FROM race_metadata", "IS DISTINCT FROM"),
    ("SELECT * FROM race_metadata WHERE venue REGEXP 'W'", "regexp_matches"),
    ("SELECT char(65)", "chr(65)"),
    ("SELECT glob('W*', venue) FROM race_metadata", "x GLOB 'a*'"),
    ("SELECT avg(finish) FROM dog_race_data", "TRY_CAST"),
    ("SELECT year(venue) FROM race_metadata", "CAST(x AS DATE)"),
    ("SELECT * FROM dog_race_data WHERE finish < 4", "TRY_CAST"),
    ("SELECT avg(venue = 'WENT') FROM race_metadata", "FILTER"),
    ("SELECT * FROM race_metadata WHERE race_date > 20250701", "'2025-07-01'"),
    ("SELECT * FROM race_metadata WHERE race_date = '01/07/2025'", "strptime"),
    ("SELECT venue, count(*) FROM race_metadata", "GROUP BY ALL"),
    ("SELECT max(race_date, '2025-01-01') FROM race_metadata", "greatest(a, b)"),
    (".tables", "`%greynb tables`"),
    ("\\d race_metadata", "`%greynb columns TABLE`"),
]

SQLITE_SLIPS = [
    ("SELECT race_date::TEXT FROM race_metadata", "CAST(x AS TEXT)"),
    ("SELECT venue FROM race_metadata QUALIFY row_number() OVER () = 1", "subquery"),
    ("SELECT venue FROM race_metadata WHERE venue ILIKE 'w%'", "LIKE"),
    ("SELECT date_trunc('month', race_date) FROM race_metadata", "start of month"),
    ("FROM race_metadata", "SELECT * FROM"),
    ("SELECT * EXCLUDE (venue) FROM race_metadata", "name the columns"),
    ("SELECT list(venue) FROM race_metadata", "json_group_array"),
    ("SELECT venue, count(*) FROM race_metadata GROUP BY ALL", "name the columns"),
    ("SELECT strptime('01/07/2025', '%d/%m/%Y')", "substr"),
    ("SELECT race_date + INTERVAL 1 DAY FROM race_metadata", "+1 day"),
    ("SELECT DATE '2025-07-01'", "text alone"),
    ("SELECT extract(year FROM race_date) FROM race_metadata", "strftime"),
    ("SELECT TRY_CAST(venue AS INTEGER) FROM race_metadata", "typeof"),
    ("CREATE OR REPLACE TABLE x AS SELECT 1", "DROP TABLE IF EXISTS"),
    ("DESCRIBE race_metadata", "pragma_table_info"),
    (".schema race_metadata", "`%greynb columns TABLE`"),
    ("\\dt", "`%greynb tables`"),
    ("SELECT left(venue, 2) FROM race_metadata", "substr"),
    ("INSERT INTO race_metadata (race_id, venue) VALUES ('a', 'x')", "ON CONFLICT"),
    ("INSERT INTO dog_race_data (race_id) VALUES ('zz')", "insert the row it refers to"),
]


@pytest.mark.parametrize(("sql", "hint"), DUCKDB_SLIPS)
def test_a_habit_of_sqlite_is_answered_with_duckdbs_way(
    duck: duckdb.DuckDBPyConnection, sql: str, hint: str
) -> None:
    error = of_duckdb(duck, sql)
    assert isinstance(error, QueryError)
    assert hint in (error.hint or ""), error


@pytest.mark.parametrize(("sql", "hint"), SQLITE_SLIPS)
def test_a_habit_of_duckdb_is_answered_with_sqlites_way(
    lite: sqlite3.Connection, sql: str, hint: str
) -> None:
    error = of_sqlite(lite, sql)
    assert isinstance(error, QueryError)
    assert hint in (error.hint or ""), error


@pytest.mark.parametrize("name", DUCKDB_FUNCTIONS)
def test_every_function_with_a_hint_is_really_missing_in_duckdb(
    duck: duckdb.DuckDBPyConnection, name: str
) -> None:
    assert of_duckdb(duck, f"SELECT {name}(1)").hint == DUCKDB_FUNCTIONS[name]


@pytest.mark.parametrize("name", sorted(set(SQLITE_FUNCTIONS) - {"string_agg", "concat"}))
def test_every_function_with_a_hint_is_really_missing_in_sqlite(lite: sqlite3.Connection, name: str) -> None:
    # SQLite 3.44 has string_agg and concat; the hint serves the older ones
    sql = "SELECT 1 REGEXP 2" if name == "regexp" else f"SELECT {name}(1)"
    if sqlite3.sqlite_version_info >= (3, 44) and name == "median":
        pytest.skip("may be compiled in from 3.51")
    assert of_sqlite(lite, sql).hint == SQLITE_FUNCTIONS[name]


@pytest.mark.parametrize(
    "working",
    [
        "SELECT ifnull(venue, 'x'), printf('%d', 1), instr('abc', 'b') FROM race_metadata",
        "SELECT group_concat(venue, ',') FROM race_metadata WHERE venue GLOB 'W*'",
        "SELECT strftime(race_date, '%Y-%m'), CAST(race_date AS VARCHAR), year(race_date) FROM race_metadata",
        "SELECT coalesce(sum(odds), 0), count(*) FILTER (odds > 2) FROM dog_race_data",
        "SELECT if(odds > 2, 'a', 'b'), chr(65), regexp_matches('a', 'b') FROM dog_race_data",
        "SELECT race_date - INTERVAL 7 DAY, date_trunc('month', race_date) FROM race_metadata",
        "SELECT date_diff('day', race_date, DATE '2025-08-01'), julian(race_date) FROM race_metadata",
        "SELECT epoch(CAST('2025-07-01' AS TIMESTAMP)), CAST('19:00' AS TIME), version()",
        "SELECT venue, count(*), any_value(distance) FROM race_metadata GROUP BY ALL LIMIT 5 OFFSET 0",
        "SELECT strptime('01/07/2025', '%d/%m/%Y'), TRY_CAST('x' AS DOUBLE), greatest(1, 2), least(1, 2)",
        "SELECT age(CAST('2025-07-01' AS TIMESTAMP), CAST('2025-07-02' AS TIMESTAMP))",
        "SELECT venue IS DISTINCT FROM 'x', venue IS NOT DISTINCT FROM 'x' FROM race_metadata",
    ],
)
def test_what_the_hints_for_duckdb_recommend_runs(duck: duckdb.DuckDBPyConnection, working: str) -> None:
    assert duck.execute(working).fetchall()


@pytest.mark.parametrize("con", ["duck", "lite"])
def test_a_misspelt_table_is_pointed_at_and_the_near_one_offered(
    con: str, request: pytest.FixtureRequest
) -> None:
    engine = request.getfixturevalue(con)
    sql = "SELECT *\nFROM race_metdata"
    error = of_duckdb(engine, sql) if con == "duck" else of_sqlite(engine, sql)
    assert error.message == "there is no table 'race_metdata'"
    assert error.hint == "did you mean race_metadata?"
    assert marked(error) == "race_metdata"
    assert (error.detail or "").startswith("line 2: FROM")


@pytest.mark.parametrize("con", ["duck", "lite"])
def test_a_misspelt_column_is_looked_for_in_the_tables_the_statement_names(
    con: str, request: pytest.FixtureRequest
) -> None:
    engine = request.getfixturevalue(con)
    explain = of_duckdb if con == "duck" else of_sqlite
    assert explain(engine, "SELECT venu FROM race_metadata").hint == "did you mean venue?"
    assert explain(engine, "SELECT d.dog_nam FROM dog_race_data d").hint == "did you mean dog_name?"
    assert explain(engine, "SELECT odds FROM race_metadata").hint == "'odds' is a column of dog_race_data"


def test_the_caret_counts_the_lines_of_the_cell(duck: duckdb.DuckDBPyConnection) -> None:
    error = of_duckdb(duck, "SELECT venue,\n\tvenu\nFROM race_metadata", line_offset=3)
    assert error.detail == "line 5: \tvenu\n        \t^^^^"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    before=st.text(alphabet="aé日本 \t🐕x\u0301", max_size=120),
    after=st.text(alphabet="bß語 ", max_size=120),
    lines=st.integers(0, 3),
)
def test_the_caret_finds_the_name_in_long_lines_of_any_script(
    duck: duckdb.DuckDBPyConnection, before: str, after: str, lines: int
) -> None:
    sql = "\n" * lines + f"SELECT '{before}', nosuch, '{after}' FROM race_metadata"
    error = of_duckdb(duck, sql)
    assert marked(error) == "nosuch"


def test_no_error_shows_the_engines_prefix_its_stack_or_a_python_traceback(
    duck: duckdb.DuckDBPyConnection, lite: sqlite3.Connection
) -> None:
    for sql, _ in DUCKDB_SLIPS:
        shown = str(of_duckdb(duck, sql))
        assert not any(
            word in shown for word in ("Binder Error", "LINE 1", "Candidate", "Traceback", "_LITERAL")
        )
        assert len(shown.splitlines()) <= 5
    for sql, _ in SQLITE_SLIPS:
        assert "Traceback" not in str(of_sqlite(lite, sql))


def test_an_interrupted_query_is_told_from_a_failed_one(duck: duckdb.DuckDBPyConnection) -> None:
    import threading

    timer = threading.Timer(0.2, duck.interrupt)
    timer.start()
    sql = "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range * b.range % 7 = 1"
    assert isinstance(of_duckdb(duck, sql), QueryInterrupted)
    timer.join()


def test_a_locked_file_says_that_another_program_writes(tmp_path: Path) -> None:
    path = tmp_path / "stage.db"
    holder = sqlite3.connect(path, isolation_level=None)
    waiter = sqlite3.connect(path, timeout=0.01, isolation_level=None)
    holder.execute("CREATE TABLE t (a)")
    holder.execute("BEGIN EXCLUSIVE")
    error = of_sqlite(waiter, "INSERT INTO t VALUES (1)")
    assert isinstance(error, DatabaseLocked)
    holder.close()
    waiter.close()


def test_a_file_that_is_no_database_is_told_from_a_failed_query(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("just some notes, long enough to be taken for a header of a file" * 20)
    con = sqlite3.connect(path)
    assert isinstance(of_sqlite(con, "SELECT * FROM t"), UnreadableDatabase)
    con.close()


def test_malformed_json_is_the_statements_fault_not_the_files(lite: sqlite3.Connection) -> None:
    error = of_sqlite(lite, "SELECT json_extract('{', '$')")
    assert type(error) is QueryError
    assert error.message == "malformed JSON"


def test_an_error_that_is_greynbs_own_passes_through_with_its_role() -> None:
    own = QueryError("already clear")
    assert explain_error(own, "SELECT 1", role="staging", tables=dict) is own
    assert own.role == "staging"


def test_the_tables_are_asked_for_only_when_a_name_is_missing(duck: duckdb.DuckDBPyConnection) -> None:
    def never() -> dict[str, list[str]]:
        raise AssertionError("asked for the tables")

    with pytest.raises(duckdb.Error) as caught:
        duck.execute("SELECT datetime('now')")
    assert explain_error(caught.value, "SELECT datetime('now')", role="analytics", tables=never).hint
