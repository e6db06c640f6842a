"""The slowest statements of the log, and their plans in plain words."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb import connections, querylog
from greynb.cli import main
from greynb.databases.identifiers import literal
from greynb.errors import QueryError, UsageError
from greynb.querylog import storing
from greynb.querylog.explaining import explained
from greynb.querylog.normalising import normalised
from greynb.querylog.sqliteplan import SqlitePlan

SCHEMA = """
CREATE TABLE race_metadata (race_id TEXT PRIMARY KEY, venue TEXT, race_date DATE);
CREATE TABLE dog_race_data (id INTEGER PRIMARY KEY, race_id TEXT, dog_clean_name TEXT, box INTEGER);
CREATE INDEX by_box ON dog_race_data (box);
WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300)
    INSERT INTO race_metadata SELECT 'r' || x, 'RICH', '2025-07-01' FROM n;
WITH n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1500)
    INSERT INTO dog_race_data SELECT x, 'r' || (x % 300), 'dog ' || x, x % 8 FROM n;
"""


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that serves both roles' names, with 1,500 runs in 300 races."""
    path = tmp_path / "stage.db"
    with closing(sqlite3.connect(path)) as con:
        con.executescript(SCHEMA)
    monkeypatch.setenv("STAGING_DB_PATH", str(path))
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(path))
    return path


def written(
    folder: Path, *statements: tuple[str, str, float], file: str = "stage.db", **more: object
) -> Path:
    """A log with statements: role, SQL, seconds."""
    path = folder / "queries.db"
    with closing(storing.open_log(path)) as con:
        storing.append(
            con,
            [
                querylog.Entry("2026-11-26T00:00:00Z", role, file, None, sql, {}, seconds, 1, **more)
                for role, sql, seconds in statements
            ],
        )
    return path


def sentences(database: Path, sql: str) -> str:
    with closing(sqlite3.connect(database)) as con:
        return "\n".join(SqlitePlan(con, sql).sentences())


def test_statements_that_differ_in_values_alone_are_one_group_by_median_and_total(tmp_path):
    path = written(
        tmp_path,
        ("staging", "SELECT * FROM runs WHERE box = 1", 1.0),
        ("staging", "select *  from RUNS where box = 2 -- a remark", 2.0),
        ("staging", "SELECT * FROM runs WHERE box = :box;", 6.0),
        ("staging", "SELECT 'a long one'", 8.0),
        ("analytics", "SELECT * FROM runs WHERE box = 1", 0.1),
    )
    first, second, third = querylog.slowest(path)
    assert (first.sql, len(first.entries), first.median, first.total) == (
        "select * from runs where box = ?", 3, 2.0, 9.0,
    )  # fmt: skip
    assert (second.sql, second.total) == ("select ?", 8.0)
    assert third.newest.role == "analytics"
    assert [each.total for each in querylog.slowest(path, role="analytics")] == [0.1]


def test_a_statement_that_was_only_mistyped_is_not_slow_and_one_that_was_stopped_is(tmp_path):
    path = written(tmp_path, ("staging", "SELECT nope FROM runs", 9.0), error="QueryError: no column nope")
    written(tmp_path, ("staging", "SELECT 1", 5.0), error="QueryInterrupted: staging: interrupted")
    written(tmp_path, ("staging", "SELECT 1 FROM runs", 1.0))
    assert [each.newest.sql for each in querylog.slowest(path)] == ["SELECT 1", "SELECT 1 FROM runs"]


def test_what_the_result_cache_answered_is_not_among_the_slow(tmp_path):
    path = written(tmp_path, ("analytics", "SELECT 1", 0.0), kept=True)
    assert querylog.slowest(path) == []


@pytest.mark.parametrize(
    ("sql", "same"),
    [
        ("SELECT 1, 'x', :y, ?", "select ?, ?, ?, ?"),
        ("SELECT a FROM t WHERE b IN (1, 2,\n 3)", "select a from t where b in (?)"),
        ('SELECT "Quoted Name" FROM T', 'select "Quoted Name" from t'),
        ("SELECT /* why */ 1 -- end", "select ?"),
    ],
)
def test_values_case_comments_and_white_space_do_not_tell_statements_apart(sql, same):
    assert normalised(sql, "sqlite") == same


@given(st.lists(st.integers(min_value=0) | st.text("abc '", max_size=9), min_size=1, max_size=5))
def test_whatever_the_values_of_a_list_are_it_is_the_same_statement(values):
    written = ", ".join(literal(each) if isinstance(each, str) else str(each) for each in values)
    one = "select ? in (?)"
    assert normalised(f"SELECT 7 IN ({written})", "sqlite") == one
    assert normalised(f"select :x in ( {written} ) ;", "sqlite") == one


def test_a_whole_scan_is_said_with_its_rows_and_the_index_that_would_help(database):
    said = sentences(database, "SELECT * FROM dog_race_data WHERE race_id = :race")
    assert said == (
        "reads all 1,500 rows of dog_race_data; an index on race_id would let SQLite find those it needs"
    )


