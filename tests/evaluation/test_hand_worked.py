"""Races that were worked out by hand."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from greynb.errors import UsageError
from greynb.evaluation import Evaluation
from tests.evaluation.files import Dog, Prediction, Race, evaluation_of, rows_of, write

PLAIN = Race([Dog(1, 2.0, 0.5), Dog(2, 4.0, 0.3), Dog(3, 4.0, 0.2)])


def evaluated(
    tmp_path: Path, races: Sequence[Race], more: Sequence[Prediction] = (), **changes: object
) -> Evaluation:
    return evaluation_of(write(tmp_path / "analytics.db", rows_of(races, more)), **changes)


def close(found: Evaluation, metric: str, value: float, method: str = "model") -> None:
    assert found.value(metric, method) == pytest.approx(value, abs=1e-12, nan_ok=True)


def test_a_race_whose_pick_wins(tmp_path: Path) -> None:
    found = evaluated(tmp_path, [PLAIN])
    close(found, "top1", 1)
    close(found, "top3", 1)
    close(found, "brier", (0.25 + 0.09 + 0.04) / 3)
    close(found, "log_loss", -(math.log(0.5) + math.log(0.7) + math.log(0.8)) / 3)
    close(found, "race_log_loss", math.log(2))
    close(found, "auc", 1)
    close(found, "roi_flat", 1.0)
    close(found, "ece", (0.5 + 0.3 + 0.2) / 3)
    # Odds of 2, 4 and 4 leave the bookmaker nothing: 1/2, 1/4, 1/4.
    close(found, "brier", (0.25 + 2 / 16) / 3, "favourite")
    close(found, "brier", (4 / 9 + 2 / 9) / 3, "uniform")
    close(found, "top1", 1 / 3, "uniform")
    close(found, "roi_flat", 2 / 3 - 1, "uniform")
    assert found.row("top1")["n"] == 1 and math.isnan(found.row("top1")["low"])


def test_odds_are_scaled_to_sum_to_one(tmp_path: Path) -> None:
    found = evaluated(tmp_path, [Race([Dog(1, 1.6, 0.6), Dog(2, 1.6, 0.4)])])
    close(found, "brier", 0.25, "favourite")
    close(found, "brier", 0.16)


def test_probabilities_are_scaled_to_sum_to_one_and_counted(tmp_path: Path) -> None:
    percent = Race([Dog(1, 2.0, 60), Dog(2, 3.0, 20), Dog(3, 4.0, 20)])
    slightly = Race([Dog(1, 2.0, 0.602), Dog(2, 3.0, 0.2), Dog(3, 4.0, 0.2)])
    found = evaluated(tmp_path, [percent, slightly])
    assert found.count("races", "probabilities normalised") == 1
    third = 0.602 / 1.002
    close(found, "race_log_loss", -(math.log(0.6) + math.log(third)) / 2)


def test_ties_for_the_pick_share_its_stake(tmp_path: Path) -> None:
    found = evaluated(tmp_path, [Race([Dog(1, 3.0, 0.4), Dog(2, 5.0, 0.4), Dog(3, 9.0, 0.2)])])
    close(found, "top1", 0.5)
    close(found, "roi_flat", 0.5)
    assert found.value("auc") == pytest.approx(0.75)


def test_ties_for_the_third_place_share_it(tmp_path: Path) -> None:
    tied = [Dog(2, 3.0, 0.4), Dog(3, 5.0, 0.3), Dog(1, 9.0, 0.1), Dog(4, 9.0, 0.1), Dog(5, 9.0, 0.1)]
    close(evaluated(tmp_path, [Race(tied)]), "top3", 1 / 3)


def test_a_dead_heat_is_half_a_win_each_and_pays_half(tmp_path: Path) -> None:
    found = evaluated(tmp_path, [Race([Dog(1, 3.0, 0.5), Dog(1, 5.0, 0.3), Dog(3, 9.0, 0.2)])])
    close(found, "top1", 0.5)
    close(found, "top3", 1)
    close(found, "roi_flat", 0.5 * 3 - 1)
    close(found, "brier", (0 + 0.04 + 0.04) / 3)
    close(found, "race_log_loss", -(math.log(0.5) + math.log(0.3)) / 2)
    assert found.count("races", "dead heats") == 1


def test_a_triple_dead_heat_is_a_third_each(tmp_path: Path) -> None:
    found = evaluated(tmp_path, [Race([Dog(1, 6.0, 0.5), Dog(1, 5.0, 0.3), Dog(1, 9.0, 0.2)])])
    close(found, "top1", 1 / 3)
    close(found, "roi_flat", 1.0)


def test_probabilities_zero_and_one_are_kept_from_infinite_logarithms(tmp_path: Path) -> None:
    found = evaluated(tmp_path, [Race([Dog(2, 3.0, 1.0), Dog(1, 5.0, 0.0)])])
    epsilon = 2.0**-52
    close(found, "race_log_loss", -math.log(epsilon))
    close(found, "log_loss", -math.log(epsilon))
    close(found, "brier", 1.0)
    close(found, "auc", 0.0)


def test_a_perfect_predictor_has_no_error(tmp_path: Path) -> None:
    found = evaluated(tmp_path, [Race([Dog(2, 3.0, 0.0), Dog(1, 5.0, 1.0)])] * 3)
    for metric in ("brier", "ece"):
        close(found, metric, 0.0)
    for metric in ("top1", "auc"):
        close(found, metric, 1.0)
    assert found.value("log_loss") < 1e-15
    assert math.isnan(found.value("slope"))  # winners and losers are separated: no line fits best


def test_a_full_kelly_bet_that_loses_everything_stays_finite(tmp_path: Path) -> None:
    found = evaluated(tmp_path, [Race([Dog(2, 3.0, 1.0), Dog(1, 5.0, 0.0)])], kelly=1.0)
    close(found, "growth", math.log(2.0**-52))
    close(found, "roi_kelly", -1)


def test_kelly_stakes_on_one_dog_its_edge_over_its_odds(tmp_path: Path) -> None:
    found = evaluated(tmp_path, [Race([Dog(1, 3.0, 0.5), Dog(2, 1.5, 0.3), Dog(3, 3.0, 0.2)])], kelly=0.5)
    row = found.races[found.races["method"] == "model"].iloc[0]
    assert row["kelly_staked"] == pytest.approx((0.5 * 3 - 1) / (3 - 1))
    close(found, "roi_kelly", 2.0)
    close(found, "growth", math.log(1 + 0.5 * 0.25 * 2))


def test_without_an_edge_nothing_is_staked(tmp_path: Path) -> None:
    found = evaluated(tmp_path, [Race([Dog(1, 1.8, 0.5), Dog(2, 1.8, 0.5)])])
    close(found, "roi_kelly", math.nan)
    close(found, "growth", 0.0)
    assert found.row("roi_kelly")["n"] == 0


def test_a_missing_price_leaves_the_favourite_out_and_the_bet_on_that_dog(tmp_path: Path) -> None:
    missing = Race([Dog(1, None, 0.5), Dog(2, 3.0, 0.3), Dog(3, 4.0, 0.2)])
    found = evaluated(tmp_path, [missing, PLAIN])
    assert found.count("races", "a price missing") == found.count("starters", "without a price") == 1
    assert found.row("brier")["n"] == 2 and found.row("brier", "favourite")["n"] == 1
    assert found.row("roi_flat")["n"] == 1
    close(found, "roi_flat", 1.0)
    against = found.differences.query("metric == 'brier' and against == 'favourite'").iloc[0]
    assert against["n"] == 1
    assert against["difference"] == pytest.approx((0.25 + 0.09 + 0.04) / 3 - (0.25 + 2 / 16) / 3)


@pytest.mark.parametrize("price", [1.0, 0.0, -2.0, "n/a"])
def test_odds_that_pay_nothing_are_missing(tmp_path: Path, price: object) -> None:
    found = evaluated(tmp_path, [Race([Dog(1, price, 0.5), Dog(2, 3.0, 0.5)]), PLAIN])
    assert found.count("starters", "without a price") == 1


def test_without_any_price_the_model_is_evaluated_all_the_same(tmp_path: Path) -> None:
    found = evaluated(tmp_path, [Race([Dog(1, None, 0.5), Dog(2, None, 0.5)])] * 2)
    close(found, "top1", 0.5)
    for metric in ("brier", "slope", "auc", "growth"):
        close(found, metric, math.nan, "favourite")
    close(found, "roi_flat", math.nan)


def test_scratched_dogs_do_not_count(tmp_path: Path) -> None:
    found = evaluated(tmp_path, [Race([*PLAIN.dogs, Dog(None, 2.0, 0.9, scratched=1)])])
    close(found, "race_log_loss", math.log(2))
    assert found.count("starters", "excluded: scratched") == 1
    assert found.count("predictions", "of a scratched dog") == 1


@pytest.mark.parametrize("mark", ["true", "Yes", "1", " SCR ", 1.0])
def test_a_scratching_may_be_written_in_words(tmp_path: Path, mark: object) -> None:
    words = [Dog(None, 2.0, 0.9, scratched=mark), Dog(None, 2.0, 0.9, scratched="false")]
    found = evaluated(tmp_path, [Race([*PLAIN.dogs, *words])])
    assert found.count("starters", "excluded: scratched") == 1
    assert found.count("starters", "evaluated") == 4


def test_places_may_be_written_as_texts(tmp_path: Path) -> None:
    texts = [Dog("=1", 3.0, 0.4), Dog("1st", 3.0, 0.3), Dog("10th", 3.0, 0.2), Dog("DNF", 3.0, 0.1)]
    found = evaluated(tmp_path, [Race([*texts, Dog("SCR", 2.0, 0.5)])])
    close(found, "top1", 0.5)
    assert found.count("starters", "evaluated") == 4 and found.count("races", "dead heats") == 1


EXCLUDED = {
    "called off": Race(PLAIN.dogs, status="Abandoned"),
    "without starters": Race([]),
    "without a result": Race([Dog(None, 2.0, 0.5), Dog(None, 2.0, 0.5)]),
    "without a winner": Race([Dog(2, 2.0, 0.5), Dog(3, 2.0, 0.5)]),
    "a dog entered twice": Race([Dog(1, 2.0, 0.5, name="x"), Dog(2, 2.0, 0.5, name="x")]),
    "one starter": Race([Dog(1, 1.5, 1.0), Dog(None, 3.0, 0.2, scratched=1)]),
    "without predictions": Race([Dog(1, 2.0), Dog(2, 2.0)]),
    "predictions for some starters only": Race([Dog(1, 2.0, 0.7), Dog(2, 2.0)]),
    "probabilities that are none": Race([Dog(1, 2.0, -0.1), Dog(2, 2.0, 0.5)]),
}


@pytest.mark.parametrize("reason", EXCLUDED)
def test_a_race_that_cannot_be_judged_is_left_out_with_its_reason(tmp_path: Path, reason: str) -> None:
    found = evaluated(tmp_path, [EXCLUDED[reason], PLAIN])
    assert found.count("races", f"excluded: {reason}") == 1
    assert found.count("races", "in the period") == 2 and found.count("races", "evaluated") == 1
    close(found, "race_log_loss", math.log(2))


def test_probabilities_that_are_all_zero_are_none(tmp_path: Path) -> None:
    found = evaluated(tmp_path, [Race([Dog(1, 2.0, 0.0), Dog(2, 2.0, 0.0)]), PLAIN])
    assert found.count("races", "excluded: probabilities that are none") == 1


def test_the_last_prediction_before_the_start_counts(tmp_path: Path) -> None:
    more = [
        Prediction("r0", "a", 0.9, "2025-02-28 09:00:00"),
        Prediction("r0", "a", 0.6, "2025-03-01 09:59:00"),
        Prediction("r0", "a", 0.1, "2025-03-01 10:00:01"),
        Prediction("r0", "b", 0.25, "2025-03-01 09:00:00", id=90),
        Prediction("r0", "b", 0.2, "2025-03-01 09:00:00", id=91),
    ]
    found = evaluated(tmp_path, [PLAIN], more)
    close(found, "race_log_loss", -math.log(0.6))
    assert found.count("predictions", "superseded by a later one") == 4
    assert found.count("predictions", "after the start") == 1


def test_predictions_of_races_and_dogs_that_are_not_there_are_counted(tmp_path: Path) -> None:
    found = evaluated(tmp_path, [PLAIN], [Prediction("nowhere", "a", 0.5), Prediction("r0", "z", 0.5)])
    assert found.count("predictions", "of a race that is not there") == 1
    assert found.count("predictions", "of a dog that is not in the race") == 1
    close(found, "race_log_loss", math.log(2))


def test_without_any_race_to_judge_the_error_says_why(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no race to evaluate") as caught:
        evaluated(tmp_path, [EXCLUDED["without a winner"], EXCLUDED["one starter"]])
    assert "excluded: without a winner: 1" in str(caught.value)
    with pytest.raises(UsageError, match="no race to evaluate"):
        evaluation_of(write(tmp_path / "empty.db", rows_of([])))


def test_the_period_includes_its_first_and_last_day(tmp_path: Path) -> None:
    days = [Race(PLAIN.dogs, date=f"2025-03-0{day}") for day in (1, 2, 3, 4)]
    path = write(tmp_path / "analytics.db", rows_of([*days, Race(PLAIN.dogs, date=None)]))
    assert evaluation_of(path).count("races", "evaluated") == 5
    found = evaluation_of(path, since=dt.date(2025, 3, 2), until=dt.date(2025, 3, 3))
    assert found.count("races", "in the period") == 2


def test_a_frame_of_predictions_takes_the_place_of_the_table(tmp_path: Path) -> None:
    path = write(tmp_path / "analytics.db", rows_of([PLAIN]))
    frame = pd.DataFrame(
        {"race_id": "r0", "dog_clean_name": ["a", "b", "c"], "predicted_probability": [0.2, 0.2, 0.6]}
    )
    close(evaluation_of(path, frame=frame), "race_log_loss", -math.log(0.2))
    assert frame.columns.tolist() == ["race_id", "dog_clean_name", "predicted_probability"]


def test_two_different_predictions_without_an_order_are_refused_and_equal_ones_are_not(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "analytics.db", rows_of([PLAIN]))
    frame = pd.DataFrame(
        {
            "race_id": "r0",
            "dog_clean_name": ["a", "b", "c", "c"],
            "predicted_probability": [0.2, 0.2, 0.6, 0.6],
        }
    )
    close(evaluation_of(path, frame=frame), "top1", 0)
    frame.loc[3, "predicted_probability"] = 0.5
    with pytest.raises(UsageError, match="1 starters have different predictions"):
        evaluation_of(path, frame=frame)
