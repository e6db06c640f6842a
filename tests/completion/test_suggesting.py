"""What is suggested at a place in a statement; ``|`` is the cursor."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.completion.schema import Schema
from greynb.completion.suggesting import LIMIT, Suggestion, suggest
from greynb.databases.outline import Column, Table
from greynb.databases.sqltext import Dialect
from tests.sqlformat.test_layout import SQLISH, TOUCHING

SCHEMA = Schema.of(
    [
        Table(
            "races",
            "table",
            (Column("race_id", "VARCHAR"), Column("venue", "VARCHAR"), Column("race date", "DATE")),
        ),
        Table(
            "runs",
            "view",
            (Column("race_id", "VARCHAR"), Column("dog", "VARCHAR"), Column("time_s", "DOUBLE")),
        ),
        Table("Odd Name", "table", (Column("x", "BIGINT"),)),
    ]
)
VARIABLES = {
    "track": "RICH",
    "grades": ["A", "B"],
    "frame": pd.DataFrame({"name": ["a"], "odd one": [1]}),
    "polar": pl.DataFrame({"p": [1]}),
    "_1": 1,
    "pd": pd,
}


def suggested(text: str, dialect: Dialect = "duckdb") -> list[Suggestion] | None:
    offset = text.index("|")
    found = suggest(text[:offset] + text[offset + 1 :], offset, dialect, SCHEMA, VARIABLES)
    return None if found is None else found.found


def names(text: str, dialect: Dialect = "duckdb") -> list[str]:
    return [each.text for each in suggested(text, dialect) or []]


def kinds(text: str, dialect: Dialect = "duckdb") -> dict[str, str]:
    return {each.text: each.kind for each in suggested(text, dialect) or []}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT | FROM races", ["race_id", "venue", '"race date"']),
        ("SELECT r.| FROM races r", ["race_id", "venue", '"race date"']),
        ("SELECT races.v| FROM races", ["venue"]),
        ("SELECT RACES.v| FROM Races", ["venue"]),
        ("SELECT * FROM races JOIN runs r ON r.ti|", ["time_s"]),
        ("SELECT * FROM races JOIN runs USING (|)", ["race_id", "venue", '"race date"', "dog", "time_s"]),
        (
            "SELECT * FROM races r WHERE EXISTS (SELECT 1 FROM runs WHERE r.|)",
            ["race_id", "venue", '"race date"'],
        ),
        ("SELECT * FROM races WHERE venue = 'x' AND ve|", ["venue"]),
        ("INSERT INTO runs (|) VALUES (1)", ["race_id", "dog", "time_s"]),
        ("UPDATE runs SET d|", ["dog"]),
        ("DELETE FROM runs WHERE t|", ["time_s"]),
        ('SELECT "ra| FROM races', ['"race_id"', '"race date"']),
        ('SELECT x."ra|" FROM races x', ['"race_id', '"race date']),
        ("SELECT 1; SELECT do| FROM runs; SELECT 2", ["dog"]),
        ("SELECT /* FROM races */ -- FROM races\n do| FROM runs", ["dog"]),
        ("SELECT nam| FROM frame", ["name"]),
        ("SELECT f.| FROM frame AS f", ["name", '"odd one"']),
        ("SELECT p.| FROM polar p", ["p"]),
    ],
)
def test_columns_of_the_tables_in_scope_come_first(text: str, expected: list[str]) -> None:
    assert names(text)[: len(expected)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "WITH a AS (SELECT race_id AS id, count(*) n, venue FROM races) SELECT | FROM a",
            ["id", "n", "venue"],
        ),
        (
            "WITH a AS (SELECT race_id AS id FROM races), b AS (SELECT a.*, 1 AS o FROM a) SELECT b.| FROM b",
            ["id", "o"],
        ),
        ("WITH a(x, y) AS (SELECT 1, 2) SELECT a.| FROM a", ["x", "y"]),
        ("WITH a AS MATERIALIZED (SELECT * FROM runs) SELECT a.| FROM a", ["race_id", "dog", "time_s"]),
        ("WITH a AS (SELECT dog FROM runs) SELECT * FROM (SELECT | FROM a)", ["dog"]),
        ("SELECT q.| FROM (SELECT venue v, max(race_id) AS last FROM races GROUP BY 1) q", ["v", "last"]),
        ("SELECT g.| FROM range(3) AS g(i)", ["i"]),
        ("FROM (FROM runs) r SELECT r.|", ["race_id", "dog", "time_s"]),
    ],
)
def test_columns_of_ctes_and_subqueries_are_known_by_what_they_select(text: str, expected: list[str]) -> None:
    assert names(text)[: len(expected)] == expected


@pytest.mark.parametrize(
    "text", ["SELECT * FROM |", "SELECT * FROM races, |", "FROM races JOIN |", "SUMMARIZE |"]
)
def test_tables_and_dataframes_are_suggested_where_a_table_must_stand(text: str) -> None:
    found = kinds(text)
    assert found["races"] == "table" and found["runs"] == "view" and found['"Odd Name"'] == "table"
    assert found["frame"] == "DataFrame" and found["polar"] == "DataFrame"
    assert not {"track", "venue", "WHERE"} & set(found)


def test_ctes_are_tables_of_the_statement_and_hide_those_of_their_name() -> None:
    found = suggested("WITH races AS (SELECT 1), recent AS (SELECT 2) SELECT * FROM |")
    assert found is not None
    assert [each for each in found if each.text in ("races", "recent")] == [
        Suggestion("races", "cte"),
        Suggestion("recent", "cte"),
    ]


def test_staging_knows_no_dataframes() -> None:
    assert "frame" not in names("SELECT * FROM |", "sqlite")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM races WHERE venue = :|", {":track": "str", ":grades": "list of 2"}),
        ("SELECT * FROM races WHERE venue = :tr|", {":track": "str"}),
        ("SELECT * FROM races WHERE venue IN (:g|)", {":grades": "list of 2"}),
        ("SELECT $tr|", {"$track": "str"}),
    ],
)
def test_variables_of_the_notebook_are_suggested_behind_a_colon(text: str, expected: dict[str, str]) -> None:
    found = kinds(text)
    assert expected.items() <= found.items()
    assert not {":pd", ":_1"} & set(found)


@pytest.mark.parametrize("text", ["SELECT x[1:|]", "SELECT {'a':|}"])
def test_a_colon_of_a_slice_or_a_struct_begins_no_variable(text: str) -> None:
    assert ":track" not in names(text)


@pytest.mark.parametrize("text", ["SELECT 'abc|", "SELECT 'a|b'", "SELECT 1 -- c|", "/* x|", "SELECT 12|"])
def test_nothing_is_suggested_in_strings_comments_and_numbers(text: str) -> None:
    assert suggested(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("|", "SELECT"),
        ("SELECT 1; |", "WITH"),
        ("sel|", "select"),
        ("SELECT * FROM races wh|", "where"),
        ("SELECT * FROM races r LE|", "LEFT JOIN"),
        ("SELECT venue, count(*) FROM races GR|", "GROUP BY"),
    ],
)
def test_keywords_are_written_as_the_word_was_begun(text: str, expected: str) -> None:
    assert kinds(text)[expected] == "keyword"


def test_after_a_value_only_keywords_can_follow() -> None:
    assert set(kinds("SELECT venue | FROM races").values()) == {"keyword"}


def test_each_role_has_its_own_statements() -> None:
    assert "INSERT INTO" in names("INS|", "sqlite") and "INSERT INTO" not in names("INS|", "duckdb")
    assert "QUALIFY" in names("SELECT 1 FROM t QUA|", "duckdb")


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("SELECT row_num|", "row_number(", "() → BIGINT"),
        ("SELECT round_e|", "round_even(", "(x, n)"),
        ("SELECT strip_acc|", "strip_accents(", "(string VARCHAR) → VARCHAR"),
        ("SELECT * FROM repeat_r|", "repeat_row(", "(num_rows BIGINT, ANY…)"),
    ],
)
def test_functions_come_with_their_signature(text: str, name: str, kind: str) -> None:
    assert kinds(text)[name] == kind


def test_functions_of_sqlite_are_those_of_sqlite() -> None:
    found = kinds("SELECT group_c|", "sqlite")
    assert found["group_concat("].startswith("(")
    assert "list_transform(" not in kinds("SELECT list_t|", "sqlite")


def test_a_bracket_that_is_there_is_not_written_again() -> None:
    assert "count" in names("SELECT coun|(*) FROM races")


def test_functions_that_a_cell_may_not_call_are_not_suggested() -> None:
    assert not [name for name in names("SELECT * FROM read_|") if name.startswith("read_")]


@pytest.mark.parametrize("text", ["SELECT venue::|", "SELECT CAST(venue AS |", "SELECT try_cast(venue AS |)"])
def test_types_are_suggested_where_a_type_must_stand(text: str) -> None:
    assert set(kinds(text).values()) == {"type"}


def test_without_a_table_the_columns_of_all_say_which_they_are_of() -> None:
    assert kinds("SELECT tim|")["time_s"] == "DOUBLE · runs"


def test_names_that_hold_the_word_follow_those_that_begin_with_it() -> None:
    assert names("SELECT date| FROM races")[-1] == '"race date"'


def test_names_given_in_select_can_be_ordered_by() -> None:
    assert kinds("SELECT count(*) AS starts FROM runs ORDER BY st|")["starts"] == "output"


STATEMENTS = st.tuples(st.one_of(SQLISH, TOUCHING, st.text()), st.integers(min_value=0, max_value=400))


@given(STATEMENTS, st.sampled_from(["duckdb", "sqlite"]))
def test_any_text_and_place_gives_suggestions_that_go_on_from_there(
    place: tuple[str, int], dialect: Dialect
) -> None:
    sql, offset = place[0], min(place[1], len(place[0]))
    found = suggest(sql, offset, dialect, SCHEMA, VARIABLES)
    if found is not None:
        assert sql[:offset].endswith(found.written)
        assert len(found.found) <= LIMIT
        assert len({each.text for each in found.found}) == len(found.found)
