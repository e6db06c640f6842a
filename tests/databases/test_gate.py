from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greynb.databases import gate_functions
from greynb.databases.gate import Passed, check
from greynb.databases.readonly import AnalyticsConnection
from greynb.errors import QueryError, WriteRefused

from .locked_session import Fort, build

LEGITIMATE = """
SELECT * FROM races
select venue, count(*) as n from races group by venue order by n desc
FROM races
FROM races SELECT venue WHERE distance > 515
TABLE races
VALUES (1, 'a'), (2, 'b')
(SELECT 1)
SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 3
SELECT 1 AS a UNION BY NAME SELECT 2 AS b
WITH w AS (SELECT * FROM races) SELECT * FROM w
WITH w AS MATERIALIZED (SELECT * FROM races) FROM w
WITH w AS NOT MATERIALIZED (SELECT * FROM races) FROM w
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT sum(n) FROM r
WITH RECURSIVE r(n, k) USING KEY (n) AS (SELECT 1, 1 UNION SELECT n, k + 1 FROM r WHERE k < 3) FROM r
DESCRIBE races
DESCRIBE SELECT venue FROM races
SUMMARIZE races
SUMMARIZE SELECT odds FROM runners
SHOW TABLES
SHOW ALL TABLES
SHOW DATABASES
SHOW races
FROM (DESCRIBE races) SELECT column_name
FROM (SUMMARIZE runners) SELECT column_name, null_percentage
EXPLAIN SELECT * FROM races
EXPLAIN ANALYZE SELECT * FROM races
EXPLAIN (FORMAT json) SELECT * FROM races
EXPLAIN (ANALYZE, FORMAT json) FROM races
EXPLAIN (SELECT 1)
EXPLAIN WITH w AS (FROM races) FROM w
PRAGMA table_info('races')
PRAGMA table_info(races)
PRAGMA show_tables
PRAGMA version
PIVOT runners ON box USING sum(odds) GROUP BY dog
PIVOT runners ON box
PIVOT runners ON box IN (1, 2) USING sum(won)
PIVOT runners ON box, won USING count(*)
PIVOT runners ON (box || '-' || won) USING count(*)
PIVOT (SELECT dog, box, odds FROM runners) ON box USING avg(odds) ORDER BY dog LIMIT 2
WITH p AS (PIVOT runners ON box USING count(*) GROUP BY dog) SELECT * FROM p
SELECT * FROM (PIVOT runners ON box USING count(*) GROUP BY dog) JOIN races ON true
SELECT * FROM runners PIVOT (sum(odds) FOR box IN (1, 2) GROUP BY dog)
UNPIVOT runners ON odds, won INTO NAME what VALUE figure
UNPIVOT runners ON COLUMNS(* EXCLUDE (race_id, dog))
SELECT * FROM races r JOIN runners u ON u.race_id = r.id
SELECT * FROM races r LEFT JOIN runners u ON u.race_id = r.id AND u.won = 1
SELECT * FROM races r ASOF JOIN runners u ON r.id >= u.race_id
SELECT * FROM races POSITIONAL JOIN runners
SELECT * FROM races r, LATERAL (SELECT max(odds) FROM runners WHERE race_id = r.id) m
SELECT * FROM races SEMI JOIN runners ON id = race_id
SELECT * FROM races ANTI JOIN runners ON id = race_id
SELECT * FROM races a NATURAL JOIN races b
SELECT venue FROM races GROUP BY ALL ORDER BY ALL
SELECT venue, count(*) FROM races GROUP BY ROLLUP (venue)
SELECT venue, grouping(venue) FROM races GROUP BY CUBE (venue)
SELECT DISTINCT ON (venue) * FROM races ORDER BY id
SELECT *, row_number() OVER (PARTITION BY race_id ORDER BY odds) AS rank FROM runners QUALIFY rank = 1
SELECT avg(odds) OVER w FROM runners WINDOW w AS (ORDER BY race_id ROWS BETWEEN 5 PRECEDING AND CURRENT ROW)
SELECT lag(odds IGNORE NULLS) OVER (ORDER BY race_id) FROM runners
SELECT * FROM runners USING SAMPLE 50%
SELECT * FROM runners TABLESAMPLE reservoir(2 ROWS) REPEATABLE (1)
SELECT * FROM runners LIMIT 10% OFFSET 1
SELECT list_transform([1, 2], lambda x: x + 1)
SELECT list_filter([1, 2], x -> x > 1)
SELECT [x * 2 FOR x IN [1, 2, 3] IF x > 1]
SELECT {'a': 1, 'b': {'c': 2}}.b.c
SELECT MAP {'a': 1}['a'], [1, 2, 3][1:2], 'text'[1]
SELECT '2025-07-01'::DATE + INTERVAL 1 DAY, CAST('1' AS INTEGER), TRY_CAST('x' AS DOUBLE)
SELECT COLUMNS('d.*') FROM races
SELECT COLUMNS(c -> c LIKE 'v%') FROM races
SELECT max(COLUMNS(*)) FROM races
SELECT * EXCLUDE (raced) REPLACE (upper(venue) AS venue) RENAME (id AS race) FROM races
SELECT (SELECT max(odds) FROM runners), EXISTS (FROM races), 1 IN (SELECT id FROM races)
SELECT count(*) FILTER (won = 1), string_agg(dog, ',' ORDER BY dog) FROM runners
SELECT CASE WHEN won = 1 THEN 'yes' ELSE 'no' END FROM runners
SELECT dog FROM runners WHERE dog ILIKE 'a%' AND odds BETWEEN 1 AND 5 OR odds IS NULL
SELECT dog FROM runners WHERE (race_id, box) IN ((1, 2), (2, 1))
SELECT strftime(raced::DATE, '%Y-%m'), date_trunc('month', raced::DATE), year(raced::DATE) FROM races
SELECT quantile_cont(odds, [0.25, 0.5]), histogram(box), mode(dog), corr(odds, won) FROM runners
SELECT 'it''s' || $$ a ; b $$ || e'\\n', "venue" FROM races -- a comment; with a semicolon
SELECT /* nested /* comment */ ; */ 1
SELECT * FROM range(5) t(i), generate_series(1, 3) s(j)
SELECT unnest([1, 2, 3]), unnest({'a': 1, 'b': 2})
SELECT * FROM unnest(['a', 'b']) WITH ORDINALITY
SELECT * FROM json_each('{"a": 1}')
SELECT json_extract('{"a": [1, 2]}', '$.a[0]'), '{"a": 1}'::JSON ->> 'a'
SELECT * FROM duckdb_columns() WHERE table_name = 'races'
SELECT * FROM information_schema.tables
SELECT table_name FROM duckdb_tables
SELECT * FROM histogram_values('runners', 'box')
SELECT * FROM query_table('races')
SELECT TRY(1 / 0), 5 // 2, 2 ** 3, 7 % 3, -1, 5!
SELECT sum(#1) FROM (SELECT box FROM runners)
SELECT venue COLLATE NOCASE FROM races ORDER BY venue COLLATE NOCASE DESC NULLS LAST
SELECT TIMESTAMPTZ '2025-07-01 10:00:00+10' AT TIME ZONE 'Australia/Melbourne'
SELECT md5('x'), uuid() IS NOT NULL, random() < 2, version(), current_date, current_setting('threads')
SELECT a.id FROM races a WHERE a.id >= ALL (SELECT id FROM races)
SELECT main.races.venue FROM analytics.main.races
CREATE TEMP TABLE mine AS SELECT * FROM races
CREATE OR REPLACE TEMPORARY TABLE mine AS FROM races WHERE id > 1
CREATE TEMP TABLE IF NOT EXISTS mine AS SELECT 1
CREATE OR REPLACE TEMP TABLE temp.main."My Table" AS SELECT 1 AS "a b"
FROM mine JOIN "My Table" ON true
CREATE OR REPLACE TEMP TABLE wide AS PIVOT runners ON box USING count(*)
CREATE OR REPLACE TEMP TABLE named(a, b) AS SELECT 1, 2
CREATE OR REPLACE TEMP VIEW latest AS SELECT * FROM races ORDER BY raced DESC
CREATE OR REPLACE TEMP VIEW two(a, b) AS SELECT id, venue FROM races
FROM latest, two
CREATE OR REPLACE TEMP MACRO margin(a, b := 0.1) AS a * (1 + b)
SELECT margin(2), margin(2, b := 0.5)
CREATE OR REPLACE TEMP MACRO plus(a) AS a + 1, (a, b) AS a + b
SELECT plus(1), plus(1, 2)
CREATE OR REPLACE TEMP FUNCTION at_venue(v) AS TABLE SELECT * FROM races WHERE venue = v ORDER BY id, raced
FROM at_venue('WPK')
DROP MACRO plus
DROP FUNCTION margin
DROP MACRO TABLE at_venue
DROP VIEW latest
DROP VIEW IF EXISTS nothing
DROP TABLE IF EXISTS temp.mine
DROP TABLE "My Table"
""".strip().splitlines()


