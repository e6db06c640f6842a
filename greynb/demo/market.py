"""What was believed before the jump: the bookmakers' prices, and a model's predictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from greynb.demo.card import Bools, Card, Floats
from greynb.demo.runners import Field

# Minutes before the jump at which prices were recorded, and how far from the last opinion they were.
SNAPSHOTS: tuple[tuple[int, float], ...] = ((180, 0.40), (60, 0.26), (15, 0.14), (2, 0.05))
LATE = 15  # from this many minutes before the jump, withdrawn dogs have no price any more
MODELS: tuple[str, str] = ("form_model_v3", "form_model_v4")
SWITCHED = np.datetime64("2025-02-01")  # the day the second model replaced the first

_LADDER = np.concatenate(
    [
        np.arange(1.04, 2.0, 0.05),
        np.arange(2.0, 3.0, 0.1),
        np.arange(3.0, 5.0, 0.2),
        np.arange(5.0, 10.0, 0.5),
        np.arange(10.0, 21.0, 1.0),
        [23, 26, 31, 34, 41, 51, 61, 71, 81, 101, 126, 151],
    ]
).round(2)


@dataclass(frozen=True, slots=True)
class Market:
    """Decimal prices, one row per race and one column per box; NaN where there is none.

    Attributes
    ----------
    snapshots
        One array per entry of `SNAPSHOTS`.
    starting
        The starting price; the reciprocals of a race's starting prices sum to about 1.18.
    """

    snapshots: tuple[Floats, ...]
    starting: Floats


def open_market(card: Card, field: Field, abandoned: Bools, rng: np.random.Generator) -> Market:
    """Price all dogs: the market knows most of the truth, shades long shots, and takes its cut."""
    shape = field.dog.shape
    opinion = 0.92 * (field.strength + rng.normal(0, 0.27, shape))
    drift = rng.normal(0, 1, (len(SNAPSHOTS), *shape))
    snapshots = tuple(
        _prices(
            opinion + spread * drift[index:].sum(axis=0) / np.sqrt(len(SNAPSHOTS) - index),
            field.running if minutes <= LATE else field.entered,
            1.2 + spread / 4,
        )
        for index, (minutes, spread) in enumerate(SNAPSHOTS)
    )
    starting = _prices(opinion, field.running, rng.uniform(1.18, 1.25, (len(card), 1)))
    starting[abandoned] = np.nan
    starting[rng.random(shape) < 0.001] = np.nan  # the collector misses a few
    return Market(snapshots, starting)


def predict(card: Card, field: Field, rng: np.random.Generator) -> Floats:
    """Give the model's probabilities: informative, over-confident, made before the scratchings.

    NaN for the one race in fifty that the model did not get to.
    """
    second = card.day[:, None] >= SWITCHED
    error = rng.normal(0, 1, field.dog.shape) * np.where(second, 0.55, 0.85)
    opinion = np.where(second, 0.95, 0.85) * (field.known + error)
    probability = _shares(opinion, field.entered)
    probability[rng.random(len(card)) < 0.02] = np.nan
    return np.asarray(np.round(np.clip(probability, 0.002, 0.95), 4))


def _prices(opinion: Floats, offered: Bools, overround: Floats | float) -> Floats:
    chance = _shares(0.93 * opinion, offered)
    with np.errstate(invalid="ignore", divide="ignore"):
        fair = 1 / (chance * overround)
    step = np.searchsorted(_LADDER, np.nan_to_num(fair, nan=1.0)).clip(0, len(_LADDER) - 1)
    return np.where(offered, _LADDER[step], np.nan)


def _shares(opinion: Floats, among: Bools) -> Floats:
    weight = np.where(among, np.exp(opinion), np.nan)
    return np.asarray(weight / np.nansum(weight, axis=1, keepdims=True))
