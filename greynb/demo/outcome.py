"""How the races end: finishing order, dead heats, dogs that do not finish, times and margins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from greynb.demo.card import Bools, Card, Floats
from greynb.demo.runners import Dogs, Field

LENGTH = 0.07  # seconds that one length is worth, the usual convention of Australian tracks
_DEAD_HEATS = 0.004
_NOT_FINISHED = 0.005
_ABANDONED = 0.003


@dataclass(frozen=True, slots=True)
class Outcome:
    """Results: one row per race, one column per box; NaN where a dog has none.

    Attributes
    ----------
    abandoned
        Per race: whether it was called off after betting had opened.
    position
        1 for the winner; dogs of a dead heat share the better number, the next one is left out.
    time, sectional
        Seconds to the line and to the first mark.
    margin
        Lengths behind the winner; for the winner, lengths before the second.
    weight
        Kilograms on the day.
    """

    abandoned: Bools
    position: Floats
    time: Floats
    sectional: Floats
    margin: Floats
    weight: Floats


def run_races(card: Card, dogs: Dogs, field: Field, rng: np.random.Generator) -> Outcome:
    """Run every race once.

    A dog's performance is its strength plus Gumbel noise, which makes the chance to win exactly
    proportional to ``exp(strength)``.
    """
    shape = field.dog.shape
    abandoned = rng.random(len(card)) < _ABANDONED
    finishing = field.running & (rng.random(shape) >= _NOT_FINISHED) & ~abandoned[:, None]
    performance = np.where(finishing, field.strength + rng.gumbel(size=shape), -np.inf)
    performance = _with_dead_heats(performance)
    ahead = performance[:, None, :] > performance[:, :, None]
    position = np.where(finishing, ahead.sum(axis=2) + 1.0, np.nan)
    time = np.round(_times(card, performance, rng), 2)
    second = np.nanmin(np.where(position > 1, time, np.inf), axis=1, keepdims=True)
    winner = np.nanmin(np.where(position == 1, time, np.inf), axis=1, keepdims=True)
    heats = (position == 1).sum(axis=1, keepdims=True) > 1
    with np.errstate(invalid="ignore"):
        behind = np.where(position == 1, np.where(heats, 0.0, second - winner), time - winner)
    margin = np.where(np.isfinite(behind), np.round(behind / LENGTH * 4) / 4, np.nan)
    weight = np.round(dogs.weight[field.dog] + rng.normal(0, 0.25, shape), 1)
    return Outcome(
        abandoned,
        position,
        np.where(finishing, time, np.nan),
        np.where(finishing, _sectionals(card, dogs, field, performance, rng), np.nan),
        margin,
        np.where(field.running, weight, np.nan),
    )


def _with_dead_heats(performance: Floats) -> Floats:
    """Turn the closest finishes of the season into dead heats."""
    order = np.argsort(-performance, axis=1)
    best = np.take_along_axis(performance, order[:, :2], axis=1)
    with np.errstate(invalid="ignore"):
        gap = np.nan_to_num(best[:, 0] - best[:, 1], nan=np.inf)
    races = np.argsort(gap, kind="stable")[: max(1, round(len(gap) * _DEAD_HEATS))]
    races = races[np.isfinite(gap[races])]
    performance[races, order[races, 1]] = best[races, 0]
    return performance


def _times(card: Card, performance: Floats, rng: np.random.Generator) -> Floats:
    going = rng.normal(0, 0.006, int(card.meeting[-1]) + 1)[card.meeting]
    seconds_a_unit = 0.0072 * card.par
    usual_winner = 2.6
    pace = (usual_winner - performance) * seconds_a_unit[:, None]
    return np.asarray((card.par * (1 + going))[:, None] + pace)


def _sectionals(
    card: Card, dogs: Dogs, field: Field, performance: Floats, rng: np.random.Generator
) -> Floats:
    mark = 2.2 + (card.metres * 7 % 100) / 100 * 7.0
    ran = np.where(np.isfinite(performance), performance, 0.0)
    noise = rng.normal(0, 0.05, field.dog.shape)
    seconds = mark[:, None] * (1 - 0.006 * dogs.early[field.dog] - 0.004 * ran) + noise
    return np.asarray(np.round(seconds, 2))