@pytest.fixture(scope="module")
def fort(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fort]:
    built = build(tmp_path_factory.mktemp("fort"))
    yield built
    built.con.close()


def only(sql: str) -> Passed:
    (passed,) = check(sql)
    return passed


def test_what_analysts_write_passes_and_runs(fort: Fort) -> None:
    assert len(LEGITIMATE) >= 80
    con = AnalyticsConnection(fort.con)
    for sql in LEGITIMATE:
        con.execute(sql).fetchall()
    assert fort.unchanged()


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("FROM Races", ("Races",)),
        ("SELECT * FROM analytics.main.c, d JOIN e USING (x)", ("c", "d", "e")),
        ("WITH a AS (FROM b) FROM a, c", ("b", "c")),
        ("WITH a AS (FROM A) FROM a", ("A",)),
        ("WITH a AS (FROM x), b AS (FROM a) FROM b, A", ("x",)),
        ("WITH RECURSIVE r AS (SELECT 1 UNION ALL FROM r) FROM r, t", ("t",)),
        ("SELECT (WITH a AS (FROM b) SELECT 1 FROM a) FROM a", ("b", "a")),
        ("WITH a AS (FROM b) SELECT * FROM main.a", ("b", "a")),
        ("DESCRIBE t", ("t",)),
        ("SUMMARIZE t", ("t",)),
        ("EXPLAIN ANALYZE FROM t", ("t",)),
        ("PIVOT t ON a", ("t",)),
        ("PIVOT (FROM t JOIN u ON true) ON a, b USING sum(c)", ("t", "u")),
        ("CREATE TEMP TABLE x AS FROM t", ("t",)),
        ("CREATE TEMP MACRO x(a) AS (SELECT max(b) FROM t)", ("t",)),
        ("PRAGMA table_info(t)", ("t",)),
        ("FROM query_table('main.t')", ("t",)),
        ('SELECT * FROM "odd name""s"', ('odd name"s',)),
        ("FROM range(3)", ()),
    ],
)
def test_the_tables_of_a_statement_are_those_outside_it(sql: str, tables: tuple[str, ...]) -> None:
    assert sorted(only(sql).tables) == sorted(tables)


