"""What the audit found: one rule, at one place of one file, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")


class Place(NamedTuple):
    """A stretch of a file.

    Attributes
    ----------
    line, column
        Its first character, both from 1.
    end_line, end_column
        The character after its last, both from 1.
    cell
        The cell of a notebook, from 1, and the line within that cell; None elsewhere.
    """

    line: int
    column: int = 1
    end_line: int = 0
    end_column: int = 0
    cell: tuple[int, int] | None = None

    @property
    def last_line(self) -> int:
        """Its last line; the first where no end is known."""
        return max(self.line, self.end_line)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes
    ----------
    rule
        The id of the rule, a key of `greynb.audit.rules.RULES`.
    level
        ``"error"``: it does something else than it should; ``"warning"``: it can; ``"note"``: worth knowing.
    path
        The file, relative to the working directory where it lies below it, with ``/``.
    place
        Where.
    message
        What is there and why it matters, as a sentence without its final stop.
    suggestion
        What to write instead.
    snippet
        The first line, stripped; what a baseline knows the finding by.
    suppressed
        Whether a comment in the file says to ignore it.
    """

    rule: str
    level: Level
    path: str
    place: Place
    message: str
    suggestion: str
    snippet: str = ""
    suppressed: bool = False

    @property
    def where(self) -> str:
        """File and line as editors understand them, with the cell in words."""
        place = f"{self.path}:{self.place.line}:{self.place.column}"
        if self.place.cell:
            place += f" (cell {self.place.cell[0]}, line {self.place.cell[1]})"
        return place


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of one rule before it is known which file it is in; see `Finding` for the attributes."""

    rule: str
    place: Place
    message: str
    suggestion: str
    level: Level | None = None  # None: that of the rule


def at_least(findings: Iterable[Finding], level: Level) -> list[Finding]:
    """Those of a level or a graver one."""
    graver = LEVELS[: LEVELS.index(level) + 1]
    return [each for each in findings if each.level in graver]
