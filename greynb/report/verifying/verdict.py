"""What `greynb verify FILE` finds: a verdict for each result that the file contains, and one on the file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from greynb.databases.sqltext import tokens

_SHOWN_SQL: Final = 60
_UNCHECKED: Final = "what the file shows was not compared with its record, so an edit of it would not be seen"


class State(StrEnum):
    """Whether a result is still what the file says."""

    EXACT = "holds exactly"
    CLOSE = "holds within tolerance"
    DIFFERS = "differs"
    UNKNOWN = "cannot be verified"


@dataclass(frozen=True, slots=True)
class Difference:
    """The first value that is not as recorded.

    Attributes
    ----------
    row
        The row by its leading columns, ``venue=TAR``, or by its place, ``row 3``.
    column
        Its column.
    then, now
        The values as text.
    """

    row: str
    column: str
    then: str
    now: str

    def __str__(self) -> str:
        return f"{self.row}, {self.column}: {self.then} then, {self.now} now"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one result.

    Attributes
    ----------
    name
        The query in one short line, or ``evaluation, groups by venue``.
    state
        Whether it holds.
    found
        What was found, in a few words: ``3 of 120 values differ``.
    on
        What it was run on: ``gen-000042``, ``staging as it is now``; empty where it was not run.
    first
        The first value that differs, if values could be compared.
    notes
        What else must be known.
    """

    name: str
    state: State
    found: str
    on: str = ""
    first: Difference | None = None
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The verdict as text, the first line whole in itself."""
        head = f"{self.found}" + (f" on {self.on}" if self.on else "")
        first = [f"first: {self.first}"] if self.first else []
        return [f"{self.name}: {head}", *(f"    {each}" for each in (*first, *self.notes))]


@dataclass(frozen=True, slots=True)
class FileVerification:
    """What `greynb verify FILE` found.

    Attributes
    ----------
    path
        The file.
    verdicts
        One for each result that it contains, in order.
    edited
        What was changed in the file after it was made; empty where nothing was found.
    checked
        How the file itself was looked at, in words; empty where there was nothing to compare it with.
    """

    path: Path
    verdicts: tuple[Verdict, ...]
    edited: tuple[str, ...] = ()
    checked: str = ""

    @property
    def differs(self) -> bool:
        """Whether a result is another one now, or the file was edited."""
        return bool(self.edited) or any(each.state is State.DIFFERS for each in self.verdicts)

    @property
    def holds(self) -> bool:
        """Whether every result was verified and holds, and the file was not edited."""
        return not self.differs and all(each.state is not State.UNKNOWN for each in self.verdicts)

    def as_dict(self) -> dict[str, Any]:
        """The same as plain JSON."""
        verdicts = [{**asdict(each), "state": each.state.name.lower()} for each in self.verdicts]
        return {
            "file": str(self.path),
            "holds": self.holds,
            "edited": list(self.edited),
            "checked": self.checked,
            "results": verdicts,
        }

    def __str__(self) -> str:
        total = len(self.verdicts)
        lines = [f"{self.path.name}: {total} result{'' if total == 1 else 's'}"]
        for number, verdict in enumerate(self.verdicts, start=1):
            first, *others = verdict.lines()
            shown = f"{number:>{len(str(total))}}"
            lines += [f"  {shown}  {first}", *(f"{' ' * len(shown)}  {each}" for each in others)]
        lines += [f"  edited: {each}" for each in self.edited]
        if not self.edited:
            lines.append(f"  {self.checked or _UNCHECKED}")
        return "\n".join(map(printable, [*lines, self._sum()]))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _sum(self) -> str:
        states = [verdict.state for verdict in self.verdicts]
        counts = {
            "hold": states.count(State.EXACT) + states.count(State.CLOSE),
            "differ": states.count(State.DIFFERS),
            "cannot be verified": states.count(State.UNKNOWN),
        }
        parts = [f"{count} {_agreeing(word, count)}" for word, count in counts.items() if count]
        return ", ".join([*parts, *(["the file was edited after it was made"] if self.edited else [])])


def _agreeing(word: str, count: int) -> str:
    return f"{word}s" if count == 1 and " " not in word else word


def short(sql: str) -> str:
    """Give a query in one line of at most 60 characters, without its comments."""
    seen = "".join(" " if token.kind == "comment" else token.text for token in tokens(sql, "duckdb"))
    line = " ".join(seen.split())
    return line if len(line) <= _SHOWN_SQL else f"{line[: _SHOWN_SQL - 1]}…"


def printable(line: str) -> str:
    """Write control characters as escapes: the file chose them, and a terminal would obey."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in line)
