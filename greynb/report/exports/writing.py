"""Writing a table to several files at once: all of them, or none."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from greynb import __version__
from greynb.databases.filehash import sha256_of
from greynb.errors import UsageError
from greynb.report.exports.files import aside, readable_errors
from greynb.report.exports.formats import Format
from greynb.report.exports.job import Job, Written
from greynb.report.exports.records import beside
from greynb.report.exports.tables import Table
from greynb.report.recording import described

_SLICE: Final = 0.05
"""Seconds between two looks at whether to stop."""


def write_all(
    table: Table,
    targets: Mapping[Path, Format],
    keep_formulas: bool,
    progress: Callable[[float], None],
    check: Callable[[], None],
) -> list[str]:
    """Write a table to each target, and its record.

    Parameters
    ----------
    table
        The rows.
    targets
        The paths, with their formats.
    keep_formulas
        Whether texts that a spreadsheet would run stay as they are.
    progress
        Called with the part that is done, 0 to 1; may raise to stop.
    check
        Called when all is written, before anything is renamed: raises where somebody else has put a file at
        a target meanwhile.

    Returns
    -------
    list
        What a reader must know.

    Raises
    ------
    UsageError
        A file cannot be written, or a value cannot be in it.
    """
    notices = list(table.notices)
    beyond = {target: beside(target) for target, kind in targets.items() if kind.record_beside}
    state = _State(progress, max(table.arrow.num_rows, 1) * len(targets), _hashing(table))
    with aside([*targets, *beyond.values()]) as places:
        new = dict(zip([*targets, *beyond.values()], places, strict=True))
        for target, kind in targets.items():
            with readable_errors(target):
                job = Job(target.stem, state.record, keep_formulas, state.told)
                written = _written(kind, table, new[target], job)
                if target in beyond:
                    facts = {**_facts(target, table), **written.facts, "sha256": sha256_of(new[target])}
                    _write_record(new[beyond[target]], state.record(), facts)
            notices += written.notices
            state.before += table.arrow.num_rows
        progress(1.0)
        check()
    return notices


def _written(kind: Format, table: Table, path: Path, job: Job) -> Written:
    try:
        return kind.write(table, path, job)
    except pa.ArrowException as error:
        message = f"{path.name} cannot hold these values: {str(error).splitlines()[0]}"
        raise UsageError(message, hint="leave the column out") from error


class _State:
    """How far the files are, and the record of all of them, which is made meanwhile."""

    def __init__(self, progress: Callable[[float], None], rows: int, hashing: Future[dict[str, Any]]) -> None:
        self.before = 0
        self._progress = progress
        self._rows = rows
        self._hashing = hashing
        self._last = 0.0

    def told(self, done: int) -> None:
        self._last = min((self.before + done) / self._rows, 1.0)
        self._progress(self._last)

    def record(self) -> dict[str, Any]:
        while not wait([self._hashing], _SLICE).done:
            self._progress(self._last)  # which may raise to stop
        return self._hashing.result()


def _hashing(table: Table) -> Future[dict[str, Any]]:
    """Describe a frame on another thread: hashing its content takes longer than writing most formats."""
    pool = ThreadPoolExecutor(1, "greynb hash")
    future = pool.submit(lambda: described(table.frame).as_dict())
    pool.shutdown(wait=False)
    return future


def _facts(target: Path, table: Table) -> dict[str, Any]:
    return {
        "format": target.suffix.lower().removeprefix("."),
        "rows": table.arrow.num_rows,
        "as_text": list(table.as_text),
        "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "greynb": __version__,
    }


def _write_record(path: Path, source: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    text = json.dumps({"sources": [source], "export": facts}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
