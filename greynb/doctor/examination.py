"""Making all checks, and mending what can be mended safely."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, Literal

from greynb.doctor.checks import CHECKS
from greynb.doctor.findings import LEVELS, Check, Evidence, Finding, found
from greynb.doctor.patient import Patient
from greynb.errors import GreynbError, QueryInterrupted

if TYPE_CHECKING:
    from greynb.publish.steps import Progress

NOT_CHECKED: Final = Check(
    "not-checked",
    "warning",
    "a check could not be made",
    "What it looks for may be there.",
    lambda _: (),
)
_WORDS: Final = {"error": "errors", "warning": "warnings", "info": "notes"}


@dataclass(frozen=True, slots=True)
class Examination:
    """What the doctor found; prints as text.

    Attributes
    ----------
    findings
        The worst first.
    checks
        How many kinds of faults were looked for.
    seconds
        How long that took.
    """

    findings: tuple[Finding, ...]
    checks: int
    seconds: float

    def count(self, level: str) -> int:
        """How many findings are of a level."""
        return sum(each.level == level for each in self.findings)

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for JSON."""
        return {
            "findings": [each.as_dict() for each in self.findings],
            "counts": {level: self.count(level) for level in LEVELS},
            "checks": self.checks,
            "seconds": round(self.seconds, 3),
        }

    @property
    def summary(self) -> str:
        """``1 error, 2 warnings, 3 notes · 35 checks, 0.4 s``."""
        counts = [(self.count(level), word) for level, word in _WORDS.items()]
        named = [f"{count} {word if count != 1 else word[:-1]}" for count, word in counts if count]
        return f"{', '.join(named) or 'nothing found'} · {self.checks} checks, {self.seconds:.1f} s"

    def __str__(self) -> str:
        return "\n\n".join([*map(str, self.findings), self.summary])

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class Treated:
    """What came of one fix.

    Attributes
    ----------
    id
        Of the finding.
    fix
        What was to be done.
    outcome
        ``"done"``; ``"refused"``, where something was in the way.
    said
        What was done, or what was in the way.
    """

    id: str
    fix: str
    outcome: Literal["done", "refused"]
    said: str

    def as_dict(self) -> dict[str, str]:
        """The same as plain values."""
        return asdict(self)


def examine(patient: Patient, told: Progress = lambda _step, _part: None) -> Examination:
    """Make all checks; nothing is changed.

    Parameters
    ----------
    patient
        The files; stays open.
    told
        Told the check and the part done, 0 to 1; may raise to stop.

    Raises
    ------
    QueryInterrupted
        The examination was stopped.
    """
    begun = time.monotonic()
    findings: list[Finding] = []
    for number, check in enumerate(CHECKS):
        patient.work.check()
        told(check.title, number / len(CHECKS))
        findings += _made(check, patient)
    told("checked", 1.0)
    findings.sort(key=lambda each: LEVELS.index(each.level))
    return Examination(tuple(findings), len(CHECKS), time.monotonic() - begun)


def _made(check: Check, patient: Patient) -> Iterator[Finding]:
    """One check's findings; one that fails must not keep the others from being made."""
    try:
        yield from [found(check, each) for each in check.find(patient)]
    except QueryInterrupted:
        raise
    except (GreynbError, sqlite3.Error, OSError) as error:
        patient.work.check()
        message = error.message if isinstance(error, GreynbError) else str(error)
        hint = error.hint if isinstance(error, GreynbError) else None
        yield found(
            NOT_CHECKED,
            Evidence((f"{check.id}: {message}",), hint or "mend what is above, then run it again"),
        )


def treat(examination: Examination, told: Callable[[str], None]) -> list[Treated]:
    """Apply the safe fixes, one after the other; what is in the way of one does not stop the others.

    Parameters
    ----------
    examination
        Whose findings are to be mended; its patient must be closed, so that its own connections are in
        nobody's way.
    told
        Told each fix before it is applied, and then what came of it.
    """
    treated = []
    for each in examination.findings:
        if each.fix is None:
            continue
        told(f"{each.id}: {each.fix.shows} …")
        try:
            outcome = Treated(each.id, each.fix.shows, "done", each.fix.apply())
        except (GreynbError, sqlite3.Error, OSError) as error:
            said = error.message if isinstance(error, GreynbError) else str(error)
            outcome = Treated(each.id, each.fix.shows, "refused", said)
        told(f"    {outcome.outcome}: {outcome.said}")
        treated.append(outcome)
    return treated
