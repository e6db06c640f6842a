"""Which statements give the same rows whenever they run on the same tables."""

from __future__ import annotations

import duckdb
import pytest

from greynb.databases.gate import check
from greynb.databases.gate_parser import functions
from greynb.databases.repeatable import TABLE_FUNCTIONS, VOLATILE, WORDS, is_repeatable

STEADY = [
    "SELECT * FROM t",
    "SELECT * FROM analytics.t",
    "SELECT * FROM analytics.main.t",
    "FROM t WHERE a IN (SELECT b FROM u) LIMIT 3",
    "SELECT count(*), sum(a) FILTER (b > 1), list(a ORDER BY b) FROM t GROUP BY ALL HAVING count(*) > 1",
    "SELECT a, row_number() OVER w, rank() OVER w, lag(a, 1) OVER w, first_value(a) OVER w, ntile(4) OVER w,"
    " avg(a) OVER (PARTITION BY b ROWS 5 PRECEDING) FROM t WINDOW w AS (PARTITION BY b ORDER BY c)",
    "WITH x AS (SELECT * FROM t) SELECT * FROM x JOIN t USING (a)",
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 9) SELECT * FROM r, t",
    "SELECT CASE WHEN a BETWEEN 1 AND 2 THEN 'x' ELSE upper(b) END, a::DATE, TRY_CAST(b AS DOUBLE) FROM t",
    "SELECT strftime(d, '%Y-%m'), date_trunc('month', d), d + INTERVAL 1 DAY, d - DATE '2025-01-01' FROM t",
    "SELECT unnest([1, 2]), [x + 1 FOR x IN l], list_transform(l, lambda x: x * 2), s.a, m['k'] FROM t",
    "SELECT nullif(a, b), split_part(a, ',', 1), round_even(a, 2), weighted_avg(a, b), geomean(a) FROM t",
    "SELECT * FROM t, range(3) r(i), generate_series(1, 2) g(j)",
    "SELECT * EXCLUDE (a), COLUMNS('b.*') FROM t QUALIFY row_number() OVER (ORDER BY a) = 1",
    "SELECT * FROM t WHERE a ILIKE '%x%' AND regexp_matches(b, 'y') UNION ALL BY NAME SELECT * FROM u",
    "PIVOT t ON a IN ('x', 'y') USING sum(b)",
    'SELECT t."user", t.current_date FROM t',
    "SELECT 'current_date', 'random()' FROM t",
    "SELECT a FROM t WHERE b = $b",
]

UNSTEADY = [
    *(f"SELECT {call} FROM t" for call in ("now()", "today()", "random()", "uuid()", "gen_random_uuid()")),
    *(f"SELECT {call} FROM t" for call in ("uuidv7()", "setseed(0.5)", "version()", "txid_current()")),
    *(f"SELECT {call} FROM t" for call in ("current_setting('threads')", "getvariable('x')", "age(d)")),
    *(f"SELECT {call} FROM t" for call in ("current_localtimestamp()", "get_current_timestamp()")),
    *(f"SELECT {call} FROM t" for call in ("current_query()", "current_schemas(true)", "stats(a)")),
    *(f"SELECT {call} FROM t" for call in ("ago(INTERVAL 1 DAY)", "reservoir_quantile(a, 0.5)")),
    *(f"SELECT {word} FROM t" for word in sorted(WORDS)),
    "SELECT CURRENT_DATE FROM t",
    "SELECT * FROM t WHERE d > current_date - 7",
    "SELECT * FROM t ORDER BY random() LIMIT 3",
    "SELECT sum(random()) OVER () FROM t",
    "SELECT list_transform(l, lambda x: x + random()) FROM t",
    "SELECT (SELECT max(now())) FROM t",
    "WITH x AS (SELECT uuid()) FROM x, t",
    "SELECT * FROM t TABLESAMPLE 10%",
    "SELECT * FROM t USING SAMPLE 5",
    "SELECT * FROM t TABLESAMPLE reservoir(5 ROWS) REPEATABLE (1)",
    "SELECT * FROM (SELECT * FROM t USING SAMPLE 5)",
    "SELECT my_macro(a) FROM t",
    "SELECT * FROM my_table_macro(1), t",
    "SELECT * FROM information_schema.tables, t",
    "SELECT * FROM duckdb_tables(), t",
    "SELECT * FROM duckdb_settings(), t",
    "SELECT * FROM temp.t",
    "SELECT * FROM pg_catalog.pg_tables, t",
    "SELECT * FROM query_table('t')",
    "SELECT * FROM t AT (VERSION => 1)",
    "SUMMARIZE t",
    "DESCRIBE t",
    "SHOW TABLES",
    "PIVOT t ON a USING sum(b)",
    "SELECT pg_get_viewdef(1) FROM t",
    "this is not SQL",
    "SELECT 1; SELECT 2",
]


@pytest.mark.parametrize("sql", STEADY)
def test_what_computes_from_tables_alone_is_repeatable(sql: str) -> None:
    (passed,) = check(sql)
    assert is_repeatable(passed.sql)


@pytest.mark.parametrize("sql", UNSTEADY)
def test_what_depends_on_anything_else_or_is_not_known_is_not(sql: str) -> None:
    assert not is_repeatable(sql)


def test_every_word_that_the_engine_takes_for_a_call_is_listed() -> None:
    con = duckdb.connect()
    words = {*functions(), *WORDS, "sysdate", "systimestamp", "timestamp", "date", "utc_date", "rowid"}
    found = set()
    for word in words - {"localtimestamp", "current_timestamp"}:  # zoned values need a library here
        try:
            con.execute(f"SELECT typeof({word})").fetchall()
        except duckdb.Error:
            continue
        found.add(word)
    assert found | {"localtimestamp", "current_timestamp"} == WORDS


def test_every_function_without_arguments_that_is_called_steady_gives_the_same_in_two_sessions() -> None:
    names = [name for name, known in functions().items() if known.steady and name not in VOLATILE]
    seen = []
    for zone in ("UTC", "Australia/Melbourne"):
        con = duckdb.connect(config={"threads": 2 if zone == "UTC" else 1})
        con.execute(f"SET TimeZone = '{zone}'; CREATE TEMP TABLE only_here AS SELECT '{zone}' AS z")
        answers = {}
        for name in names:
            try:
                answers[name] = con.execute(f'SELECT "{name}"()::VARCHAR').fetchall()
            except duckdb.Error:
                continue
        seen.append({name: answer for name, answer in answers.items() if is_repeatable(f'SELECT "{name}"()')})
    assert seen[0] == seen[1] and "pi" in seen[0]


def test_every_function_of_the_engine_can_be_judged() -> None:
    judged = {name: is_repeatable(f'SELECT "{name}"(1)') for name in functions() if name.isidentifier()}
    assert sum(judged.values()) > 500
    assert not any(judged[name] for name in VOLATILE - TABLE_FUNCTIONS)
