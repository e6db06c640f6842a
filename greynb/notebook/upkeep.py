"""``%greynb doctor`` and ``%greynb why``: what is wrong with both databases, and what an error means."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from greynb.databases.result import Progress
from greynb.errors import GreynbError, UsageError
from greynb.notebook import execution
from greynb.routing import Settings

if TYPE_CHECKING:
    from greynb.doctor import Examination
    from greynb.notebook.config import Greynb
    from greynb.troubleshooting import Message


def doctor(words: Sequence[str], config: Greynb) -> Examination:
    """Examine both databases; with ``--fix`` print each safe fix, apply it, and examine them again."""
    from greynb.doctor import treat

    if list(words) not in ([], ["--fix"]):
        raise UsageError("%greynb doctor takes --fix or nothing", hint="%greynb doctor [--fix]")
    found = _examined(config)
    if not words:
        return found
    treated = treat(found, print)
    if not treated:
        print("there is nothing that --fix may mend")
    return _examined(config) if treated else found


def _examined(config: Greynb) -> Examination:
    from greynb.doctor import Patient, examine

    patient, fraction = Patient(Settings.current()), 0.0

    def told(_step: str, part: float) -> None:
        nonlocal fraction
        fraction = part

    try:
        return execution.run(
            lambda: examine(patient, told),
            interrupt=patient.interrupt,
            progress=lambda: Progress(fraction=fraction),
            show_progress=config.progress,
            label="doctor",
        )
    finally:
        patient.close()


def why(words: Sequence[str], _config: Greynb) -> Message:
    """Explain the last error of the notebook, or the message that is given."""
    from greynb.troubleshooting import explain

    last = getattr(sys, "last_value", None)  # Python keeps it of what ended a cell
    if not words and not isinstance(last, GreynbError):
        raise UsageError("there was no error of greynb here", hint="%greynb why [MESSAGE]")
    return explain(" ".join(words) or str(last))


COMMANDS: dict[str, Callable[[Sequence[str], Greynb], object]] = {"doctor": doctor, "why": why}
