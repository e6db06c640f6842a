"""``--export PATH`` of a cell and ``%greynb export``: `greynb.export` with progress, stopped by Ctrl-C."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from greynb.databases.notebook_frames import is_frame
from greynb.databases.result import Progress
from greynb.errors import GreynbError, QueryInterrupted, UsageError
from greynb.notebook import execution

if TYPE_CHECKING:
    from greynb.notebook.config import Greynb
    from greynb.notebook.options import CellOptions
    from greynb.report.exports import Exported

USAGE = "%greynb export NAME PATH… [--force] [--keep-formulas]"


class _Words(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%greynb export: {message}", hint=USAGE)


def export(words: Sequence[str], variables: Mapping[str, Any], config: Greynb) -> Exported:
    """Write a frame of the notebook to files, as the words after ``%greynb export`` say.

    Raises
    ------
    UsageError
        The words are off, there is no such frame, or a file must not be written.
    QueryInterrupted
        Ctrl-C; all files are as they were.
    """
    parser = _Words(prog="%greynb export", add_help=False, allow_abbrev=False)
    parser.add_argument("name")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--keep-formulas", action="store_true")
    asked = parser.parse_intermixed_args(words)
    frame = variables.get(asked.name)
    if not is_frame(frame):
        raise _no_frame(asked.name, variables)
    return export_frame(frame, asked.paths, asked.force, asked.keep_formulas, config)


def foresee(options: CellOptions) -> None:
    """Refuse files that cannot be written before the cell runs.

    Raises
    ------
    UsageError
        A suffix without a format, a folder, the same file twice.
    """
    if options.exports:
        from greynb.report.exports.exporting import targets_of

        targets_of(options.exports)


def export_value(
    frame: object | None, options: CellOptions, config: Greynb
) -> tuple[tuple[str, ...], GreynbError | None]:
    """Write the value of a cell to the files that its line names.

    Returns
    -------
    tuple
        What to say of it, and the error that kept it from being written.
    """
    if not options.exports:
        return (), None
    try:
        if frame is None:
            raise UsageError("no statement of the cell gave rows: there is nothing to export")
        done = export_frame(frame, options.exports, options.force, options.keep_formulas, config)
    except GreynbError as error:
        if frame is not None:
            error.detail = error.detail or f"the result itself is in {options.name or '_'}"
        return (), error
    return (*(f"written: {line}" for line in done.lines()), *done.notices), None


def export_frame(
    frame: object, paths: Sequence[str], force: bool, keep_formulas: bool, config: Greynb
) -> Exported:
    """Write a frame to files, interruptibly, showing how far it is.

    Raises
    ------
    UsageError
        A file must not be written, or cannot be.
    QueryInterrupted
        Ctrl-C; all files are as they were.
    """
    from greynb import export

    stop, fraction = threading.Event(), 0.0
    written: list[Exported] = []

    def told(part: float) -> None:
        nonlocal fraction
        fraction = part
        if stop.is_set():
            raise QueryInterrupted("stopped")

    def task() -> Exported:
        formulas: Literal["keep", "neutralise"] = "keep" if keep_formulas else "neutralise"
        written.append(export(frame, *paths, force=force, formulas=formulas, progress=told))
        return written[0]

    try:
        return execution.run(
            task,
            interrupt=stop.set,
            progress=lambda: Progress(fraction=fraction),
            show_progress=config.progress,
            interruptible=config.interrupt,
            label="export",
        )
    except QueryInterrupted:
        if written:  # the last file was renamed before the interrupt was seen
            return written[0]
        raise QueryInterrupted("the export was interrupted; all files are as they were") from None


def _no_frame(name: str, variables: Mapping[str, Any]) -> UsageError:
    known = [each for each in variables if is_frame(variables[each]) and not each.startswith("_")]
    close = get_close_matches(name, known, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    hint = f"DataFrames: {', '.join(known) or 'none'}"
    if not name.isidentifier():
        hint = f"it takes a name; in Python greynb.export({name}, …) takes any frame"
    return UsageError(f"{name} is not a DataFrame of this notebook{meant}", hint=hint)
