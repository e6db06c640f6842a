"""The slowest statements of the log, those that differ only in values taken together."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from greynb.errors import QueryInterrupted, UsageError
from greynb.querylog.entries import Entry
from greynb.querylog.normalising import normalised
from greynb.querylog.storing import last
from greynb.routing import Role

_STOPPED: Final = QueryInterrupted.__name__


@dataclass(frozen=True, slots=True)
class Group:
    """Statements that differ only in their values.

    Attributes
    ----------
    sql
        The normalised text.
    entries
        The statements, the newest first.
    """

    sql: str
    entries: Sequence[Entry]

    @property
    def newest(self) -> Entry:
        """The last one that ran."""
        return self.entries[0]

    @property
    def seconds(self) -> list[float]:
        """How long each took."""
        return [each.seconds for each in self.entries]

    @property
    def total(self) -> float:
        """Seconds that all took together."""
        return sum(self.seconds)

    @property
    def median(self) -> float:
        """Seconds that the middle one took."""
        return statistics.median(self.seconds)

    @property
    def ran(self) -> bool:
        """Whether any of them ran to its end, or until somebody lost patience: else it was only mistyped."""
        return any(not each.error or each.error.startswith(_STOPPED) for each in self.entries)

    @property
    def failed(self) -> int:
        """How many ended in an error or were stopped."""
        return sum(each.error is not None for each in self.entries)

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for JSON."""
        return {
            "sql": self.sql,
            "role": self.newest.role,
            "file": self.newest.file,
            "count": len(self.entries),
            "failed": self.failed,
            "median": self.median,
            "total": self.total,
            "slowest": max(self.seconds),
            "last": self.newest.time,
        }


def slowest(path: Path, count: int | None = None, *, role: Role | None = None) -> list[Group]:
    """Groups by the seconds that they took in all, the longest first.

    What the result cache answered is left out, and statements that the engine refused each time.

    Raises
    ------
    UsageError
        There is no log.
    """
    groups: dict[tuple[str, str, str], list[Entry]] = {}
    for each in last(path):
        if not each.kept and role in (None, each.role):
            key = each.role, each.file, normalised(each.sql, each.dialect)
            groups.setdefault(key, []).append(each)
    found = [Group(sql, entries) for (_, _, sql), entries in groups.items()]
    return sorted((each for each in found if each.ran), key=lambda each: -each.total)[:count]


def nth(path: Path, number: int, *, role: Role | None = None) -> Group:
    """One group by its place in `slowest`, from 1.

    Raises
    ------
    UsageError
        There are not so many, or there is no log.
    """
    groups = slowest(path, role=role)
    if number > len(groups):
        raise UsageError(f"the log has {len(groups):,} different statements", hint="`greynb slow` lists them")
    return groups[number - 1]
