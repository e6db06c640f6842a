"""What a migration did, whichever way it went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar


class _Planned(Protocol):
    """What all plans know."""

    @property
    def env_file(self) -> Path: ...

    @property
    def variables(self) -> Mapping[str, str]: ...

    @property
    def ends(self) -> tuple[object, object]: ...


P_co = TypeVar("P_co", bound=_Planned, covariant=True)


@dataclass(frozen=True, slots=True)
class Migrated(Generic[P_co]):
    """What was done; prints as a few lines.

    Attributes
    ----------
    plan
        What was to be done.
    already
        Whether it had been done before.
    tables
        How many were copied and compared; 0 where nothing was.
    version
        Of analytics; empty where nothing was published.
    kept
        Where the old ``.env`` file is kept; None where there was none, or nothing to change in it.
    lefts
        What was not carried over and the plan did not name, with the reason.
    notices
        What the user should know.
    """

    plan: P_co
    already: bool
    tables: int = 0
    version: str = ""
    kept: Path | None = None
    lefts: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        plan = self.plan
        if self.already:
            named = dict.fromkeys(plan.variables.values())
            yield f"done already: {plan.env_file} names {' and '.join(named)}"
        else:
            source, target = plan.ends
            published = f", published as {self.version}" if self.version else ""
            yield f"{target}: {self.tables} tables, equal to {source}{published}"
            yield f"{plan.env_file} names them" + (f"; the old one is {self.kept}" if self.kept else "")
        yield from (f"not there: {each}" for each in self.lefts)
        yield from (f"note: {notice}" for notice in self.notices)
