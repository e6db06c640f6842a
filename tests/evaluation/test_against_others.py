"""The metrics beside scikit-learn's, and beside the slow ones in plain Python, on the same data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    brier_score_loss,
    log_loss,
    mean_squared_error,
    roc_auc_score,
    top_k_accuracy_score,
)

from greynb.demo import season
from greynb.demo.write import write_season
from greynb.evaluation import Evaluation
from tests.evaluation import oracle
from tests.evaluation.files import Dog, Race, Rows, evaluation_of, rows_of, write

RACES = 150


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("season") / "analytics.db"
    write_season(path, season(RACES, seed=3))
    return path


@pytest.fixture(scope="module")
def found(path: Path) -> Evaluation:
    return evaluation_of(path, by="box")


@cache
def starters() -> pd.DataFrame:
    """The starters of the season's races that count, chosen with pandas."""
    tables = {
        name: pd.DataFrame({key: _column(values) for key, values in columns.items()})
        for name, columns in season(RACES, seed=3).tables.items()
    }
    ran = tables["dog_race_data"].query("was_scratched == 0")
    known = tables["predictions"][["race_id", "dog_clean_name", "predicted_probability"]]
    rows = ran.merge(known, how="left", on=["race_id", "dog_clean_name"])
    races = rows.groupby("race_id")
    whole = races["predicted_probability"].transform(lambda p: p.notna().all())
    won = races["finish_position"].transform(lambda place: (place == 1).sum())
    rows = rows[whole & (won > 0)].assign(winners=won)
    races = rows.groupby("race_id")
    price = rows["starting_price"]
    priced = races["starting_price"].transform(lambda each: each.notna().all())
    return rows.assign(
        win=(rows["finish_position"] == 1) / rows["winners"],
        model=rows["predicted_probability"] / races["predicted_probability"].transform("sum"),
        favourite=(1 / price).where(priced) / (1 / price).groupby(rows["race_id"]).transform("sum"),
        uniform=1 / races["race_id"].transform("size"),
    )


def _column(values: Any) -> Any:
    return values if isinstance(values, np.ndarray) else pd.Series(values, dtype=object)


def of(method: str) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Labels, probabilities and weights; a dead heat's dogs are there as winner and as loser, weighted."""
    rows = starters().dropna(subset=[method])
    win, p = rows["win"].to_numpy(), rows[method].to_numpy()
    label = np.r_[np.ones(len(p)), np.zeros(len(p))]
    weight = np.r_[win, 1 - win]
    return label[weight > 0], np.r_[p, p][weight > 0], weight[weight > 0]


@pytest.mark.parametrize("method", ["model", "favourite", "uniform"])
def test_scores_are_those_of_scikit_learn(found: Evaluation, method: str) -> None:
    label, p, weight = of(method)
    assert found.value("log_loss", method) == pytest.approx(
        log_loss(label, p, sample_weight=weight), abs=1e-9
    )
    assert found.value("auc", method) == pytest.approx(
        roc_auc_score(label, p.round(12), sample_weight=weight), abs=1e-9
    )
    rows = starters().dropna(subset=[method])
    assert found.value("brier", method) == pytest.approx(
        mean_squared_error(rows["win"], rows[method]), abs=1e-9
    )
    single = rows[rows["winners"] == 1]
    assert brier_score_loss(single["win"], single[method]) == pytest.approx(
        mean_squared_error(single["win"], single[method]), abs=1e-12
    )


@pytest.mark.parametrize("method", ["model", "favourite"])
def test_the_calibration_line_is_that_of_scikit_learn(found: Evaluation, method: str) -> None:
    label, p, weight = of(method)
    logit = np.log(p / (1 - p)).reshape(-1, 1)
    fitted = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000, solver="newton-cholesky")
    fitted.fit(logit, label, sample_weight=weight)
    assert found.value("slope", method) == pytest.approx(fitted.coef_[0, 0], abs=1e-9)
    assert found.value("intercept", method) == pytest.approx(fitted.intercept_[0], abs=1e-9)


