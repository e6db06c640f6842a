"""The tables around the races: dogs, trainers, venues, track conditions and weather."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from greynb.demo.card import Floats
from greynb.demo.places import VENUES
from greynb.demo.starters import Starters
from greynb.demo.world import World

Columns = dict[str, NDArray[np.generic] | Sequence[object]]

_COLOURS = ("Black", "Blue", "Brindle", "Fawn", "White & Black", "Red Fawn", "Blue Brindle")
_CREATED = "2024-07-01 06:00:00"
_WINDS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


def reference_tables(world: World, starters: Starters, rng: np.random.Generator) -> dict[str, Columns]:
    """Give the tables that are not about single races or starts."""
    weather = _weather(world, rng)
    return {
        "alembic_version": {"version_num": ["7c1f0b2a94de"]},
        "venue_mappings": _venues(),
        "weather_data": weather,
        "track_conditions": _track_conditions(weather, rng),
        "dogs": _dogs(world, starters, rng),
        "trainers": _trainers(world, starters),
    }


def _venues() -> Columns:
    return {
        "id": np.arange(1, len(VENUES) + 1),
        "venue_key": [venue.code for venue in VENUES],
        "official_name": [venue.name for venue in VENUES],
        "venue_codes": [f'["{venue.code}"]' for venue in VENUES],
        "track_codes": [f'["{venue.track}"]' for venue in VENUES],
        "location": [venue.region for venue in VENUES],
        "active": np.ones(len(VENUES), dtype=np.int64),
        "created_at": [_CREATED] * len(VENUES),
    }


def _weather(world: World, rng: np.random.Generator) -> Columns:
    """Give one row per meeting. As in real files, some numbers are empty texts."""
    _, first = np.unique(world.card.meeting, return_index=True)
    day, venue, count = world.card.day[first], world.card.venue[first], len(first)
    season = np.cos(2 * np.pi * (day - np.datetime64("2025-01-20")).astype(np.int64) / 365)
    rain = np.round(np.where(rng.random(count) < 0.22, rng.gamma(1.2, 4.0, count), 0.0), 1)
    cloudy = rng.random(count) < 0.4
    wind = np.round(rng.gamma(3.0, 4.5, count), 1)
    return {
        "id": np.arange(1, count + 1),
        "venue_code": [VENUES[i].code for i in venue.tolist()],
        "race_date": day.astype(str).tolist(),
        "race_time": [f"{d} 12:00:00" for d in day.astype(str).tolist()],
        "temperature": np.round(18 + 7 * season + rng.normal(0, 3.5, count), 1),
        "humidity": np.round(np.clip(62 - 9 * season + rng.normal(0, 12, count), 12, 100)),
        "wind_speed": ["" if rng.random() < 0.01 else speed for speed in wind.tolist()],
        "wind_direction": [_WINDS[i] for i in rng.integers(0, len(_WINDS), count).tolist()],
        "pressure": np.round(rng.normal(1016, 6, count), 1),
        "condition": np.select([rain > 0, cloudy], ["Rain", "Cloudy"], "Fine").tolist(),
        "precipitation": rain,
        "data_source": ["bom"] * count,
        "collection_timestamp": [f"{d} 11:42:00" for d in day.astype(str).tolist()],
        "confidence": np.round(rng.uniform(0.7, 1.0, count), 2),
    }


def _track_conditions(weather: Columns, rng: np.random.Generator) -> Columns:
    """Give one row per meeting. A few dates are written the Australian way, as some sources do."""
    dates = [str(date) for date in weather["race_date"]]
    wet = np.asarray(weather["precipitation"], dtype=float) > 2
    slashed = rng.random(len(dates)) < 0.004
    slashed[0] = True
    return {
        "id": np.arange(1, len(dates) + 1),
        "venue": weather["venue_code"],
        "date": [_slashes(date) if odd else date for date, odd in zip(dates, slashed, strict=True)],
        "condition": np.where(wet, "Slow", "Good").tolist(),
        "track_rating": np.round(rng.normal(80, 6, len(dates)) - 15 * wet, 1),
        "weather_conditions": weather["condition"],
        "temperature": weather["temperature"],
        "humidity": weather["humidity"],
        "extraction_timestamp": [f"{date} 10:15:00" for date in dates],
    }


def _slashes(date: str) -> str:
    year, month, day = date.split("-")
    return f"{day}/{month}/{year}"


def _dogs(world: World, starters: Starters, rng: np.random.Generator) -> Columns:
    dogs, count = world.dogs, len(world.dogs)
    ran = world.field.running[starters.race, starters.column] & ~world.outcome.abandoned[starters.race]
    dog, race = starters.dog[ran], starters.race[ran]
    position = world.outcome.position[race, starters.column[ran]]
    time = world.outcome.time[race, starters.column[ran]]
    best: Floats = np.full(count, np.inf)
    np.fmin.at(best, dog, time)
    last = np.full(count, np.datetime64("NaT"), dtype=world.card.day.dtype)
    last[dog] = world.card.day[race]  # races are in order of days, so the last one stays
    runs = np.bincount(dog, minlength=count)
    finished = np.bincount(dog[position > 0], minlength=count)
    summed = np.bincount(dog, np.nan_to_num(position), minlength=count)
    return {
        "dog_id": np.arange(1, count + 1),
        "dog_name": starters.names,
        "total_races": runs,
        "total_wins": np.bincount(dog[position == 1], minlength=count),
        "total_places": np.bincount(dog[position <= 3], minlength=count),
        "best_time": np.where(np.isfinite(best), best, np.nan),
        "average_position": np.round(np.where(finished, summed / np.maximum(finished, 1), np.nan), 2),
        "last_race_date": [None if text == "NaT" else text for text in last.astype(str).tolist()],
        "created_at": [_CREATED] * count,
        "weight": np.round(dogs.weight, 2),
        "age": dogs.age.astype(np.int64),
        "id": np.arange(1, count + 1),
        "color": [_COLOURS[i] for i in rng.integers(0, len(_COLOURS), count).tolist()],
        "trainer": [starters.trainers[i] for i in dogs.trainer.tolist()],
        "sex": np.where(dogs.female, "B", "D").tolist(),
    }


def _trainers(world: World, starters: Starters) -> Columns:
    count = len(starters.trainers)
    ran = world.field.running[starters.race, starters.column] & ~world.outcome.abandoned[starters.race]
    trainer = world.dogs.trainer[starters.dog[ran]]
    position = world.outcome.position[starters.race[ran], starters.column[ran]]
    runs = np.bincount(trainer, minlength=count)
    wins = np.bincount(trainer[position == 1], minlength=count)
    places = np.bincount(trainer[position <= 3], minlength=count)
    return {
        "id": np.arange(1, count + 1),
        "trainer_name": starters.trainers,
        "trainer_id": np.arange(1, count + 1),
        "total_races": runs,
        "total_wins": wins,
        "total_places": places,
        "win_percentage": np.round(100 * wins / np.maximum(runs, 1), 2),
        "place_percentage": np.round(100 * places / np.maximum(runs, 1), 2),
        "created_at": [_CREATED] * count,
        "updated_at": [f"{world.card.day[-1]} 23:30:00"] * count,
    }
