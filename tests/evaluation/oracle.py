"""The metrics again, slowly and in plain Python, one starter after the other."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

EPSILON = 2.0**-52


@dataclass(frozen=True)
class Runner:
    """A starter of a race that counts: a method's probability, its share of the win, its price."""

    p: float
    win: float
    price: float | None
    group: object = None

    @property
    def step(self) -> int:
        """What chances are compared by: those that differ by less than 1e-12 are equal."""
        return round(self.p * 1e12)


Field = Sequence[Runner]


def clipped(p: float) -> float:
    return min(max(p, EPSILON), 1 - EPSILON)


def picks(race: Field) -> list[float]:
    """How a stake of one is laid on the highest probabilities."""
    top = max(runner.step for runner in race)
    tied = sum(runner.step == top for runner in race)
    return [1 / tied if runner.step == top else 0.0 for runner in race]


def three(race: Field) -> list[float]:
    """How much of the first three places each has; a tie shares the places that it spans."""
    shares = []
    for runner in race:
        above = sum(other.step > runner.step for other in race)
        tied = sum(other.step == runner.step for other in race)
        places = [place for place in range(above, above + tied) if place < 3]
        shares.append(len(places) / tied)
    return shares


def kelly(race: Field) -> list[float]:
    """Stakes as parts of the bankroll: the algorithm of Smoczynski and Tomkins, as they write it."""
    order = sorted(
        (i for i, runner in enumerate(race) if runner.price is not None),
        key=lambda i: -race[i].p * (race[i].price or 0),
    )
    chosen: list[int] = []
    reserve = 1.0
    for i in order:
        if race[i].p * (race[i].price or 0) <= reserve:
            break
        over = 1 - sum(1 / (race[j].price or 1) for j in [*chosen, i])
        if over < 1e-9:  # bets on the whole field at fair odds win nothing
            break
        chosen.append(i)
        reserve = (1 - sum(race[j].p for j in chosen)) / over
    stakes = [0.0] * len(race)
    for i in chosen:
        stakes[i] = race[i].p - reserve / (race[i].price or 1)
    return stakes


def auc(runners: Field) -> float:
    """Every winner against every loser; a dead heat of two is half of each."""
    better = pairs = 0.0
    for one in runners:
        for other in runners:
            weight = one.win * (1 - other.win)
            pairs += weight
            better += weight * ((one.step > other.step) + (one.step == other.step) / 2)
    return better / pairs if pairs else math.nan


def ece(runners: Field, bins: int) -> float:
    gaps: dict[int, float] = defaultdict(float)
    for runner in runners:
        gaps[max(0, math.ceil(Fraction(runner.step * bins, 10**12)) - 1)] += runner.win - runner.p
    return sum(abs(gap) for gap in gaps.values()) / len(runners)


def metrics(races: Sequence[Field], *, fraction: float = 0.25, bins: int = 20) -> dict[str, float]:
    """All metrics but the calibration line."""
    every = [runner for race in races for runner in race]
    sums: dict[str, float] = defaultdict(float)
    for race in races:
        bank = 0.0
        for runner, pick, among, stake in zip(race, picks(race), three(race), kelly(race), strict=True):
            p, win = clipped(runner.p), runner.win
            sums["picked"] += pick * win
            sums["three"] += among * win
            sums["brier"] += (runner.p - win) ** 2
            sums["log"] -= win * math.log(p) + (1 - win) * math.log(clipped(1 - runner.p))
            sums["winner"] -= win * math.log(p)
            if runner.price is not None:
                sums["staked"] += pick
                sums["paid"] += pick * win * runner.price
                sums["kelly"] += stake
                sums["returned"] += stake * win * runner.price
                bank += stake * win * runner.price - stake
        sums["growth"] += math.log(max(EPSILON, 1 + fraction * bank))
    return {
        "top1": sums["picked"] / len(races),
        "top3": sums["three"] / len(races),
        "brier": sums["brier"] / len(every),
        "log_loss": sums["log"] / len(every),
        "race_log_loss": sums["winner"] / len(races),
        "auc": auc(every),
        "ece": ece(every, bins),
        "roi_flat": sums["paid"] / sums["staked"] - 1 if sums["staked"] else math.nan,
        "roi_kelly": sums["returned"] / sums["kelly"] - 1 if sums["kelly"] else math.nan,
        "growth": sums["growth"] / len(races),
    }
