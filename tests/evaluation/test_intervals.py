"""The bootstrap: races are drawn, not starters, and what is taken in one step is what refitting gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from greynb.demo import season
from greynb.demo.write import write_season
from greynb.evaluation import Evaluation
from greynb.evaluation.resampling import interval, resampled
from tests.evaluation.files import Dog, Race, evaluation_of, rows_of, write

RESAMPLES, SEED = 300, 7
NEEDED = """
SELECT f.race, s.probability / total AS p, CASE WHEN place = 1 THEN 1.0 / winners ELSE 0 END AS win
FROM evaluation_starters s JOIN evaluation_fields f USING (race)
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    path = tmp_path_factory.mktemp("season") / "analytics.db"
    write_season(path, season(400, seed=5))
    return evaluation_of(path, resamples=RESAMPLES, seed=SEED)


@pytest.fixture(scope="module")
def starters(tmp_path_factory: pytest.TempPathFactory, found: Evaluation) -> pd.DataFrame:
    """Probability and win of each starter, with its race's place in the order of the resamples."""
    tables = season(400, seed=5).tables
    names = ("race_id", "dog_clean_name")
    dogs = pd.DataFrame(
        {name: tables["dog_race_data"][name] for name in (*names, "finish_position", "was_scratched")}
    ).query("was_scratched == 0")
    given = pd.DataFrame({name: tables["predictions"][name] for name in (*names, "predicted_probability")})
    rows = dogs.merge(given, on=list(names))
    order = found.races.query("method == 'model'")["race_id"].reset_index(drop=True)
    rows["race"] = rows["race_id"].map(pd.Series(order.index, index=order))
    rows = rows.dropna(subset=["race"]).astype({"race": int})
    of = rows.groupby("race")
    won = rows["finish_position"] == 1
    return rows.assign(
        p=rows["predicted_probability"] / of["predicted_probability"].transform("sum"),
        win=won / won.groupby(rows["race"]).transform("sum"),
    )


def weights(races: int) -> NDArray[np.float64]:
    """How often each race was drawn in each resample."""
    return resampled(np.eye(races), RESAMPLES, SEED)


def test_as_many_races_are_drawn_as_there_are_each_equally_often() -> None:
    drawn = resampled(np.eye(50), 4_000, 3)
    assert (drawn.sum(axis=1) == 50).all() and (drawn >= 0).all() and (drawn == drawn.round()).all()
    assert drawn.mean(axis=0) == pytest.approx(np.ones(50), abs=0.08)
    assert drawn.var() == pytest.approx(1 - 1 / 50, abs=0.03)


def test_an_odd_number_of_races_and_many_blocks_are_drawn_as_well() -> None:
    columns = np.c_[np.arange(70_001) % 7, 6 - np.arange(70_001) % 7].astype(float)
    assert (resampled(columns, 150, 1).sum(axis=1) == 6 * 70_001).all()


def test_the_percentiles_leave_out_resamples_without_a_value() -> None:
    values = np.c_[np.arange(100.0), np.where(np.arange(100) < 60, np.nan, 1.0)]
    low, high = interval(values, 10)
    assert (low[0], high[0]) == pytest.approx((2.475, 96.525))
    assert np.isnan(low[1])
    assert np.isnan(interval(values, 1)[0]).all()


def test_the_interval_of_a_share_of_races_is_about_that_of_a_binomial(found: Evaluation) -> None:
    row = found.row("top1")
    spread = 1.96 * np.sqrt(row["value"] * (1 - row["value"]) / row["n"])
    assert row["high"] - row["low"] == pytest.approx(2 * spread, rel=0.15)


def test_dogs_of_one_race_are_drawn_together(tmp_path: Path) -> None:
    """Each race's error is the same, so that no draw of races changes it; a draw of starters would."""
    race = Race([Dog(1, 2.0, 0.7), Dog(2, 4.0, 0.2), Dog(3, 9.0, 0.1)])
    row = evaluation_of(write(tmp_path / "analytics.db", rows_of([race] * 30)), resamples=200).row("brier")
    assert row["low"] == pytest.approx(row["high"], abs=1e-12)


def test_the_auc_of_resamples_is_that_of_scikit_learn_to_a_small_part_of_the_interval(
    found: Evaluation, starters: pd.DataFrame
) -> None:
    drawn = weights(int(found.row("auc")["n"]))
    p, win, race = (starters[name].to_numpy() for name in ("p", "win", "race"))
    label, both = np.r_[np.ones(len(p)), np.zeros(len(p))], np.r_[win, 1 - win]
    exact = [roc_auc_score(label, np.r_[p, p], sample_weight=both * np.r_[w[race], w[race]]) for w in drawn]
    row = found.row("auc")
    width = row["high"] - row["low"]
    assert np.percentile(exact, (2.5, 97.5)) == pytest.approx([row["low"], row["high"]], abs=0.05 * width)


def test_the_line_of_resamples_is_that_of_a_fit_to_a_small_part_of_the_interval(
    found: Evaluation, starters: pd.DataFrame
) -> None:
    drawn = weights(int(found.row("slope")["n"]))
    p, win, race = (starters[name].to_numpy() for name in ("p", "win", "race"))
    logit = np.log(p / (1 - p))
    lines = []
    for w in drawn[:150]:
        label, both = np.r_[np.ones(len(p)), np.zeros(len(p))], np.r_[win, 1 - win] * np.r_[w[race], w[race]]
        fitted = LogisticRegression(C=np.inf, tol=1e-9, solver="newton-cholesky")
        fitted.fit(
            np.r_[logit, logit][both > 0].reshape(-1, 1), label[both > 0], sample_weight=both[both > 0]
        )
        lines.append(fitted.coef_[0, 0])
    row = found.row("slope")
    spread = (row["high"] - row["low"]) / (2 * 1.96)
    assert np.mean(lines) == pytest.approx(row["value"], abs=0.25 * spread)
    assert np.std(lines) == pytest.approx(spread, rel=0.2)
