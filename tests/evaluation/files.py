"""Small analytics files with the collector's tables, and evaluations of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from greynb.databases.analytics import AnalyticsSession
from greynb.databases.snapshot import SnapshotSource
from greynb.evaluation import Evaluation, evaluate_on
from greynb.evaluation.arguments import FRAME, Arguments

SCHEMA = """
CREATE TABLE race_metadata (id INTEGER PRIMARY KEY, race_id TEXT, venue TEXT, race_date DATE, grade TEXT,
    distance TEXT, field_size INTEGER, race_status TEXT, start_datetime DATETIME);
CREATE TABLE dog_race_data (id INT, race_id TEXT, dog_clean_name TEXT, box_number INT, odds_decimal REAL,
    starting_price REAL, was_scratched NUM, finish_position INTEGER);
CREATE TABLE predictions (id INTEGER PRIMARY KEY, race_id TEXT, dog_clean_name TEXT,
    predicted_probability REAL, prediction_source TEXT, timestamp DATETIME);
"""
FEW = Arguments(resamples=20)


@dataclass(frozen=True)
class Dog:
    """A starter: its finishing position, starting price and prediction; None where there is none."""

    place: Any = None
    price: Any = None
    p: Any = None
    scratched: Any = 0
    name: str | None = None


@dataclass(frozen=True)
class Race:
    dogs: Sequence[Dog]
    id: str = ""
    date: Any = "2025-03-01"
    venue: str | None = "RICH"
    status: str | None = "completed"
    grade: str | None = "5"
    start: str | None = None


@dataclass(frozen=True)
class Prediction:
    """A further row of predictions."""

    race: str
    dog: str
    p: Any
    made: str | None = None
    source: str | None = None
    id: int | None = None


@dataclass
class Rows:
    """The rows of the three tables."""

    races: list[tuple[Any, ...]] = field(default_factory=list)
    dogs: list[tuple[Any, ...]] = field(default_factory=list)
    predictions: list[tuple[Any, ...]] = field(default_factory=list)


def rows_of(races: Iterable[Race], more: Iterable[Prediction] = ()) -> Rows:
    """Races get the names r0, r1, …, dogs a, b, … in box order, unless they have others."""
    rows = Rows()
    for number, race in enumerate(races):
        name = race.id or f"r{number}"
        start = race.start or f"2025-03-01 {10 + number // 60:02}:{number % 60:02}:00"
        rows.races.append(
            (number, name, race.venue, race.date, race.grade, "400m", len(race.dogs), race.status, start)
        )
        for box, dog in enumerate(race.dogs, start=1):
            called = chr(96 + box) if dog.name is None else dog.name
            rows.dogs.append(
                (len(rows.dogs), name, called, box, dog.price, dog.price, dog.scratched, dog.place)
            )
            if dog.p is not None:
                rows.predictions.append((None, name, called, dog.p, "v1", "2025-02-28 08:00:00"))
    rows.predictions += [(each.id, each.race, each.dog, each.p, each.source, each.made) for each in more]
    return rows


def write(path: Path, rows: Rows, schema: str = SCHEMA) -> Path:
    with closing(sqlite3.connect(path)) as con, con:
        con.executescript(schema)
        for table, values in (
            ("race_metadata", rows.races),
            ("dog_race_data", rows.dogs),
            ("predictions", rows.predictions),
        ):
            if values:
                con.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values[0]))})", values)
    return path


def evaluation_of(
    path: Path, arguments: Arguments = FEW, frame: pd.DataFrame | None = None, **changes: Any
) -> Evaluation:
    """Evaluate on a session of its own."""
    if frame is not None:
        changes["predictions"] = FRAME
    session = AnalyticsSession(SnapshotSource(path, shared=False))
    try:
        return evaluate_on(session, replace(arguments, **changes), path, frame=frame)
    finally:
        session.close()
