"""The calendar of the season: which races are run where and when, over which distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from greynb.demo.places import REGIONS, VENUES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Times = NDArray[np.datetime64]

LAST_DAY = np.datetime64("2025-07-31")
_DAYS = 365
_MEETINGS_A_DAY = 8
_RACES_A_MEETING = (10, 12, 11, 12)
_FIRST_JUMP = 11 * 60 + 30
_MINUTES_BETWEEN = 19


@dataclass(frozen=True, slots=True)
class Card:
    """All races, in the order they are run; each array has one entry per race.

    Attributes
    ----------
    meeting, venue, region
        Numbers of the meeting, of the venue in `VENUES` and of the region in `REGIONS`.
    day, start
        The date, and the advertised time of the jump to the minute (local time).
    number
        The race's number at its meeting, from 1.
    metres, par
        The distance, and the seconds a usual winner takes for it at this venue.
    """

    meeting: Ints
    venue: Ints
    region: Ints
    day: Times
    start: Times
    number: Ints
    metres: Ints
    par: Floats

    def __len__(self) -> int:
        return len(self.meeting)


def draw_card(races: int, rng: np.random.Generator) -> Card:
    """Spread `races` over the twelve months up to `LAST_DAY` (over more when a day gets too full)."""
    meeting, number = _meetings(races)
    meetings = int(meeting[-1]) + 1
    days = max(_DAYS, -(-meetings // _MEETINGS_A_DAY))
    day_of = np.arange(meetings) * days // meetings
    venue_of = _venues(day_of, days, rng)
    first_jump = _FIRST_JUMP + 15 * rng.integers(0, 29, meetings)
    day = (LAST_DAY - np.timedelta64(days - 1, "D") + day_of)[meeting]
    minutes = first_jump[meeting] + _MINUTES_BETWEEN * (number - 1)
    venue = venue_of[meeting]
    metres = _distances(venue, rng)
    region_of = np.array([REGIONS.index(place.region) for place in VENUES])
    speed = rng.normal(0.0, 0.004, len(VENUES))
    par = (metres * 0.0574 - 0.1) * (1 + speed[venue])
    start = day.astype("datetime64[m]") + minutes.astype("timedelta64[m]")
    return Card(meeting, venue, region_of[venue], day, start, number, metres, par)


def _meetings(races: int) -> tuple[Ints, Ints]:
    sizes = np.resize(np.array(_RACES_A_MEETING), races)
    ends = np.cumsum(sizes)
    count = int(np.searchsorted(ends, races)) + 1
    meeting = np.repeat(np.arange(count), sizes[:count])[:races]
    first = np.concatenate(([0], ends[: count - 1]))
    return meeting, np.arange(races) - first[meeting] + 1


def _venues(day_of: Ints, days: int, rng: np.random.Generator) -> Ints:
    """Draw venues for the meetings of each day, weighted, none twice on a day (the Gumbel top-k trick)."""
    weights = np.log([place.meetings for place in VENUES])
    ranked = np.argsort(-(weights + rng.gumbel(size=(days, len(VENUES)))), axis=1)
    place_in_day = np.arange(len(day_of)) - np.searchsorted(day_of, day_of)
    return np.asarray(ranked[day_of, place_in_day], dtype=np.int64)


def _distances(venue: Ints, rng: np.random.Generator) -> Ints:
    """Draw one of the venue's distances for each race: the first of the list most often."""
    table = np.array([np.resize(place.distances, 5) for place in VENUES])
    counts = np.array([len(place.distances) for place in VENUES])[venue]
    choice = np.minimum(rng.geometric(0.55, len(venue)) - 1, counts - 1)
    return np.asarray(table[venue, choice], dtype=np.int64)
