"""One deterministic season: the same `races` and `seed` always give the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from greynb.demo.card import draw_card
from greynb.demo.market import open_market, predict
from greynb.demo.outcome import run_races
from greynb.demo.reference import Columns
from greynb.demo.runners import draw_dogs, draw_field
from greynb.demo.starters import starters
from greynb.demo.tables import collector_tables
from greynb.demo.world import World

SEED = 20250731


@dataclass(frozen=True, slots=True)
class Season:
    """A season as rows of the collector's tables.

    Attributes
    ----------
    races, seed
        What it was made from.
    tables
        Per table, its filled columns, as equally long sequences: NumPy arrays (NaN means NULL) or
        lists of text and None.
    """

    races: int
    seed: int
    tables: Mapping[str, Columns]


def season(races: int = 20_000, seed: int = SEED) -> Season:
    """Make a season of `races` races; about 7.3 dogs start in each.

    Raises
    ------
    ValueError
        For fewer than one race.
    """
    if races < 1:
        raise ValueError("a season has at least one race")
    rng = np.random.default_rng(seed)
    card = draw_card(races, rng)
    dogs = draw_dogs(card, rng)
    field = draw_field(card, dogs, rng)
    outcome = run_races(card, dogs, field, rng)
    market = open_market(card, field, outcome.abandoned, rng)
    world = World(card, dogs, field, outcome, market, predict(card, field, rng))
    return Season(races, seed, collector_tables(world, starters(world, rng), rng))
