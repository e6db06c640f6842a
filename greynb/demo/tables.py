"""The season as columns of the collector's tables: races, starters, prices and predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from greynb.demo.card import Bools, Floats, Ints, Times
from greynb.demo.market import MODELS, SNAPSHOTS, SWITCHED
from greynb.demo.places import GRADES, VENUES
from greynb.demo.reference import Columns, reference_tables
from greynb.demo.starters import Starters
from greynb.demo.world import World

_LIVE_DAYS = 7
_MADE_AT = np.timedelta64(8 * 60 + 15, "m")  # after midnight; before any scratching is known
_BACKUP_ROWS = 2_000
_SMALL_MARGINS = {0.25: "NK", 0.0: "DH"}


def collector_tables(world: World, starters: Starters, rng: np.random.Generator) -> dict[str, Columns]:
    """Give all tables of `greynb.demo.schema`, except those that only ingestion fills."""
    tables = reference_tables(world, starters, rng)
    weather = tables["weather_data"]
    tables["race_metadata"] = _races(world, starters, weather)
    tables["dog_race_data"] = _entries(world, starters)
    tables["odds_history"] = _odds_history(world, starters)
    tables["live_odds"] = _live_odds(world, starters)
    tables["predictions"] = _predictions(world, starters)
    tables |= _backups(tables)
    return tables


def stamps(times: Times, separator: str = " ") -> list[str]:
    """Write times to the second, as SQLite's own functions do."""
    text = np.datetime_as_string(times.astype("datetime64[s]"))
    return [item.replace("T", separator) for item in text.tolist()]


def pick(texts: Sequence[str], index: Ints) -> list[str]:
    """Give ``texts[i]`` for each of the indexes."""
    return [texts[i] for i in index.tolist()]


def _races(world: World, starters: Starters, weather: Columns) -> Columns:
    card, field, outcome = world.card, world.field, world.outcome
    running, scratched = field.running.sum(axis=1), field.scratched.sum(axis=1)
    grade = np.minimum((field.grade_level * len(GRADES)).astype(np.int64), len(GRADES) - 1)
    winner = np.argmax(np.nan_to_num(outcome.position, nan=99.0) == 1, axis=1)
    at_winner = (np.arange(len(card)), winner)
    run = ~outcome.abandoned
    codes = [VENUES[i].code for i in card.venue.tolist()]
    prize = np.round(1500 + 9000 * field.grade_level**3, -1)
    winner_names = pick(starters.names, field.dog[at_winner])
    return {
        "id": np.arange(1, len(card) + 1),
        "race_id": starters.race_ids,
        "venue": codes,
        "race_number": card.number,
        "race_date": card.day.astype(str).tolist(),
        "race_name": [f"{VENUES[v].name} {GRADES[g]}" for v, g in zip(card.venue, grade, strict=True)],
        "grade": pick(GRADES, grade),
        "distance": [f"{metres}m" for metres in card.metres.tolist()],
        "track_condition": ["Slow" if rain > 2 else "Good" for rain in _rain(weather, card.meeting)],
        "weather": [weather["condition"][m] for m in card.meeting.tolist()],
        "temperature": np.asarray(weather["temperature"])[card.meeting],
        "humidity": np.asarray(weather["humidity"])[card.meeting],
        "prize_money_total": prize,
        "race_time": stamps(card.start, " "),
        "field_size": field.entered.sum(axis=1),
        "extraction_timestamp": stamps(card.start + np.timedelta64(47, "m")),
        "data_source": ["fasttrack"] * len(card),
        "winner_name": [name if ok else None for name, ok in zip(winner_names, run, strict=True)],
        "winner_odds": np.where(run, world.market.starting[at_winner], np.nan),
        "winner_margin": np.where(run, outcome.margin[at_winner], np.nan),
        "race_status": np.where(run, "completed", "abandoned").tolist(),
        "actual_field_size": running,
        "scratched_count": scratched,
        "scratch_rate": np.round(scratched / (running + scratched), 4),
        "weather_condition": [weather["condition"][m] for m in card.meeting.tolist()],
        "venue_slug": [VENUES[i].name.lower().replace(" ", "-") for i in card.venue.tolist()],
        "start_datetime": stamps(card.start),
    }


def _rain(weather: Columns, meeting: Ints) -> list[float]:
    rain: Floats = np.asarray(weather["precipitation"], dtype=np.float64)
    return [float(millimetres) for millimetres in rain[meeting]]