def test_statements_are_cut_at_semicolons_outside_strings_with_their_lines() -> None:
    sql = "-- first\nSELECT ';' ;\r\n\n;/* ; */ FROM\n t; \n-- é\nSELECT 'é;',\n2 ;\n -- end"
    assert [(each.sql, each.line) for each in check(sql)] == [
        ("SELECT ';'", 2),
        ("FROM\n t", 4),
        ("SELECT 'é;',\n2", 7),
    ]


@pytest.mark.parametrize("sql", ["", "  \n", ";;", "-- nothing", "/* a ; b */", "\u2003"])
def test_a_text_without_statements_gives_none(sql: str) -> None:
    assert check(sql) == []


def test_parameters_are_named_per_statement() -> None:
    first, second = check("SELECT $a, $b, $a; EXPLAIN SELECT ${c}".replace("${c}", "$c"))
    assert (first.parameters, second.parameters) == (("a", "b"), ("c",))


@pytest.mark.parametrize(
    ("sql", "target"),
    [
        ("CREATE TEMP TABLE temp.x AS SELECT 1", ("TABLE", "x")),
        ("CREATE OR REPLACE TEMP VIEW \"a b\" AS SELECT ' AS TABLE '", ("VIEW", "a b")),
        ("CREATE TEMP MACRO m() AS ' AS TABLE '", ("MACRO", "m")),
        ("CREATE TEMP MACRO m() AS TABLE SELECT 1", ("MACRO TABLE", "m")),
    ],
)
def test_a_creation_says_what_it_makes_and_that_can_be_dropped(
    fort: Fort, sql: str, target: tuple[str, str]
) -> None:
    assert only(sql).target == target
    con = AnalyticsConnection(fort.con)
    con.execute(sql)
    con.execute(f'DROP {target[0]} "{target[1]}"')


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("INSERT INTO t VALUES (1)", "%%staging"),
        ("WITH x AS (SELECT 1) DELETE FROM t", "DELETE"),
        ("CREATE TABLE x AS SELECT 1", "TEMP"),
        ("CREATE TEMP TABLE x (a INT)", "AS SELECT"),
        ("ATTACH 'x.db'", "another file"),
        ("FROM 'x.csv'", "pandas.read_csv"),
        ("FROM read_csv('x.csv')", "read_csv"),
        ("FROM query('SELECT 1')", "SQL from a string"),
        ("SET threads = 4", "settings"),
        ("DROP TABLE main.x", "temporary"),
        ("CREATE TEMP MACRO sum(a) AS a", "another name"),
    ],
)
def test_a_refusal_says_what_and_what_to_do_instead(sql: str, says: str) -> None:
    with pytest.raises(WriteRefused) as caught:
        check(sql)
    assert says in str(caught.value)


