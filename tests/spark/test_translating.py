"""From DuckDB's SQL to Spark's, without a Spark: what is refused, and with what to write instead.

That what is not refused gives the same is shown by ``make test-scale``.
"""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.spark.translating import Translation, translate
from greynb.spark.typed import Unsupported

TABLES = {
    "races": {"id": "BIGINT", "track": "VARCHAR", "day": "DATE", "prize": "DOUBLE", "note": "UUID"},
    "tips": {"id": "BIGINT", "prob": "DOUBLE"},
}
VIEWS = {"races": "v_races", "tips": "v_tips"}


def spark(sql: str, parameters: dict[str, object] | None = None) -> Translation:
    return translate(sql, TABLES, VIEWS, parameters)


def test_doubles_become_whole_numbers_by_rounding_half_to_even() -> None:
    assert "CAST(rint(`races`.`prize`) AS INT)" in spark("SELECT CAST(prize AS INTEGER) FROM races").sql


def test_days_of_the_week_count_from_sunday_as_0() -> None:
    assert "(dayofweek(`races`.`day`) - 1)" in spark("SELECT dayofweek(day) FROM races").sql


def test_log_is_that_of_base_10() -> None:
    assert "log10(" in spark("SELECT log(prize) FROM races").sql


def test_nulls_come_where_duckdb_puts_them() -> None:
    assert spark("SELECT id FROM races ORDER BY prize DESC, id").sql.endswith(
        "ORDER BY `races`.`prize` DESC NULLS LAST, `id` ASC NULLS LAST"
    )


def test_decimals_beside_doubles_are_doubles_and_among_themselves_refused() -> None:
    assert "CAST('1.1' AS DOUBLE)" in spark("SELECT prize * 1.1 FROM races").sql
    assert "avg(" in spark("SELECT avg(CASE WHEN id = 1 THEN 1.0 ELSE 0.0 END) FROM races").sql
    assert spark("SELECT sum(id) * 1.0 / count(*) FROM races").kinds == ("double",)
    for sql in (
        "SELECT 0.1 + 0.2",
        "SELECT avg(CASE WHEN id = 1 THEN 0.9 ELSE 0 END) FROM races",
        "SELECT id * 1.1 FROM races",
        "SELECT avg(0.5) FROM races",
        "SELECT 1.5",
    ):
        with pytest.raises(Unsupported) as caught:
            spark(sql)
        assert "1.5e0" in str(caught.value.hint)


def test_semi_joins_stay_semi_joins() -> None:
    assert "LEFT SEMI JOIN `v_tips`" in spark("SELECT id FROM races SEMI JOIN tips USING (id)").sql


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("SELECT list(id) FROM races", "aggregate"),
        ("SELECT string_agg(track, ',') FROM races", "aggregate"),
        ("SELECT arg_max(track, prize) FROM races", "row_number()"),
        ("SELECT any_value(track) FROM races", "min(x)"),
        ("SELECT quantile_disc(prize, 0.5) FROM races", "median"),
        ("SELECT regexp_matches(track, 'a') FROM races", "LIKE"),
        ("SELECT strftime(day, '%Y') FROM races", "year(d)"),
        ("SELECT current_date", "write the day"),
        ("SELECT * FROM races ASOF JOIN tips ON races.id >= tips.id", "ordinary JOIN"),
        ("PIVOT races ON track USING count(*)", "SELECT"),
        ("SELECT COLUMNS('i.*') FROM races", "write the columns out"),
        ("SELECT [x + 1 FOR x IN [1, 2]]", "aggregate"),
        ("SELECT id FROM races UNION BY NAME SELECT id FROM tips", "same order"),
        ("SELECT DISTINCT ON (track) id FROM races", "row_number()"),
        ("SELECT sum(id) FROM (SELECT id FROM races LIMIT 5)", "ORDER BY"),
        ("SELECT row_number() OVER () FROM races", "ORDER BY"),
        ("SELECT CAST(prize AS VARCHAR) FROM races", "BIGINT"),
        ("SELECT CAST(prize AS DECIMAL(9, 2)) FROM races", "round"),
        ("SELECT TRY_CAST(track AS INTEGER) FROM races", "CASE"),
        ("SELECT id FROM races WHERE id = track", "CAST"),
        ("SELECT id FROM races WHERE day > '1/2/2025'", "DATE"),
        ("SELECT note FROM races", "another type"),
        ("SELECT nonsense(id) FROM races", "ANALYTICS_ENGINE=duckdb"),
        ("SELECT id FROM races GROUP BY CUBE (id)", "UNION ALL"),
        ("SELECT sum(prize) OVER (ORDER BY day RANGE INTERVAL 7 DAYS PRECEDING) FROM races", "ROWS"),
        ("SELECT round(prize, id) FROM races", "whole number"),
        ("SELECT substr(track, -2) FROM races", "number"),
        ("SELECT id FROM races LIMIT 10%", ""),
        ("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t) SELECT * FROM t", "publish"),
    ],
)
def test_what_could_change_a_number_is_refused_with_what_to_write_instead(sql: str, hint: str) -> None:
    with pytest.raises(Unsupported) as caught:
        spark(sql)
    assert "is not run on Spark" in str(caught.value)
    assert hint in str(caught.value.hint)


def test_a_limit_at_the_end_without_an_order_is_noted() -> None:
    assert spark("SELECT id FROM races LIMIT 5").is_open
    assert not spark("SELECT id FROM races ORDER BY id LIMIT 5").is_open


def test_parameters_are_bound_by_name_and_have_the_kind_of_their_values() -> None:
    sql = "SELECT id FROM races WHERE day > $day AND prize > $p"
    found = spark(sql, {"day": dt.date(2025, 1, 2), "p": 1})
    assert ":day" in found.sql
    assert dict(found.values) == {"day": dt.date(2025, 1, 2), "p": 1}
    with pytest.raises(Unsupported, match="comparing"):
        spark("SELECT id FROM races WHERE day > $day", {"day": 7})


def test_names_and_texts_cannot_leave_their_quotes() -> None:
    found = spark("SELECT track AS \"a`b\" FROM races WHERE track = 'it''s \\ `'").sql
    assert "AS `a``b`" in found
    assert r"'it\'s \\ `'" in found


WORDS = st.sampled_from(
    "SELECT FROM races tips WHERE id prize track day * , ( ) 1 2.5 'x' = < + / count(*) sum avg GROUP BY"
    " ORDER LIMIT JOIN USING CASE WHEN THEN END OVER PARTITION AND OR NOT NULL IN BETWEEN LIKE AS".split()
)


@given(st.lists(WORDS, min_size=2, max_size=14).map(" ".join))
def test_any_text_is_translated_or_refused_and_nothing_else(sql: str) -> None:
    try:
        assert spark(f"SELECT {sql}").sql
    except Unsupported as refused:
        assert refused.hint is not None
