"""What a check is and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final, Literal

from greynb.routing import Role

if TYPE_CHECKING:
    from greynb.doctor.patient import Patient

Level = Literal["error", "warning", "info"]
LEVELS: Final[tuple[Level, ...]] = ("error", "warning", "info")
"""Error: something does not work, or gives wrong answers. Warning: it will, or it is slow or unsafe. Info: a
thing to know, also of a healthy database."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that ``--fix`` may make.

    Attributes
    ----------
    shows
        What it will do, for the user to see first.
    apply
        Does it, and says what it did. Raises errors of greynb and of the system where it cannot.
    """

    shows: str
    apply: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a check found in one place.

    Attributes
    ----------
    seen
        What was seen there, line by line.
    mend
        The exact command or change that mends it; several lines are several steps.
    role, path
        Whose file it is about; None where it is about neither.
    level
        Where it is not the check's own.
    fix
        The same as ``--fix`` may do it; None where a person has to.
    """

    seen: tuple[str, ...]
    mend: str
    role: Role | None = None
    path: Path | None = None
    level: Level | None = None
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of fault.

    Attributes
    ----------
    id
        Its name, and the anchor in ``docs/doctor.md``.
    level
        How bad it is, unless the evidence says otherwise.
    title
        The fault in one line.
    why
        Why it matters, in one or two sentences.
    find
        Looks for it.
    """

    id: str
    level: Level
    title: str
    why: str
    find: Callable[[Patient], Iterable[Evidence]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault that is there; prints as a few lines of text.

    Attributes
    ----------
    id, level, title, why
        As the check has them.
    evidence
        What was seen, line by line.
    mend
        The exact command or change that mends it.
    role, path
        Whose file it is about; None where it is about neither.
    fix
        What ``--fix`` may do; None where a person has to.
    """

    id: str
    level: Level
    title: str
    evidence: tuple[str, ...]
    why: str
    mend: str
    role: Role | None = None
    path: Path | None = None
    fix: Fix | None = field(default=None, compare=False)

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for JSON."""
        return {
            "id": self.id,
            "level": self.level,
            "title": self.title,
            "role": self.role,
            "path": str(self.path) if self.path else None,
            "evidence": list(self.evidence),
            "why": self.why,
            "mend": self.mend,
            "fix": self.fix.shows if self.fix else None,
        }

    def __str__(self) -> str:
        place = f" · {self.role}" if self.role else ""
        lines = [f"{self.level}: {self.title}{place} [{self.id}]"]
        lines += [f"    {each}" for each in self.evidence]
        lines.append(f"    why: {self.why}")
        first, *others = self.mend.splitlines()
        lines += [f"    do:  {first}", *(f"         {each}" for each in others)]
        if self.fix:
            lines.append("    `greynb doctor --fix` does it")
        return "\n".join(lines)


def sh(path: Path | str) -> str:
    """A path as a shell takes it."""
    return quote(str(path))


def setting(variable: str, path: Path | str) -> str:
    """How to set a variable to a file."""
    return f"export {variable}={sh(path)}    # or without `export` in .env"


def found(check: Check, evidence: Evidence) -> Finding:
    """What a check's evidence comes to."""
    return Finding(
        id=check.id,
        level=evidence.level or check.level,
        title=check.title,
        evidence=evidence.seen,
        why=check.why,
        mend=evidence.mend,
        role=evidence.role,
        path=evidence.path,
        fix=evidence.fix,
    )
