"""``%greynb verify FILE``: the check of a report from a cell, with progress, which Ctrl-C ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from greynb.databases.result import Progress
from greynb.notebook import execution

if TYPE_CHECKING:
    from greynb.notebook.config import Greynb
    from greynb.report.verifying import FileVerification


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
