"""The collector's way to evaluate: a loop over the races, with three queries for each.

The same rules and the same metrics as `greynb.evaluate`, one race after the other in Python, without
intervals.
"""

from __future__ import annotations

import math
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pandas as pd

RACE = "SELECT race_id, race_status, start_datetime FROM race_metadata WHERE race_id = ?"
STARTERS = """SELECT dog_clean_name, was_scratched, finish_position, starting_price
    FROM dog_race_data WHERE race_id = ?"""
PREDICTIONS = "SELECT dog_clean_name, predicted_probability, timestamp, id FROM predictions WHERE race_id = ?"

EPSILON = 2.0**-52
BINS, KELLY = 20, 0.25
Row = dict[str, Any]
Ask = Callable[[str, str], list[Row]]


def with_pandas(con: sqlite3.Connection) -> Ask:
    """As the collector asks: one `pandas.read_sql_query` after the other."""
    return lambda sql, race: pd.read_sql_query(sql, con, params=(race,)).to_dict("records")


def with_cursor(con: sqlite3.Connection) -> Ask:
    """The leanest way: bare cursors."""

    def ask(sql: str, race: str) -> list[Row]:
        cursor = con.execute(sql, (race,))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    return ask


def evaluate(ask: Ask, races: Sequence[str]) -> dict[tuple[str, str], float]:
    """Give each metric by name and method."""
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    pooled: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for race in races:
        for method, field in chances(ask, race):
            score(field, sums[method])
            pooled[method] += [(p, win) for p, win, _ in field]
    found = {}
    for method, total in sums.items():
        for name, value in {**ratios(total), **pooled_metrics(pooled[method])}.items():
            found[name, method] = value
    return found


def chances(ask: Ask, race: str) -> Iterator[tuple[str, list[tuple[float, float, float | None]]]]:
    """Each method's probability, the share of the win and the price of each starter; of races that count."""
    (about,) = ask(RACE, race)
    ran = [row for row in ask(STARTERS, race) if not row["was_scratched"]]
    last: dict[str, tuple[tuple[str, int], float]] = {}
    for row in ask(PREDICTIONS, race):
        made = (row["timestamp"], row["id"])
        if (
            row["timestamp"] <= about["start_datetime"]
            and made > last.get(row["dog_clean_name"], (("", 0), 0))[0]
        ):
            last[row["dog_clean_name"]] = (made, row["predicted_probability"])
    winners = sum(row["finish_position"] == 1 for row in ran)
    if about["race_status"] == "abandoned" or not winners or len(ran) < 2:
        return
    if any(row["dog_clean_name"] not in last for row in ran):
        return
    given = [last[row["dog_clean_name"]][1] for row in ran]
    prices = [row["starting_price"] if (row["starting_price"] or 0) > 1 else None for row in ran]
    wins = [(row["finish_position"] == 1) / winners for row in ran]
    yield "model", list(zip([p / sum(given) for p in given], wins, prices, strict=True))
    if all(prices):
        book = sum(1 / price for price in prices if price)
        yield (
            "favourite",
            list(zip([1 / price / book for price in prices if price], wins, prices, strict=True)),
        )
    yield "uniform", list(zip([1 / len(ran)] * len(ran), wins, prices, strict=True))


def score(field: list[tuple[float, float, float | None]], sums: dict[str, float]) -> None:
    """Add one race to the sums."""
    steps = [round(p * 1e12) for p, _, _ in field]
    stakes, bank = kelly(field), 0.0
    sums["races"] += 1
    for (p, win, price), step, stake in zip(field, steps, stakes, strict=True):
        above, tied = sum(other > step for other in steps), steps.count(step)
        pick = 1 / tied if not above else 0.0
        sums["picked"] += pick * win
        sums["three"] += max(0, min(1, (min(3, len(steps)) - above) / tied)) * win
        sums["starters"] += 1
        sums["squared"] += (p - win) ** 2
        sums["surprise"] -= win * math.log(max(p, EPSILON)) + (1 - win) * math.log(max(1 - p, EPSILON))
        sums["winner"] -= win * math.log(max(p, EPSILON))
        if price:
            sums["staked"] += pick
            sums["paid"] += pick * win * price
            sums["kelly"] += stake
            sums["kelly_paid"] += stake * win * price
            bank += stake * win * price - stake
    sums["growth"] += math.log(max(EPSILON, 1 + KELLY * bank))


def kelly(field: list[tuple[float, float, float | None]]) -> list[float]:
    """Stakes on the dogs of one race (Smoczynski and Tomkins 2010)."""
    reserve, backed, book = 1.0, 0.0, 0.0
    for p, _, price in sorted(
        (each for each in field if each[2]), key=lambda each: -each[0] * (each[2] or 0)
    ):
        assert price is not None
        if p * price <= reserve or book + 1 / price > 1 - 1e-9:
            break
        backed, book = backed + p, book + 1 / price
        reserve = (1 - backed) / (1 - book)
    return [max(0.0, p - reserve / price) if price and book else 0.0 for p, _, price in field]


def ratios(sums: dict[str, float]) -> dict[str, float]:
    """The metrics that are ratios of sums."""
    return {
        "top1": sums["picked"] / sums["races"],
        "top3": sums["three"] / sums["races"],
        "brier": sums["squared"] / sums["starters"],
        "log_loss": sums["surprise"] / sums["starters"],
        "race_log_loss": sums["winner"] / sums["races"],
        "roi_flat": sums["paid"] / sums["staked"] - 1,
        "roi_kelly": sums["kelly_paid"] / sums["kelly"] - 1 if sums["kelly"] else math.nan,
        "growth": sums["growth"] / sums["races"],
    }


def pooled_metrics(starters: list[tuple[float, float]]) -> dict[str, float]:
    """The metrics over all starters."""
    ordered = sorted((round(p * 1e12), win) for p, win in starters)
    area = below = 0.0
    gaps: dict[int, float] = defaultdict(float)
    at = 0
    while at < len(ordered):
        end = at
        while end < len(ordered) and ordered[end][0] == ordered[at][0]:
            end += 1
        won = sum(win for _, win in ordered[at:end])
        lost = end - at - won
        area += won * (below + lost / 2)
        below += lost
        gaps[max(0, (ordered[at][0] * BINS - 1) // 10**12)] += won - (end - at) * ordered[at][0] / 1e12
        at = end
    won = sum(win for _, win in starters)
    intercept, slope = line(starters)
    ece = sum(abs(gap) for gap in gaps.values()) / len(starters)
    return {"auc": area / (won * (len(starters) - won)), "ece": ece, "slope": slope, "intercept": intercept}


def line(starters: list[tuple[float, float]]) -> tuple[float, float]:
    """The calibration line by Newton's method."""
    logits = [(math.log(max(p, EPSILON)) - math.log(max(1 - p, EPSILON)), win) for p, win in starters]
    a, b = 0.0, 1.0
    for _ in range(25):
        down = across = first = mixed = second = 0.0
        for x, win in logits:
            chance = 1 / (1 + math.exp(-(a + b * x)))
            spread = chance * (1 - chance)
            down, across = down + win - chance, across + (win - chance) * x
            first, mixed, second = first + spread, mixed + spread * x, second + spread * x * x
        determinant = first * second - mixed * mixed
        step = (second * down - mixed * across) / determinant, (first * across - mixed * down) / determinant
        a, b = a + step[0], b + step[1]
        if max(map(abs, step)) < 1e-12:
            break
    return a, b
