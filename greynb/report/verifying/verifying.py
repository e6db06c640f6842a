"""Verifying one file: its records are read, their queries run again, and the file itself is looked at."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from greynb.databases.waiting import on_worker
from greynb.report.verifying.again import Reader
from greynb.report.verifying.carried import Carried, carried_by
from greynb.report.verifying.contents import AS_RECORDED, edits
from greynb.report.verifying.judging import judge
from greynb.report.verifying.verdict import FileVerification
from greynb.routing import Settings

if TYPE_CHECKING:
    from greynb.publish.steps import Progress


class FileVerifier:
    """Verifies files; `interrupt` may be called from another thread meanwhile."""

    def __init__(self) -> None:
        self._reader = Reader(Settings.current())

    def verify(self, path: Path, progress: Progress | None = None) -> FileVerification:
        """Verify one file; see `verify_file`."""
        carried = carried_by(path)
        total = len(carried.sources)
        verdicts = []
        for number, source in enumerate(carried.sources):
            if progress:
                progress(f"{path.name}: result {number + 1} of {total}", number / total)
            verdicts.append(judge(source, self._reader.run))
        carried = _looked_into(path, carried)
        if progress:
            progress(f"{path.name}: result {total} of {total}", 1.0)
        return FileVerification(path, tuple(verdicts), carried.edited, carried.checked)

    def interrupt(self) -> None:
        """Stop the query that runs."""
        self._reader.interrupt()


def verify_file(path: str | PathLike[str], *, progress: Progress | None = None) -> FileVerification:
    """Run every query of a report or an export again, and compare value by value.

    A query runs on the version of analytics that the file names, if that is still kept, else on the current
    one, which the verdict says. Floats are the same within 1e-9 relatively or 1e-12 absolutely; all else must
    be equal. The file is not trusted: its SQL passes the gate of ``%%analytics``.

    Parameters
    ----------
    path
        An .html, .pdf, .xlsx, .parquet, .ipynb file, or one with its ``.meta.json`` beside it.
    progress
        Called before each query with a text and the share that is done.

    Returns
    -------
    FileVerification
        Its ``holds`` says it for all.

    Raises
    ------
    UsageError
        The file is not there or carries no record.
    QueryInterrupted
        The user pressed Ctrl-C.
    """
    verifier = FileVerifier()
    return on_worker(
        lambda: verifier.verify(Path(path), progress), interrupt=verifier.interrupt, label="verify"
    )


def _looked_into(path: Path, carried: Carried) -> Carried:
    """Compare the values that the file holds with its record, where it holds those of one result."""
    if len(carried.sources) != 1 or carried.checked:
        return carried
    found = edits(path, carried.sources[0], carried.facts or {})
    if found is None:
        return carried
    return replace(carried, edited=found, checked=carried.checked or AS_RECORDED)
