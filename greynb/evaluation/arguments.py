"""What an evaluation was asked for: checked, and plain enough to be asked again."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from greynb.errors import UsageError

FRAME: Final = "a DataFrame"
"""What stands for the predictions where they were a DataFrame, which nobody can ask for again."""

MOST_BINS: Final = 100


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of `greynb.evaluate`, checked.

    Attributes
    ----------
    predictions
        The name of a table or view of analytics; `FRAME` for a DataFrame.
    by
        What the races or starters are grouped by, None for no groups.
    since, until
        The first and the last day of racing that count; None for no limit.
    price
        The column of ``dog_race_data`` with the decimal odds at which bets are paid.
    bins
        The number of equally wide reliability bins.
    kelly
        The part of the Kelly stake that is staked, above 0 and at most 1.
    resamples
        The number of bootstrap resamples.
    seed
        Of the random numbers.
    """

    predictions: str = "predictions"
    by: str | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    price: str = "starting_price"
    bins: int = 20
    kelly: float = 0.25
    resamples: int = 1_000
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise UsageError for what cannot be evaluated."""
        _check(1 <= self.bins <= MOST_BINS, f"bins: a whole number from 1 to {MOST_BINS}")
        _check(math.isfinite(self.kelly) and 0 < self.kelly <= 1, "kelly: above 0 and at most 1")
        _check(2 <= self.resamples <= 1_000_000, "resamples: a whole number from 2 to 1,000,000")
        _check(self.seed >= 0, "seed: a whole number, not negative")
        if self.since and self.until:
            _check(self.since <= self.until, f"since ({self.since}) comes after until ({self.until})")

    def as_dict(self) -> dict[str, Any]:
        """The same as plain JSON; days as ISO 8601."""
        days = {name: str(day) if (day := getattr(self, name)) else None for name in ("since", "until")}
        return {**asdict(self), **days}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Arguments:
        """Read `as_dict` back.

        Raises
        ------
        UsageError
            It is not what `as_dict` gives.
        """
        try:
            return checked(**found)
        except TypeError as error:
            raise UsageError(f"these are no arguments of an evaluation: {error}") from None


def checked(
    *,
    predictions: object,
    by: str | None,
    since: object,
    until: object,
    price: str,
    bins: int,
    kelly: float,
    resamples: int,
    seed: int,
) -> Arguments:
    """Check the arguments that a person gave; days may be dates, timestamps or ISO 8601 texts.

    Raises
    ------
    UsageError
        One is of another type, or out of range.
    """
    _check(isinstance(price, str) and price != "", "price: the name of a column of dog_race_data")
    if not isinstance(predictions, str) or not predictions:
        raise UsageError("evaluate: predictions: the name of a table or view of analytics, or a DataFrame")
    _check(by is None or (isinstance(by, str) and by != ""), "by: the name of a column, or None")
    return Arguments(
        predictions,
        by,
        _day("since", since),
        _day("until", until),
        price,
        _whole("bins", bins),
        _number("kelly", kelly),
        _whole("resamples", resamples),
        _whole("seed", seed),
    )


def _day(name: str, value: object) -> dt.date | None:
    if value is None:
        return None
    if isinstance(value, dt.datetime):  # pandas' Timestamp is one
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value)  # type: ignore[arg-type]  # what is no text raises
    except (TypeError, ValueError):
        raise UsageError(
            f"{name}: {value!r} is not a day", hint="a date, or a text like 2025-07-01"
        ) from None


def _whole(name: str, value: Any) -> int:
    _check(not isinstance(value, bool) and _number(name, value) == int(value), f"{name}: a whole number")
    return int(value)


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise UsageError(f"{name}: {value!r} is not a number") from None
    _check(math.isfinite(number), f"{name}: {value!r} is not a number")
    return number


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise UsageError(f"evaluate: {message}")
