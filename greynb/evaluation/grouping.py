"""What ``by=`` means: a value of the race, of the starter or of its prediction, as SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from typing import Final, Literal

from greynb.databases.identifiers import fold, quote
from greynb.errors import UsageError

Home = Literal["race", "starter", "prediction"]

ODDS_BANDS: Final = (2.0, 3.0, 5.0, 8.0, 15.0)
"""Where one band of decimal odds ends and the next begins; a price on the border is in the upper one."""

BAND_NAMES: Final = (
    f"under {ODDS_BANDS[0]:g}",
    *(f"{low:g} to {high:g}" for low, high in pairwise(ODDS_BANDS)),
    f"{ODDS_BANDS[-1]:g} and over",
)


@dataclass(frozen=True, slots=True)
class Grouping:
    """A value by which starters are told apart.

    Attributes
    ----------
    name
        As it was asked for.
    home
        Whose value it is.
    sql
        The value, over the columns that `greynb.evaluation.selection` has there: ``m`` is race_metadata with
        ``day``, ``d`` is dog_race_data with ``price``, ``p`` is the predictions.
    labels
        The names of its values 0, 1, …, where it is a number that stands for a name.
    """

    name: str
    home: Home
    sql: str
    labels: tuple[str, ...] = ()


def band_of(price: str) -> str:
    """SQL for the number of a price's odds band, from 0; NULL without a price."""
    steps = " ".join(f"WHEN {price} < {edge:g} THEN {band}" for band, edge in enumerate(ODDS_BANDS))
    return f"CASE {steps} WHEN {price} IS NOT NULL THEN {len(ODDS_BANDS)} END"


def grouping(
    by: str, races: Mapping[str, str], starters: Mapping[str, str], predictions: Mapping[str, str], price: str
) -> Grouping:
    """Find what ``by`` names.

    Parameters
    ----------
    by
        ``"month"``, ``"box"``, ``"odds_band"``, or a column, of race_metadata before dog_race_data before the
        predictions.
    races, starters, predictions
        The columns of the three with their types.
    price
        SQL for a starter's price.

    Raises
    ------
    UsageError
        There is no such column.
    """
    known = {
        "month": Grouping(by, "race", "strftime(day, '%Y-%m')"),
        "box": Grouping(by, "starter", "d.box_number"),
        "odds_band": Grouping(by, "starter", band_of(price), BAND_NAMES),
    }
    if by in known:
        return known[by]
    homes: tuple[tuple[Home, str, Mapping[str, str]], ...] = (
        ("race", "m", races),
        ("starter", "d", starters),
        ("prediction", "p", predictions),
    )
    for home, alias, columns in homes:
        for column in columns:
            if fold(column) == fold(by):
                return Grouping(by, home, f"{alias}.{quote(column)}")
    names = [*known, *races, *starters, *predictions]
    near = get_close_matches(by, names, n=1)
    raise UsageError(
        f"by: there is no column {by} in race_metadata, dog_race_data or the predictions",
        hint=f"did you mean {near[0]}?" if near else "month, box, odds_band, or one of their columns",
    )
