"""Laying out SQL: what it looks like, and that it stays the same SQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from greynb.databases.sqltext import Dialect, tokens
from greynb.sqlformat.layout import WIDTH, layout

DIALECTS = st.sampled_from(["duckdb", "sqlite"])
WORDS = r"""
SELECT select FROM from WHERE GROUP BY ORDER HAVING LIMIT WITH AS UNION ALL EXCEPT JOIN LEFT ON USING AND OR
NOT IN BETWEEN CASE WHEN THEN ELSE END OVER PARTITION FILTER VALUES INSERT INTO UPDATE SET DISTINCT end case
MATERIALIZED CREATE TRIGGER TABLE a b count "x" 'it''s' 1 -1 1.5e3 :p $q ? ( ( ) ) [ ] { } , , . ; * = < - +
-> :: : := || && <-> e'\'' $$x$$ -- /* */ é
""".split()
COMMENTS = ["-- note\n", "\n-- above\n", "/* inside */", "/* two\n lines */", "--\r\n"]
SQLISH = st.lists(
    st.one_of(
        st.sampled_from(WORDS), st.sampled_from(COMMENTS), st.sampled_from([" ", "\n", "\n\n", "\t", "\r\n"])
    ),
    max_size=60,
).map(lambda found: " ".join(found))
TOUCHING = st.lists(st.sampled_from([*WORDS, *COMMENTS, " ", "\n"]), max_size=40).map("".join)


def meaning(sql: str, dialect: Dialect) -> list[tuple[str, str]]:
    """What the engine and a reader see, without white space and the case of words."""
    return [
        (token.kind, token.text.upper() if token.kind == "name" else token.text)
        for token in tokens(sql, dialect)
        if token.kind != "space"
    ]


@given(st.one_of(SQLISH, TOUCHING, st.text()), DIALECTS)
@example("SELECT a :b", "duckdb")
@example("SELECT x -- c\r\n, y", "sqlite")
def test_tokens_and_comments_stay_what_and_where_they_are(sql: str, dialect: Dialect) -> None:
    assert meaning(layout(sql, dialect), dialect) == meaning(sql, dialect)


@given(st.one_of(SQLISH, TOUCHING, st.text()), DIALECTS)
@example("SELECT -- note\n SELECT", "duckdb")
@example("/* a */ /* b */ -- note\n", "duckdb")
def test_laying_out_twice_changes_nothing_more(sql: str, dialect: Dialect) -> None:
    once = layout(sql, dialect)
    assert layout(once, dialect) == once


def test_a_query_that_does_not_fit_has_a_line_for_each_part() -> None:
    sql = """select r.race_id,count(*) n, avg(t.time_s) as Mean -- of finishers
    from races r left join runs t using(race_id)  where r.track=:track and r.grade in (:grades)
    and t.box between 1 and 4 group by 1 having count(*)>2 order by n desc limit 10"""
    assert layout(sql, "duckdb").splitlines() == [
        "SELECT",
        "    r.race_id,",
        "    count(*) n,",
        "    avg(t.time_s) AS Mean  -- of finishers",
        "FROM races r",
        "LEFT JOIN runs t USING (race_id)",
        "WHERE r.track = :track AND r.grade IN (:grades) AND t.box BETWEEN 1 AND 4",
        "GROUP BY 1",
        "HAVING count(*) > 2",
        "ORDER BY n DESC",
        "LIMIT 10",
    ]


def test_subqueries_cases_and_windows_open_where_they_do_not_fit() -> None:
    sql = """with best as (select dog, min(time_s) as best, case when min(time_s) < 29.5 then 'quick' else
    'slow' end as pace from runs group by dog order by best) select *, row_number() over (partition by
    pace, box order by best, dog, venue, race_date, weight, trainer, owner) as place from best
    where dog is not null"""
    assert layout(sql, "duckdb").splitlines() == [
        "WITH best AS (",
        "    SELECT",
        "        dog,",
        "        min(time_s) AS best,",
        "        CASE WHEN min(time_s) < 29.5 THEN 'quick' ELSE 'slow' END AS pace",
        "    FROM runs",
        "    GROUP BY dog",
        "    ORDER BY best",
        ")",
        "SELECT",
        "    *,",
        "    row_number() OVER (",
        "        PARTITION BY pace, box",
        "        ORDER BY best, dog, venue, race_date, weight, trainer, owner",
        "    ) AS place",
        "FROM best",
        "WHERE dog IS NOT NULL",
    ]


def test_statements_that_write_are_laid_out_too() -> None:
    sql = """create table if not exists dogs(id integer primary key,name text not null,born date,owner text
    not null default 'nobody',check (id>0)) strict;insert into dogs(id,name) values (1,'a'),(2,'b')"""
    assert layout(sql, "sqlite").splitlines() == [
        "CREATE TABLE IF NOT EXISTS dogs(",
        "    id integer PRIMARY KEY,",
        "    name text NOT NULL,",
        "    born date,",
        "    owner text NOT NULL DEFAULT 'nobody',",
        "    CHECK (id > 0)",
        ") strict;",
        "INSERT INTO dogs(id, name) VALUES (1, 'a'), (2, 'b')",
    ]


def test_comments_keep_to_their_lines() -> None:
    sql = "-- races\nselect a, -- first\n-- second\nb /* why */ from t\n\n;-- end\n-- next\nselect 1"
    assert layout(sql, "duckdb").splitlines() == [
        "-- races",
        "SELECT",
        "    a,  -- first",
        "    -- second",
        "    b /* why */",
        "FROM t;  -- end",
        "-- next",
        "SELECT 1",
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'never closed",
        "SELECT f(a, b FROM t",
        "SELECT 'a'\n'b'",
        "CREATE TRIGGER t AFTER INSERT ON r BEGIN\n  UPDATE r SET a=1;  DELETE FROM s;\nEND",
    ],
)
def test_what_is_not_understood_stays_as_it_is(sql: str) -> None:
    assert layout(sql, "sqlite") == sql


QUERIES = [
    "select e'a\\'b', $$it's $x$$, [x for x in [1,2] if x>1], {'a':1,'b':[1]}, list_transform([1,2], x->x+1)",
    "from range(5) t(i) select i, i%2=0 as even, -i as \"Neg\", i::varchar||'x' where i between 1 and 2",
    "select count(*) filter (where i>1) n, case when count(*)>2 then 1 else 0 end as Many from range(5) t(i)",
    "with a as materialized (select 1 x union all select 2 order by 1), b as (select x*-1 y from a) from b",
    "select * exclude (j) from (select i, i+1 j from range(3) t(i)) order by i desc nulls last limit 2",
    "select * from (pivot (select i%2 as k, i from range(5) t(i)) on k using sum(i)) order by all",
    "select [1,2,3][1:2], 5//2, 2**3, 'a'^@'a', 1 is distinct from 2, extract(year from date '2025-01-01')",
]


@pytest.mark.parametrize("sql", QUERIES)
def test_a_laid_out_query_gives_the_same_columns_and_rows(sql: str) -> None:
    with closing(duckdb.connect()) as con:
        before, after = (con.sql(text) for text in (sql, layout(sql, "duckdb")))
        assert (before.columns, before.fetchall()) == (after.columns, after.fetchall())


def test_sqlite_keeps_a_table_strict_and_its_key_an_alias_of_the_rowid() -> None:
    sql = "create table t (id integer primary key, [odd name] text) strict"
    with closing(sqlite3.connect(":memory:")) as con:
        con.execute(layout(sql, "sqlite"))
        con.execute("INSERT INTO t DEFAULT VALUES")
        assert con.execute("SELECT id, rowid FROM t").fetchall() == [(1, 1)]
        assert con.execute("SELECT strict FROM pragma_table_list('t')").fetchone() == (1,)


def test_lines_fit_where_there_is_a_place_to_break_them() -> None:
    sql = "select " + ", ".join(f"column_{number}" for number in range(50)) + " from t"
    assert max(map(len, layout(sql, "duckdb").splitlines())) <= WIDTH
