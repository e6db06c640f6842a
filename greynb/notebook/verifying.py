"""``%greynb verify FILE``: the check of a report from a cell, with progress, which Ctrl-C ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from greynb.databases.result import Progress
from greynb.errors import GreynbError, QueryInterrupted
from greynb.notebook import execution

if TYPE_CHECKING:
    from greynb.notebook.config import Greynb
    from greynb.report.verifying import FileVerification


@dataclass(frozen=True, slots=True, repr=False)
class Verified:
    """What came of several files; shows as one text.

    Attributes
    ----------
    files
        Those that could be verified.
    refused
        What kept the others from it.
    """

    files: tuple[FileVerification, ...]
    refused: tuple[GreynbError, ...]

    @property
    def holds(self) -> bool:
        """Whether every result of every file was verified and holds."""
        return not self.refused and all(each.holds for each in self.files)

    def __repr__(self) -> str:
        return "\n\n".join(map(str, (*self.files, *self.refused)))


def verify_files(paths: Sequence[str], config: Greynb) -> Verified:
    """Verify files one after the other; one that cannot be verified does not stop the others."""
    found: list[FileVerification] = []
    refused: list[GreynbError] = []
    for path in paths:
        try:
            found.append(verify_file(path, config))
        except QueryInterrupted:
            raise
        except GreynbError as error:
            refused.append(error.at(path=path))
    return Verified(tuple(found), tuple(refused))


def verify_file(path: str, config: Greynb) -> FileVerification:
    """Verify a report or an export; see `greynb.report.verifying.verify_file`."""
    from greynb.report.verifying import FileVerifier

    verifier = FileVerifier()
    done = 0.0

    def told(_step: str, part: float) -> None:
        nonlocal done
        done = part

    return execution.run(
        lambda: verifier.verify(Path(path), told),
        interrupt=verifier.interrupt,
        progress=lambda: Progress(fraction=done),
        show_progress=config.progress,
        interruptible=config.interrupt,
        label="verify",
    )
