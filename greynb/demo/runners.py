"""The dogs, and which of them run in which race from which box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from greynb.demo.card import Bools, Card, Floats, Ints
from greynb.demo.places import REGIONS, VENUES

BOXES = 8
_STARTS_A_YEAR = 28
_SMALLEST_POOL = 140
_DOGS_A_TRAINER = 11
_FEWEST_RUNNERS = 4
_BOX_BIAS = np.array([0.34, 0.12, -0.02, -0.12, -0.20, -0.14, -0.04, 0.12])


@dataclass(frozen=True, slots=True)
class Dogs:
    """All dogs; each array has one entry per dog. Abilities are in the units of `Field.strength`."""

    region: Ints
    trainer: Ints
    female: Bools
    weight: Floats
    age: Floats
    ability: Floats
    early: Floats
    stamina: Floats
    cycle: Floats

    def __len__(self) -> int:
        return len(self.region)


@dataclass(frozen=True, slots=True)
class Field:
    """Who runs: arrays of one row per race and one column per box (column 0 is box 1).

    Attributes
    ----------
    dog
        Number of the dog in `Dogs`; meaningless where `entered` is false.
    entered, scratched
        Whether the box was filled, and whether that dog was withdrawn on the day.
    strength
        The truth that model and market only guess: a dog's chance to win is proportional to
        ``exp(strength)`` among the dogs that run.
    known
        The part of it that form, class and box show; the rest is the dog's condition on the day.
    grade_level
        Per race, the mean ability of its dogs as a rank from 0 to 1 among all races.
    """

    dog: Ints
    entered: Bools
    scratched: Bools
    strength: Floats
    known: Floats
    grade_level: Floats

    @property
    def running(self) -> Bools:
        """Whether a dog left the box."""
        return self.entered & ~self.scratched


def draw_dogs(card: Card, rng: np.random.Generator) -> Dogs:
    """Make the pool of dogs that the races of each region need."""
    races = np.bincount(card.region, minlength=len(REGIONS))
    sizes = np.maximum(_SMALLEST_POOL, races * BOXES // _STARTS_A_YEAR)
    region = np.repeat(np.arange(len(REGIONS)), sizes)
    count = len(region)
    trainers = np.maximum(1, sizes // _DOGS_A_TRAINER)
    trainer = (rng.beta(1, 2.2, count) * trainers[region]).astype(np.int64)
    trainer += (np.cumsum(trainers) - trainers)[region]
    skill = rng.normal(0, 0.35, int(trainers.sum()))
    female = rng.random(count) < 0.44
    return Dogs(
        region=region,
        trainer=trainer,
        female=female,
        weight=np.where(female, 27.2, 32.2) + rng.normal(0, 1.7, count),
        age=rng.uniform(1.6, 4.4, count),
        ability=rng.normal(0, 1.4, count) + skill[trainer],
        early=rng.normal(0, 1, count),
        stamina=rng.normal(0, 1, count),
        cycle=rng.uniform(0, 1, count),
    )


def draw_field(card: Card, dogs: Dogs, rng: np.random.Generator) -> Field:
    """Enter dogs for every race and say how strong each is there, that day, from its box."""
    dog = _entries(card, dogs, rng)
    shape = dog.shape
    entered = rng.random(shape) >= 0.06
    scratched = entered & (rng.random(shape) < 0.055)
    thin = (entered & ~scratched).sum(axis=1) < _FEWEST_RUNNERS
    entered[thin], scratched[thin] = True, False
    box_bias = _BOX_BIAS + rng.normal(0, 0.08, (len(VENUES), BOXES))
    stamina = dogs.stamina[dog] * ((card.metres - 420) / 200)[:, None] * 0.22
    known = dogs.ability[dog] + box_bias[card.venue] + stamina + 0.12 * dogs.early[dog]
    day = (card.day - card.day[0]).astype(np.int64)[:, None]
    form = 0.35 * np.sin(2 * np.pi * (day / 150 + dogs.cycle[dog])) + rng.normal(0, 0.18, shape)
    level = np.argsort(np.argsort(dogs.ability[dog].mean(axis=1))) / max(1, len(card) - 1)
    return Field(dog, entered, scratched, known + form, known, level)


def _entries(card: Card, dogs: Dogs, rng: np.random.Generator) -> Ints:
    """Choose eight dogs for each race.

    The pool of a region is gone through in turns, so that a dog rests between two starts; the dogs
    of a meeting are then graded: dogs of like ability meet.
    """
    dog = np.empty((len(card), BOXES), dtype=np.int64)
    for region in range(len(REGIONS)):
        races = np.flatnonzero(card.region == region)
        pool = np.flatnonzero(dogs.region == region)
        slots = len(races) * BOXES
        turns = rng.normal(0, 0.08 * len(pool), (-(-slots // len(pool)) or 1, len(pool)))
        queue = pool[np.argsort(np.arange(len(pool)) + turns, axis=1)].ravel()[:slots]
        queue = _unrepeated(queue, np.repeat(card.meeting[races], BOXES))
        rating = dogs.ability[queue] + rng.normal(0, 1.15, slots)
        shuffled_race = rng.random(len(card))[races]
        by_class = np.lexsort((rating, np.repeat(card.meeting[races], BOXES)))
        by_race = races[np.lexsort((shuffled_race, card.meeting[races]))]
        dog[by_race] = queue[by_class].reshape(-1, BOXES)
    boxes = np.argsort(rng.random(dog.shape), axis=1)
    return np.take_along_axis(dog, boxes, axis=1)


def _unrepeated(queue: Ints, meeting: Ints) -> Ints:
    """Replace a dog that the turn of the pool put twice into one meeting by one that is not in it."""
    queue = queue.copy()
    order = np.lexsort((np.arange(len(queue)), queue, meeting))
    same = (queue[order][1:] == queue[order][:-1]) & (meeting[order][1:] == meeting[order][:-1])
    for at in order[1:][same]:
        present = set(queue[meeting == meeting[at]].tolist())
        queue[at] = next(dog for dog in range(queue.min(), queue.max() + 1) if dog not in present)
    return queue