@pytest.mark.parametrize("method", ["model", "favourite"])
def test_the_reliability_bins_are_those_of_scikit_learn(found: Evaluation, method: str) -> None:
    rows = starters().dropna(subset=[method])
    rows = rows[rows["winners"] == 1]  # it takes no half wins
    won, predicted = calibration_curve(rows["win"], rows[method], n_bins=20)
    heats = starters().dropna(subset=[method])
    heats = heats[heats["winners"] > 1]
    bins = found.bins.query("method == @method").set_index("bin")
    touched = set(np.ceil(heats[method] * 20).astype(int) - 1)
    ours = bins.loc[[number not in touched for number in bins.index]]
    theirs = {math.ceil(p * 20) - 1: (w, p) for w, p in zip(won, predicted, strict=True)}
    assert len(ours) >= 4
    for number, row in ours.iterrows():
        assert (row["won"], row["predicted"]) == pytest.approx(theirs[number], abs=1e-9)


def test_the_expected_calibration_error_is_made_of_the_bins(found: Evaluation) -> None:
    bins = found.bins.query("method == 'model'")
    gap = (bins["won"] - bins["predicted"]).abs()
    assert found.value("ece") == pytest.approx(float(np.average(gap, weights=bins["n"])), abs=1e-12)


@pytest.mark.parametrize(("metric", "k"), [("top1", 1), ("top3", 3)])
def test_accuracy_is_that_of_scikit_learn_without_ties(found: Evaluation, metric: str, k: int) -> None:
    rows = starters()
    races = [group for _, group in rows.groupby("race_id") if (group["winners"] == 1).all()]
    untied = [group for group in races if group["model"].nlargest(k + 1).is_unique and len(group) == 8]
    labels = [int(group["win"].to_numpy().argmax()) for group in untied]
    theirs = top_k_accuracy_score(
        labels, np.stack([group["model"] for group in untied]), k=k, labels=range(8)
    )
    field = oracle.metrics([_field(group, "model") for group in untied])
    assert len(untied) > 20 and field[metric] == pytest.approx(theirs, abs=1e-12)
    every = oracle.metrics([_field(group, "model") for _, group in rows.groupby("race_id")])
    assert found.value(metric) == pytest.approx(every[metric], abs=1e-12)


def _field(rows: pd.DataFrame, method: str) -> list[oracle.Runner]:
    return [
        oracle.Runner(p, win, None if math.isnan(price) else price, box)
        for p, win, price, box in zip(
            rows[method], rows["win"], rows["starting_price"], rows["box_number"], strict=True
        )
    ]


@pytest.mark.parametrize("method", ["model", "favourite", "uniform"])
def test_a_season_gives_what_plain_python_gives(found: Evaluation, method: str) -> None:
    rows = starters().dropna(subset=[method])
    expected = oracle.metrics([_field(group, method) for _, group in rows.groupby("race_id")])
    for metric, value in expected.items():
        assert found.value(metric, method) == pytest.approx(value, abs=1e-10, nan_ok=True), metric


@pytest.mark.parametrize("box", [1, 8])
def test_a_group_of_starters_is_what_plain_python_gives(found: Evaluation, box: int) -> None:
    fields = [_field(group, "model") for _, group in starters().groupby("race_id")]
    own = [
        (r, pick)
        for race in fields
        for r, pick in zip(race, oracle.picks(race), strict=True)
        if r.group == box
    ]
    among = [
        (r, s) for race in fields for r, s in zip(race, oracle.three(race), strict=True) if r.group == box
    ]
    expected = {
        "top1": sum(pick * r.win for r, pick in own) / sum(pick for _, pick in own),
        "top3": sum(share * r.win for r, share in among) / sum(r.win for r, _ in among),
        "brier": sum((r.p - r.win) ** 2 for r, _ in own) / len(own),
        "auc": oracle.auc([r for r, _ in own]),
    }
    assert found.groups is not None
    rows = found.groups.query("group == @box and method == 'model'").set_index("metric")
    for metric, value in expected.items():
        assert rows.loc[metric, "value"] == pytest.approx(value, abs=1e-10), metric


