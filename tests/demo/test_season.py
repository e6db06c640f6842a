"""A season is deterministic, keeps the rules of racing, and carries information to find."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from greynb.demo import Season, season
from greynb.demo.names import clean_name, dog_names, trainer_names

RACES = 1500


@cache
def made() -> Season:
    return season(RACES, seed=1)


@cache
def frame(table: str) -> pd.DataFrame:
    columns = made().tables[table]
    return pd.DataFrame({name: _column(values) for name, values in columns.items()})


def _column(values: Any) -> Any:
    return values if isinstance(values, np.ndarray) else pd.Series(values, dtype=object)


@cache
def ran() -> pd.DataFrame:
    """The dogs that ran in completed races, with their predictions shared out again."""
    entries = frame("dog_race_data").merge(frame("race_metadata")[["race_id", "race_status", "race_date"]])
    entries = entries[(entries.was_scratched == 0) & (entries.race_status == "completed")]
    rows = entries.merge(frame("predictions")[["race_id", "dog_clean_name", "predicted_probability"]])
    races = rows.groupby("race_id")
    return rows.assign(
        win=(rows.finish_position == 1) / races.finish_position.transform(lambda places: (places == 1).sum()),
        model=rows.predicted_probability / races.predicted_probability.transform("sum"),
        uniform=1 / races.race_id.transform("size"),
        book=(1 / rows.starting_price).groupby(rows.race_id).transform("sum"),
    )


def digest(season_: Season) -> str:
    parts = [
        f"{table}.{name}={list(column)}"
        for table, columns in season_.tables.items()
        for name, column in columns.items()
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def test_the_same_seed_gives_the_same_rows_and_another_seed_does_not() -> None:
    assert digest(season(40, seed=5)) == digest(season(40, seed=5))
    assert digest(season(40, seed=5)) != digest(season(40, seed=6))


@pytest.mark.parametrize("races", [1, 2, 12, 97])
def test_any_size_of_season_has_exactly_that_many_races(races: int) -> None:
    small = season(races)
    assert len(small.tables["race_metadata"]["race_id"]) == races
    assert len(set(small.tables["dog_race_data"]["race_id"])) == races


def test_a_season_without_races_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one race"):
        season(0)


def test_a_larger_season_keeps_race_ids_unique() -> None:
    assert frame("race_metadata").race_id.is_unique
    assert pd.Series(season(6_000).tables["race_metadata"]["race_id"]).is_unique


def test_each_box_and_each_dog_is_used_once_in_a_race() -> None:
    entries = frame("dog_race_data")
    assert entries.box_number.between(1, 8).all()
    assert not entries.duplicated(["race_id", "box_number"]).any()
    assert not entries.duplicated(["race_id", "dog_clean_name"]).any()


def test_no_dog_runs_twice_on_a_day() -> None:
    starts = frame("dog_race_data").merge(frame("race_metadata")[["race_id", "race_date"]])
    assert not starts.duplicated(["dog_id", "race_date"]).any()


def test_a_completed_race_has_one_winner_or_a_dead_heat() -> None:
    winners = ran()[ran().finish_position == 1].groupby("race_id").size()
    assert set(winners.unique()) == {1, 2}
    assert (winners == 2).mean() < 0.02
    assert len(winners) == ran().race_id.nunique()


def test_after_a_dead_heat_the_next_place_is_left_out() -> None:
    places = ran().groupby("race_id").finish_position.apply(lambda p: sorted(p.dropna()))
    for finished in places:
        assert finished == [1 + sum(other < place for other in finished) for place in finished]


def test_scratched_and_unfinished_dogs_and_abandoned_races_exist_and_have_no_place() -> None:
    entries, races = frame("dog_race_data"), frame("race_metadata")
    scratched = entries[entries.was_scratched == 1]
    assert 0.03 < len(scratched) / len(entries) < 0.08
    assert scratched.finish_position.isna().all() and scratched.starting_price.isna().all()
    assert 0 < ran().finish_position.isna().mean() < 0.02
    abandoned = set(races[races.race_status == "abandoned"].race_id)
    assert abandoned and entries[entries.race_id.isin(abandoned)].finish_position.isna().all()


def test_times_follow_places() -> None:
    timed = ran().assign(time=pd.to_numeric(ran().individual_time)).dropna(subset=["time"])
    timed = timed.sort_values(["race_id", "finish_position"])
    steps = timed.groupby("race_id").time.diff().dropna()
    assert (steps >= 0).all()
    assert timed.time.between(14, 60).all()


def test_the_inside_box_wins_more_than_the_middle() -> None:
    by_box = ran().groupby("box_number").win.mean()
    assert by_box[1] > by_box[5] + 0.02


def test_predictions_are_informative_but_not_certain() -> None:
    rows = ran()
    picks = rows.loc[rows.groupby("race_id").model.idxmax()]
    assert rows.uniform.mean() + 0.1 < picks.win.mean() < 0.45
    model, uniform = ((rows[name] - rows.win) ** 2 for name in ("model", "uniform"))
    assert model.mean() < uniform.mean()


def test_predictions_are_over_confident() -> None:
    sure = ran()[ran().model > 0.4]
    assert sure.win.mean() < sure.model.mean() - 0.03


def test_the_second_model_is_better_than_the_first() -> None:
    rows = ran().merge(frame("predictions")[["race_id", "prediction_source"]].drop_duplicates())
    error = ((rows.model - rows.win) ** 2).groupby(rows.prediction_source).mean()
    assert error["form_model_v4"] < error["form_model_v3"]


def test_starting_prices_carry_an_overround() -> None:
    complete = ran()[ran().groupby("race_id").starting_price.transform(lambda p: p.notna().all())]
    book = complete.groupby("race_id").book.first()
    assert 1.10 < book.mean() < 1.25
    assert (book > 1).all()


def test_prices_drift_towards_the_starting_price() -> None:
    history = frame("odds_history").merge(ran()[["race_id", "dog_clean_name", "starting_price"]])
    away = (np.log(history.odds_decimal) - np.log(history.starting_price)).abs()
    by_step = away.groupby(history.groupby(["race_id", "dog_clean_name"]).cumcount()).mean()
    assert by_step.is_monotonic_decreasing


def test_form_is_what_the_dog_did_before() -> None:
    starts = frame("dog_race_data").merge(
        frame("race_metadata")[["race_id", "start_datetime", "race_status"]]
    )
    dog = starts.dog_id.value_counts().index[0]
    career = starts[starts.dog_id == dog].sort_values("start_datetime")
    known = ""
    for start in career.itertuples():
        assert start.recent_form == (known or None)
        if start.was_scratched == 0 and start.race_status == "completed":
            mark = "F" if start.finish_position != start.finish_position else str(int(start.finish_position))
            known = (mark + known)[:5]


def test_totals_of_the_dogs_are_those_of_their_starts() -> None:
    dogs = frame("dogs").set_index("dog_id")
    starts = frame("dog_race_data").merge(frame("race_metadata")[["race_id", "race_status"]])
    starts = starts[(starts.was_scratched == 0) & (starts.race_status == "completed")]
    assert dogs.total_races.sum() == len(starts)
    assert dogs.total_wins.sum() == (starts.finish_position == 1).sum()


def test_names_are_unique_also_when_there_are_more_dogs_than_combinations() -> None:
    rng = np.random.default_rng(0)
    names = [clean_name(name) for name in dog_names(30_000, rng)]
    assert len(set(names)) == 30_000
    assert len(set(trainer_names(3_000, rng))) == 3_000
