"""The entries of all races in one flat list, with what the dogs had done before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from greynb.demo.card import Floats, Ints
from greynb.demo.names import clean_name, dog_names, trainer_names
from greynb.demo.places import VENUES
from greynb.demo.world import World

_RECENT = 5


@dataclass(frozen=True, slots=True)
class Starters:
    """One entry per dog entered in a race (scratched ones too), ordered by race and box.

    Attributes
    ----------
    race, column
        Where it stands in the arrays of one row per race and one column per box.
    race_ids, names, clean_names, trainers
        Texts per race, dog, dog and trainer; index them with `race` and `dog`.
    dog
        Number of the dog.
    recent
        The last five finishing positions before the race, latest first, ``F`` for not finished.
    best
        The dog's best time at this venue and distance before the race, NaN for none.
    """

    race: Ints
    column: Ints
    dog: Ints
    race_ids: list[str]
    names: list[str]
    clean_names: list[str]
    trainers: list[str]
    recent: list[str]
    best: Floats


def starters(world: World, rng: np.random.Generator) -> Starters:
    """Flatten the field, name everybody and look back along each dog's career."""
    race, column = np.nonzero(world.field.entered)
    dog = world.field.dog[race, column]
    names = dog_names(len(world.dogs), rng)
    return Starters(
        race=race,
        column=column,
        dog=dog,
        race_ids=_race_ids(world),
        names=names,
        clean_names=[clean_name(name) for name in names],
        trainers=trainer_names(int(world.dogs.trainer.max()) + 1, rng),
        recent=_recent(world, race, column, dog),
        best=_best(world, race, column, dog),
    )


def _race_ids(world: World) -> list[str]:
    card = world.card
    rows = zip(card.venue.tolist(), card.day.astype(str).tolist(), card.number.tolist(), strict=True)
    return [f"{VENUES[venue].code}_{day}_{number:02d}" for venue, day, number in rows]


def _recent(world: World, race: Ints, column: Ints, dog: Ints) -> list[str]:
    positions = world.outcome.position[race, column]
    ran = world.field.running[race, column] & ~world.outcome.abandoned[race]
    marks = np.where(np.isnan(positions), "F", np.nan_to_num(positions).astype(np.int64).astype(str))
    careers: dict[int, str] = {}
    recent = []
    # starters are in the order of races, which is the order of days
    for animal, mark, took_part in zip(dog.tolist(), marks.tolist(), ran.tolist(), strict=True):
        career = careers.get(animal, "")
        recent.append(career)
        if took_part:
            careers[animal] = (mark + career)[:_RECENT]
    return recent


def _best(world: World, race: Ints, column: Ints, dog: Ints) -> Floats:
    times = world.outcome.time[race, column].tolist()
    course = world.card.venue * 10_000 + world.card.metres
    best: dict[tuple[int, int], float] = {}
    before = np.full(len(race), np.nan)
    for row, key in enumerate(zip(dog.tolist(), course[race].tolist(), strict=True)):
        known = best.get(key, np.inf)
        before[row] = known if known < np.inf else np.nan
        if times[row] < known:
            best[key] = times[row]
    return before