def test_a_syntax_error_shows_its_line_with_a_caret() -> None:
    with pytest.raises(QueryError) as caught:
        check("SELECT 1;\nSELECT 'é',\n  2 +\n  FROM t WHER x")
    assert caught.value.detail == "line 4:   FROM t WHER x\n          ^"


def test_a_deeply_nested_statement_is_an_error_and_no_crash() -> None:
    with pytest.raises((QueryError, WriteRefused)):
        check("SELECT " + "abs(" * 5000 + "1" + ")" * 5000)


def test_every_table_function_of_the_engine_passes_or_is_refused_as_listed(fort: Fort) -> None:
    """Fails when a new version of DuckDB brings a function that nobody has looked at."""
    names = {
        name
        for (name,) in fort.con.execute(
            "SELECT function_name FROM duckdb_functions() WHERE function_type IN ('table', 'table_macro')"
        ).fetchall()
    }
    passing = set()
    for name in names:
        try:
            check(f"FROM {name}('races')")
            passing.add(name)
        except WriteRefused:
            pass
    assert passing == gate_functions.TABLE_FUNCTIONS | gate_functions.NAMED_TABLE_FUNCTIONS


def test_the_engine_has_no_more_scalar_functions_than_were_reviewed(fort: Fort) -> None:
    """Reviewed for DuckDB 1.5.5; after an upgrade look at the new ones, then change the number."""
    rows = fort.con.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() "
        "WHERE function_type IN ('scalar', 'aggregate', 'macro') AND database_name = 'system'"
    ).fetchall()
    assert set(gate_functions.SCALAR_FUNCTIONS_REFUSED) <= {name for (name,) in rows}
    assert len(rows) == REVIEWED


REVIEWED = 818


def test_many_threads_may_check_at_once() -> None:
    texts = [f"SELECT {number}; FROM t{number}" for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        checked = list(pool.map(check, texts))
    assert [each[1].tables for each in checked] == [(f"t{number}",) for number in range(200)]


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_passes_or_is_refused_properly(text: str) -> None:
    try:
        for passed in check(text):
            assert [each.type for each in duckdb.extract_statements(passed.sql)]
    except (WriteRefused, QueryError):
        pass
