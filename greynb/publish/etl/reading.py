"""Reading a plan's TOML: every value is checked, and an error names the file, the key and what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from re import compile as pattern
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from greynb.errors import PublishError

T = TypeVar("T")
_BARE: Final = pattern(r"[A-Za-z0-9_-]+")
_AGE: Final = pattern(r"(\d+(?:\.\d+)?) *(s|seconds?|m|minutes?|h|hours?|d|days?|w|weeks?)")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the file with the key that leads to it.

    Attributes
    ----------
    file
        The TOML file.
    keys
        From the top of the file, or of its ``[tool.greynb]``.
    given
        As tomllib read it.
    """

    file: Path
    keys: tuple[str, ...]
    given: Any

    def error(self, problem: str, hint: str | None = None) -> PublishError:
        """Say what is wrong with this value."""
        dotted = ".".join(key if _BARE.fullmatch(key) else f'"{key}"' for key in self.keys)
        return PublishError(f"{self.file}: {dotted or 'the plan'} {problem}", hint=hint)

    def wrong(self, allowed: str) -> PublishError:
        """Say what would be allowed instead."""
        return self.error(f"must be {allowed}, not {self.given!r}")

    def items(self, allowed: str = "a table of keys") -> dict[str, Value]:
        """Read a TOML table with arbitrary keys."""
        if not isinstance(self.given, dict):
            raise self.wrong(allowed)
        return {key: Value(self.file, (*self.keys, key), each) for key, each in self.given.items()}

    def known(self, allowed: Iterable[str]) -> dict[str, Value]:
        """Read a TOML table whose keys are known."""
        names = sorted(allowed)
        found = self.items(f"a table with {', '.join(names)}")
        for key, each in found.items():
            if key not in names:
                raise each.error(f"is not known; allowed: {', '.join(names)}", did_you_mean(key, names))
        return found

    def each(self, allowed: str, read: Callable[[Value], T]) -> tuple[T, ...]:
        """Read a list."""
        if not isinstance(self.given, list):
            raise self.wrong(allowed)
        places = enumerate(self.given)
        return tuple(read(Value(self.file, (*self.keys, str(number)), each)) for number, each in places)

    def text(self) -> str:
        """Read a text that is not empty."""
        if not isinstance(self.given, str) or not self.given.strip():
            raise self.wrong("a text")
        return self.given

    def texts(self) -> tuple[str, ...]:
        """Read a list of texts."""
        return self.each("a list of texts", Value.text)

    def names(self) -> tuple[str, ...]:
        """Read one name, or a list of at least one."""
        found = (self.text(),) if isinstance(self.given, str) else self.texts()
        if not found:
            raise self.wrong("at least one column")
        return found

    def flag(self) -> bool:
        """Read true or false."""
        if not isinstance(self.given, bool):
            raise self.wrong("true or false")
        return self.given

    def count(self) -> int:
        """Read a number of rows or values."""
        if not isinstance(self.given, int) or isinstance(self.given, bool) or self.given < 0:
            raise self.wrong("a whole number from 0")
        return self.given

    def scalar(self) -> str | int | float:
        """Read a text or a number; true and false are 1 and 0, as SQLite stores them."""
        given = self.given
        if isinstance(given, str) and "\0" not in given:
            return given
        if not isinstance(given, int | float) or not isfinite(given):
            raise self.wrong("a text or a number")
        return int(given) if isinstance(given, bool) else given

    def scalars(self) -> tuple[str | int | float, ...]:
        """Read a list of texts and numbers."""
        return self.each("a list of texts or numbers", Value.scalar)

    def one_of(self, allowed: Iterable[str]) -> str:
        """Read one of a few words."""
        names = list(allowed)
        if self.given not in names:
            raise self.error(
                f"must be one of {', '.join(names)}, not {self.given!r}", did_you_mean(str(self.given), names)
            )
        return str(self.given)

    def zone(self) -> str:
        """Read the name of a time zone."""
        try:
            ZoneInfo(self.text())
        except (OSError, ValueError) as error:  # a missing zone is a KeyError on some systems
            raise self.wrong("a time zone as in UTC or Australia/Melbourne") from error
        except KeyError as error:
            raise self.wrong("a time zone that this machine knows, as in UTC") from error
        return self.text()

    def age(self) -> timedelta:
        """Read a duration such as ``"36 hours"``."""
        found = _AGE.fullmatch(self.given.strip()) if isinstance(self.given, str) else None
        if not found:
            raise self.wrong('a duration as in "90 minutes", "36 hours", "2 days"')
        try:
            return timedelta(**{_UNITS[found[2][0]]: float(found[1])})
        except OverflowError as error:
            raise self.wrong("a shorter duration") from error


def did_you_mean(given: str, names: Iterable[str]) -> str | None:
    """Suggest the name that was probably meant."""
    by_fold: Mapping[str, str] = {name.casefold(): name for name in names}
    close = get_close_matches(given.casefold(), by_fold, n=1)
    return f"did you mean {by_fold[close[0]]}?" if close else None