def test_no_index_is_advised_where_sqlite_would_not_use_it(database):
    said = sentences(
        database, "SELECT * FROM dog_race_data WHERE race_id || '' = 'r1' ORDER BY dog_clean_name"
    )
    assert said == "reads all 1,500 rows of dog_race_data\nsorts the rows"


def test_an_index_made_for_one_run_is_named_with_the_one_that_would_stay(database):
    with closing(sqlite3.connect(database)) as con:
        plan = SqlitePlan(
            con,
            "SELECT venue, d.box FROM race_metadata m LEFT JOIN dog_race_data AS d ON d.race_id = m.race_id",
        )
        assert "makes an index of dog_race_data on race_id for this run alone" in "\n".join(plan.sentences())
        (missing,) = plan.missing()
        con.execute(missing.sql)
        again = SqlitePlan(
            con,
            "SELECT venue, d.box FROM race_metadata m LEFT JOIN dog_race_data AS d ON d.race_id = m.race_id",
        )
        assert "finds rows of dog_race_data by the index dog_race_data_race_id (race_id)" in again.sentences()
        assert again.missing() == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (
            "SELECT * FROM dog_race_data WHERE box = 3",
            "finds rows of dog_race_data by the index by_box (box)",
        ),
        (
            "SELECT * FROM dog_race_data WHERE id = 3",
            "finds rows of dog_race_data by the primary key (rowid)",
        ),
        ("SELECT race_id, count(*) FROM dog_race_data GROUP BY race_id", "sorts the rows to group them"),
        ("SELECT DISTINCT race_id FROM dog_race_data", "keeps all different values in a temporary table"),
        ("SELECT 1 UNION SELECT 2", "takes out rows that are twice"),
        (
            "SELECT (SELECT max(box) FROM dog_race_data d WHERE d.race_id = m.race_id) FROM race_metadata m",
            "runs the following once for each row found so far",
        ),
        ("UPDATE dog_race_data SET box = 1 WHERE race_id IN (:ids)", "an index on race_id would let SQLite"),
    ],
)
def test_each_kind_of_step_has_a_sentence(database, sql, said):
    assert said in sentences(database, sql)


def test_explaining_changes_nothing_and_runs_nothing(database, tmp_path):
    before = database.read_bytes()
    path = written(
        tmp_path, ("staging", "DELETE FROM dog_race_data WHERE race_id = 'r1'", 9.0), file=str(database)
    )
    shown = str(explained(querylog.nth(path, 1)))
    assert "reads all 1,500 rows of dog_race_data" in shown
    assert "do: %staging CREATE INDEX" in shown
    assert database.read_bytes() == before


def test_a_statement_whose_table_is_gone_says_so(database, tmp_path):
    path = written(tmp_path, ("staging", "SELECT * FROM gone", 9.0), file=str(database))
    with pytest.raises(QueryError, match="no such table: gone"):
        explained(querylog.nth(path, 1))


def test_a_statement_of_analytics_is_explained_by_duckdbs_plan(database, tmp_path):
    sql = (
        "SELECT venue, count(*) AS n FROM race_metadata JOIN dog_race_data USING (race_id)"
        " WHERE box = :box GROUP BY venue ORDER BY n DESC LIMIT 3"
    )
    path = written(tmp_path, ("analytics", sql, 9.0), file=str(database))
    try:
        steps = explained(querylog.nth(path, 1)).steps
    finally:
        connections.close_all()
    joined = "\n".join(steps)
    assert "dog_race_data" in joined and "race_metadata" in joined
    assert any(step.startswith("joins both on race_id = race_id") for step in steps)
    assert any(step.startswith("groups, computing") for step in steps)
    assert steps[-1].startswith("keeps the first 3 by")


def test_the_commands_list_and_explain(database, tmp_path, capsys):
    slow = "SELECT * FROM dog_race_data WHERE race_id = 'r1'"
    path = written(tmp_path, ("staging", slow, 9.0), ("staging", "SELECT 1", 0.5), file=str(database))
    assert main(["slow", "--file", str(path)]) == 0
    listed = capsys.readouterr().out
    assert listed.index("select * from dog_race_data where race_id = ?") < listed.index("select ?")
    assert main(["slow", "1", "--file", str(path)]) == 0
    assert "an index on race_id" in capsys.readouterr().out
    assert main(["slow", "--json", "--file", str(path)]) == 0
    assert [each["total"] for each in json.loads(capsys.readouterr().out)] == [9.0, 0.5]
    assert main(["log", "--json", "--file", str(path)]) == 0
    assert [each["sql"] for each in json.loads(capsys.readouterr().out)] == ["SELECT 1", slow]
    assert main(["slow", "3", "--file", str(path)]) == 1
    assert "2 different statements" in capsys.readouterr().err


def test_without_a_log_the_commands_say_how_to_begin_one(tmp_path, capsys):
    assert main(["log", "--file", str(tmp_path / "none.db")]) == 1
    assert "%config Greynb.log = True" in capsys.readouterr().err
    with pytest.raises(UsageError):
        querylog.slowest(tmp_path / "none.db")
