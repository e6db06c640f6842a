"""`greynb.evaluate` on a published season: arguments, groups, provenance, versions, interrupts."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import greynb
from greynb.connections import analytics_session, pin, unpin
from greynb.errors import QueryError, UsageError
from greynb.evaluation.arguments import Arguments
from greynb.report.verifying import State, verify_file
from greynb.routing import Settings


def test_the_table_is_tidy_and_has_every_metric_of_every_method(published: Path) -> None:
    found = greynb.evaluate(resamples=50)
    assert list(found.table) == ["metric", "method", "value", "low", "high", "n"]
    assert len(found.table) == 12 * 3 and not found.table.duplicated(["metric", "method"]).any()
    inside = found.table.dropna()
    inside = inside[inside["metric"] != "ece"]  # noise alone makes it larger, so resamples may all be above
    assert (inside["low"] <= inside["value"] + 1e-12).all() and (
        inside["value"] <= inside["high"] + 1e-12
    ).all()
    assert found.groups is None and found.version == "gen-000001"


def test_the_same_version_arguments_and_seed_give_the_same_numbers(published: Path) -> None:
    one, same, other = (greynb.evaluate(resamples=50, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one.table, same.table, rtol=1e-12)
    assert np.allclose(one.table["value"], other.table["value"], equal_nan=True)
    assert not np.allclose(one.table["low"], other.table["low"], equal_nan=True)


@pytest.mark.parametrize("by", ["venue", "month", "grade", "distance", "FIELD_SIZE"])
def test_a_group_of_races_is_what_an_evaluation_of_them_alone_gives(published: Path, by: str) -> None:
    groups = greynb.evaluate(by=by, resamples=50).groups
    assert groups is not None
    first = groups["group"].iloc[0]
    column = "strftime('%Y-%m', race_date)" if by == "month" else by
    with closing(sqlite3.connect(published / "stage.db")) as con, con:
        con.execute(
            f"DELETE FROM race_metadata WHERE {column} <> ?",
            (first.item() if hasattr(first, "item") else first,),
        )
    greynb.sync()
    alone = greynb.evaluate(resamples=50).table
    own = groups[groups["group"] == first].drop(columns="group").reset_index(drop=True)
    pd.testing.assert_frame_equal(own, alone, rtol=1e-9)


@pytest.mark.parametrize("by", ["box", "odds_band", "trainer_name", "prediction_source"])
def test_groups_of_starters_hold_all_of_them(published: Path, by: str) -> None:
    found = greynb.evaluate(by=by, resamples=10)
    assert found.groups is not None
    whole = found.groups.query("metric == 'brier' and method == 'model'")
    assert len(whole) >= 1 and (whole["n"] <= found.count("races", "evaluated")).all()


def test_odds_bands_come_in_their_order_and_those_without_a_price_last(published: Path) -> None:
    with closing(sqlite3.connect(published / "stage.db")) as con, con:
        con.execute("UPDATE dog_race_data SET starting_price = NULL WHERE id < 20")
    greynb.sync()
    groups = greynb.evaluate(by="odds_band", resamples=10).groups
    assert groups is not None
    assert list(groups["group"].unique())[:6] == [
        *("under 2", "2 to 3", "3 to 5", "5 to 8", "8 to 15", "15 and over")
    ]
    assert groups["group"].isna().sum() == 12 * 3 and pd.isna(groups["group"].iloc[-1])


def test_other_odds_can_be_bet_at(published: Path) -> None:
    with closing(sqlite3.connect(published / "stage.db")) as con, con:
        con.execute("UPDATE dog_race_data SET odds_decimal = 2 * starting_price")
    greynb.sync()
    starting, early = (
        greynb.evaluate(price=each, resamples=10) for each in ("starting_price", "odds_decimal")
    )
    assert starting.value("brier") == pytest.approx(early.value("brier"), abs=1e-12)
    assert 1 + early.value("roi_flat") == pytest.approx(2 * (1 + starting.value("roi_flat")))


def test_a_price_is_named_in_any_case_as_in_sql(published: Path) -> None:
    small, large = (
        greynb.evaluate(price=each, resamples=10) for each in ("starting_price", "Starting_PRICE")
    )
    assert small.table.equals(large.table)


def test_a_temporary_view_of_the_cells_can_be_evaluated_and_verified(published: Path) -> None:
    session = analytics_session(Settings.current().route("analytics"))
    session.run(
        "CREATE TEMP TABLE flat AS"
        " SELECT race_id, dog_clean_name, 0.5 AS predicted_probability FROM dog_race_data"
    )
    found = greynb.evaluate("flat", resamples=10)
    assert found.value("brier") == pytest.approx(found.value("brier", "uniform"))
    greynb.export(found.table, published / "flat.html")
    assert verify_file(published / "flat.html").verdicts[0].state is State.EXACT


def test_it_leaves_no_temporary_table_behind(published: Path) -> None:
    greynb.evaluate(by="venue", resamples=10)
    session = analytics_session(Settings.current().route("analytics"))
    (shown,) = session.run("SELECT count(*) AS n FROM duckdb_tables() WHERE table_name LIKE 'evaluation_%'")
    assert shown.frame is not None and shown.frame["n"][0] == 0


def test_the_sql_runs_as_it_is_shown(published: Path) -> None:
    found = greynb.evaluate(resamples=10)
    session = analytics_session(Settings.current().route("analytics"))
    frames = [each.frame for each in session.run(found.sql) if each.frame is not None]
    sums = next(frame for frame in frames if "squared" in frame).query("method == 'model'")
    assert sums["squared"].sum() / sums["starters"].sum() == pytest.approx(found.value("brier"), abs=1e-12)


@pytest.mark.parametrize("part", ["table", "differences", "groups", "bins", "odds", "races", "counts"])
def test_every_frame_can_be_exported_and_verified(published: Path, part: str) -> None:
    found = greynb.evaluate(by="month", since="2024-08-02", resamples=20)
    frame = getattr(found, part)
    origin = frame.attrs["greynb"]
    assert (
        origin["kind"] == "evaluation" and origin["snapshot"] == "gen-000001" and origin["sql"] == found.sql
    )
    assert json.loads(json.dumps(origin["arguments"]))["since"] == "2024-08-02"
    greynb.export(frame, published / "x.json")
    verified = verify_file(published / "x.json")
    assert verified.holds, str(verified)


def test_a_change_of_the_results_is_found_by_verifying(published: Path) -> None:
    greynb.export(greynb.evaluate(resamples=20).table, published / "x.html")
    with closing(sqlite3.connect(published / "stage.db")) as con, con:
        con.execute("UPDATE dog_race_data SET finish_position = 9 - finish_position")
    from greynb.connections import close_all

    close_all()
    for _ in range(2):
        greynb.sync("full", keep=0)
    assert verify_file(published / "x.html").verdicts[0].state is State.DIFFERS


def test_a_pinned_version_is_the_one_that_is_evaluated(published: Path) -> None:
    route = Settings.current().route("analytics")
    before = greynb.evaluate(resamples=10)
    pin(route)
    with closing(sqlite3.connect(published / "stage.db")) as con, con:
        con.execute("DELETE FROM race_metadata WHERE id % 2")
    greynb.sync()
    assert greynb.evaluate(resamples=10).version == "gen-000001"
    unpin(route)
    after = greynb.evaluate(resamples=10)
    assert after.version == "gen-000002"
    assert after.count("races", "evaluated") < before.count("races", "evaluated")


def test_arguments_are_plain_json_and_come_back_the_same() -> None:
    asked = Arguments(by="venue", since=dt.date(2025, 1, 2), kelly=0.5)
    assert Arguments.from_dict(json.loads(json.dumps(asked.as_dict()))) == asked
    with pytest.raises(UsageError):
        Arguments.from_dict({"bye": "venue"})


WRONG = {
    "since": "1 July",
    "until": 20250701,
    "bins": 0,
    "kelly": 0,
    "resamples": 1.5,
    "seed": -1,
    "price": "no_such_price",
    "by": "venu",
    "predictions": 5,
}


@pytest.mark.parametrize("name", WRONG)
def test_an_argument_that_makes_no_sense_is_named(published: Path, name: str) -> None:
    with pytest.raises(UsageError, match=name if name != "price" else "no_such_price"):
        greynb.evaluate(**{name: WRONG[name]})  # type: ignore[arg-type]


def test_a_near_name_is_offered_for_a_group(published: Path) -> None:
    with pytest.raises(UsageError, match="did you mean venue"):
        greynb.evaluate(by="venu")


def test_since_after_until_is_refused(published: Path) -> None:
    with pytest.raises(UsageError, match="after until"):
        greynb.evaluate(since="2025-02-01", until="2025-01-01")


def test_a_table_that_is_not_there_is_named_with_the_nearest_and_without_sql(published: Path) -> None:
    with pytest.raises(QueryError, match=r"^there is no table 'prediction'") as caught:
        greynb.evaluate("prediction")
    assert caught.value.hint == "did you mean predictions?" and "SELECT" not in str(caught.value)


def test_a_frame_without_a_needed_column_is_refused(published: Path) -> None:
    with pytest.raises(UsageError, match="the DataFrame has no column predicted_probability"):
        greynb.evaluate(pd.DataFrame({"race_id": ["x"], "dog_clean_name": ["y"]}))


def test_a_price_that_is_no_column_is_refused_with_the_nearest(published: Path) -> None:
    with pytest.raises(UsageError, match="dog_race_data has no column startingprice") as caught:
        greynb.evaluate(price="startingprice")
    assert caught.value.hint == "did you mean starting_price?"


def test_numbers_of_a_frame_say_that_they_cannot_be_verified_and_verifying_says_so_too(
    published: Path,
) -> None:
    with greynb.get_conn() as con:
        frame = con.execute("SELECT race_id, dog_clean_name, predicted_probability FROM predictions").df()
    found, named = greynb.evaluate(frame, resamples=10), greynb.evaluate(resamples=10)
    assert found.value("brier") == pytest.approx(named.value("brier"))
    assert "cannot be verified" in repr(found) and "cannot be verified" not in repr(named)
    greynb.export(found.table, published / "x.html")
    verified = verify_file(published / "x.html")
    assert not verified.holds and "DataFrame" in str(verified)


def test_a_frame_of_polars_is_as_good(published: Path) -> None:
    import polars as pl

    with greynb.get_conn() as con:
        frame = con.execute("SELECT race_id, dog_clean_name, predicted_probability FROM predictions").df()
    assert greynb.evaluate(pl.from_pandas(frame), resamples=10).value("auc") == pytest.approx(
        greynb.evaluate(resamples=10).value("auc")
    )


def test_an_evaluation_shows_itself_as_text_and_as_html(published: Path) -> None:
    found = greynb.evaluate(resamples=10)
    shown, page = repr(found), found._repr_html_()
    assert f"{found.value('brier'):.4f}" in shown and f"{found.value('brier'):.4f}" in page
    assert "left out: races:" in shown and "What was counted" in page
    assert "CREATE OR REPLACE TEMP TABLE evaluation_races" in page and "<script" not in page
    with pytest.raises(KeyError):
        found.value("nonsense")


INTERRUPTED = """
import _thread, threading, greynb
from greynb.errors import QueryInterrupted
greynb.evaluate(resamples=10)  # what is imported at the first call is not to be interrupted
threading.Timer({after}, _thread.interrupt_main).start()
try:
    while True:
        greynb.evaluate(resamples={resamples})
except QueryInterrupted:
    print("interrupted", greynb.evaluate(resamples=10).count("races", "evaluated") > 0)
"""


@pytest.mark.parametrize(("after", "resamples"), [(0.7, 10), (2.0, 1_000_000)])
def test_ctrl_c_stops_it_and_it_can_be_called_again(published: Path, after: float, resamples: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED.format(after=after, resamples=resamples)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.strip() == "interrupted True"