def _entries(world: World, starters: Starters) -> Columns:
    card, outcome, market = world.card, world.outcome, world.market
    at = (starters.race, starters.column)
    scratched, position = world.field.scratched[at], outcome.position[at]
    names = pick(starters.names, starters.dog)
    trainers = pick(starters.trainers, world.dogs.trainer[starters.dog])
    early = world.dogs.early[starters.dog]
    winner_time = np.nanmin(np.where(np.isnan(outcome.time), np.inf, outcome.time), axis=1)[starters.race]
    last = market.snapshots[-1][at]
    ended = ["SCR" if out else _mark(place) for out, place in zip(scratched, position.tolist(), strict=True)]
    return {
        "id": np.arange(1, len(names) + 1),
        "race_id": pick(starters.race_ids, starters.race),
        "dog_name": names,
        "dog_clean_name": pick(starters.clean_names, starters.dog),
        "dog_id": starters.dog + 1,
        "box_number": starters.column + 1,
        "trainer_name": trainers,
        "trainer_id": world.dogs.trainer[starters.dog] + 1,
        "weight": outcome.weight[at],
        "running_style": np.select([early > 0.6, early < -0.6], ["Leader", "Closer"], "Midfield").tolist(),
        "odds_decimal": last,
        "starting_price": market.starting[at],
        "individual_time": _decimals(outcome.time[at]),
        "sectional_1st": _decimals(outcome.sectional[at]),
        "margin": [_SMALL_MARGINS.get(m, f"{m:g}") if m == m else None for m in outcome.margin[at].tolist()],
        "beaten_margin": np.where(position > 1, outcome.margin[at], np.nan),
        "was_scratched": scratched.astype(np.int64),
        "extraction_timestamp": stamps((card.start + np.timedelta64(47, "m"))[starters.race], "T"),
        "data_source": ["fasttrack"] * len(names),
        "recent_form": [form or None for form in starters.recent],
        "scraped_trainer_name": trainers,
        "scraped_finish_position": ended,
        "best_time": starters.best,
        "data_quality_note": ["late scratching" if out else None for out in scratched],
        "finish_position": position,
        "odds": [f"${price:g}" if price == price else None for price in last.tolist()],
        "trainer": trainers,
        "winning_time": _decimals(np.where(np.isfinite(winner_time), winner_time, np.nan)),
        "placing": position,
        "form": [form or None for form in starters.recent],
    }


def _mark(place: float) -> str | None:
    return f"{place:.0f}" if place == place else None


def _decimals(values: Floats) -> list[str | None]:
    return [f"{value:.2f}" if value == value else None for value in values.tolist()]


def _odds_history(world: World, starters: Starters) -> Columns:
    at = (starters.race, starters.column)
    prices = np.stack([snapshot[at] for snapshot in world.market.snapshots], axis=1)
    change = np.diff(prices, axis=1, prepend=np.nan)
    minutes = np.array([before for before, _ in SNAPSHOTS])
    when = world.card.start[starters.race][:, None] - minutes.astype("timedelta64[m]")
    row, step = np.nonzero(~np.isnan(prices))
    return {
        "id": np.arange(1, len(row) + 1),
        "race_id": pick(starters.race_ids, starters.race[row]),
        "dog_clean_name": pick(starters.clean_names, starters.dog[row]),
        "odds_decimal": prices[row, step],
        "odds_change": np.round(change[row, step], 2),
        "timestamp": stamps(when[row, step]),
        "source": ["sportsbet"] * len(row),
    }


def _live_odds(world: World, starters: Starters) -> Columns:
    """Give the last prices of the last days only: the collector clears the older ones."""
    card = world.card
    live = card.day[starters.race] > card.day[-1] - np.timedelta64(_LIVE_DAYS, "D")
    price = world.market.snapshots[-1][starters.race, starters.column]
    live &= ~np.isnan(price)
    race, dog = starters.race[live], starters.dog[live]
    return {
        "id": np.arange(1, len(race) + 1),
        "race_id": pick(starters.race_ids, race),
        "venue": [VENUES[v].code for v in card.venue[race].tolist()],
        "race_number": card.number[race],
        "race_date": card.day[race].astype(str).tolist(),
        "race_time": [stamp[11:16] for stamp in stamps(card.start[race])],
        "dog_name": pick(starters.names, dog),
        "dog_clean_name": pick(starters.clean_names, dog),
        "box_number": starters.column[live] + 1,
        "odds_decimal": price[live],
        "market_type": ["win"] * len(race),
        "source": ["sportsbet"] * len(race),
        "timestamp": stamps(card.start[race] - np.timedelta64(SNAPSHOTS[-1][0], "m")),
        "is_current": np.ones(len(race), dtype=np.int64),
    }


def _predictions(world: World, starters: Starters) -> Columns:
    probability = world.predicted[starters.race, starters.column]
    made: Bools = ~np.isnan(probability)
    race, chance = starters.race[made], probability[made]
    day = world.card.day[race]
    made_at: Times = np.asarray(world.card.day[race] + _MADE_AT, dtype="datetime64[m]")
    level: NDArray[np.str_] = np.select([chance >= 0.4, chance >= 0.2], ["high", "medium"], "low")
    return {
        "id": np.arange(1, len(race) + 1),
        "race_id": pick(starters.race_ids, race),
        "dog_clean_name": pick(starters.clean_names, starters.dog[made]),
        "predicted_probability": chance,
        "confidence_level": level.tolist(),
        "prediction_source": np.where(day >= SWITCHED, MODELS[1], MODELS[0]).tolist(),
        "timestamp": stamps(made_at),
    }


def _backups(tables: dict[str, Columns]) -> dict[str, Columns]:
    """Keep the copies that the collector's clean-up scripts leave behind."""
    newer = {"odds", "trainer", "winning_time", "placing", "form"}
    entries = {name: c[:_BACKUP_ROWS] for name, c in tables["dog_race_data"].items() if name not in newer}
    entries["finish_position"] = entries["scraped_finish_position"]
    races = tables["race_metadata"]
    kept = ("race_id", "track_condition", "weather", "extraction_timestamp")
    return {
        "dog_race_data_backup": entries,
        "track_condition_backup_20250724_185411": {name: races[name][:_BACKUP_ROWS] for name in kept},
    }