# Few different numbers, so that ties, dead heats, missing prices and lost probabilities are common.
DOGS = st.builds(
    Dog,
    place=st.sampled_from([1, 1, 2, 3, 4, None]),
    price=st.sampled_from([1.5, 2.0, 3.0, 4.5, 8.0, 21.0, None]),
    p=st.sampled_from([0.0, 0.1, 0.1, 0.2, 0.35, 0.5, 1.0]),
    scratched=st.sampled_from([0, 0, 0, 1]),
)
FIELDS = st.lists(st.builds(Race, st.lists(DOGS, min_size=2, max_size=6)), min_size=1, max_size=8)
# An example takes a third of a second: enough of them, and no search for the smallest that fails.
FEW = settings(max_examples=15, phases=[Phase.reuse, Phase.generate])


def counted(races: Sequence[Race], method: str) -> list[list[oracle.Runner]]:
    """The races that count with a method's probabilities, chosen in plain Python."""
    fields: list[list[oracle.Runner]] = []
    for race in races:
        ran = [dog for dog in race.dogs if not dog.scratched]
        winners, total = sum(dog.place == 1 for dog in ran), sum(dog.p for dog in ran)
        book = sum(1 / dog.price for dog in ran) if all(dog.price for dog in ran) else None
        if not winners or len(ran) < 2 or not total or (method == "favourite" and not book):
            continue
        chances = {
            "model": [dog.p / total for dog in ran],
            "favourite": [1 / dog.price / book for dog in ran] if book else [],
            "uniform": [1 / len(ran) for _ in ran],
        }[method]
        wins = [(dog.place == 1) / winners for dog in ran]
        fields.append(
            [oracle.Runner(*each) for each in zip(chances, wins, (d.price for d in ran), strict=True)]
        )
    return fields


@FEW
@given(races=FIELDS)
def test_any_races_give_what_plain_python_gives(
    tmp_path_factory: pytest.TempPathFactory, races: list[Race]
) -> None:
    if not counted(races, "model"):
        return
    path = write(tmp_path_factory.mktemp("any") / "analytics.db", rows_of(races))
    found = evaluation_of(path)
    for method in ("model", "favourite", "uniform"):
        fields = counted(races, method)
        if fields:
            for metric, value in oracle.metrics(fields).items():
                assert found.value(metric, method) == pytest.approx(value, abs=1e-9, nan_ok=True), metric


@FEW
@given(races=FIELDS, data=st.data())
def test_the_order_of_the_rows_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, races: list[Race], data: st.DataObject
) -> None:
    if not counted(races, "model"):
        return
    folder, rows = tmp_path_factory.mktemp("order"), rows_of(races)
    mixed = Rows(
        rows.races,
        data.draw(st.permutations(rows.dogs)),
        data.draw(st.permutations(rows.predictions)),
    )
    one, other = (
        evaluation_of(write(folder / f"{name}.db", each)) for name, each in (("one", rows), ("other", mixed))
    )
    pd.testing.assert_frame_equal(one.table, other.table, atol=1e-12, check_exact=False)
    pd.testing.assert_frame_equal(one.counts, other.counts)


@settings(max_examples=120)
@given(
    st.lists(
        st.tuples(st.floats(0.001, 1), st.one_of(st.none(), st.floats(1.05, 40))), min_size=2, max_size=7
    )
)
def test_the_plain_kelly_stakes_cannot_be_bettered(dogs: list[tuple[float, float | None]]) -> None:
    """The reference that the SQL is held against: no small change of a stake raises the expected growth."""
    total = sum(p for p, _ in dogs)
    race = [oracle.Runner(p / total, 0, price) for p, price in dogs]
    stakes = oracle.kelly(race)
    if sum(1 / price for _, price in dogs if price) < 1 or sum(stakes) > 0.999:
        return  # a sure gain: growth has no bound on the side of ruin

    def growth(changed: list[float]) -> float:
        left = 1 - sum(changed)
        return sum(
            r.p * math.log(left + stake * (r.price or 0)) for r, stake in zip(race, changed, strict=True)
        )

    best = growth(stakes)
    for number, runner in enumerate(race):
        for step in (1e-4, -1e-4):
            changed = list(stakes)
            changed[number] += step
            if runner.price and changed[number] >= 0 and sum(changed) < 1:
                assert growth(changed) <= best + 1e-12
