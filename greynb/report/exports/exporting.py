"""`greynb.export`: one frame to one or several files."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Literal

from greynb.errors import UsageError
from greynb.report.exports.files import destination
from greynb.report.exports.formats import Format, format_of
from greynb.report.exports.records import cell_of, check_replaceable
from greynb.report.exports.result import Exported
from greynb.report.exports.tables import as_table
from greynb.report.exports.writing import write_all


def export(
    df: object,
    *paths: str | PathLike[str],
    force: bool = False,
    formulas: Literal["neutralise", "keep"] = "neutralise",
    progress: Callable[[float], None] | None = None,
) -> Exported:
    """Write a frame to files, whole, in the formats that their suffixes name.

    Each file carries where its rows came from: the SQL, parameters, database, version, time and a hash of
    the content, in the file itself or in ``NAME.meta.json`` beside it. All files are written aside and
    renamed when the last is whole, so that an error or Ctrl-C leaves everything as it was.

    Parameters
    ----------
    df
        A frame of pandas or polars, or an Arrow table.
    paths
        One or more: .csv, .parquet, .json, .md, .html, .xlsx, .tex. Folders are made.
    force
        Replace whatever is there. Without it only a file that greynb made from the same cell is replaced.
    formulas
        ``"keep"`` leaves texts as they are in CSV files, also those that a spreadsheet would run.
    progress
        Called with the part that is done, 0 to 1; may raise to stop.

    Returns
    -------
    Exported
        Paths, rows, bytes and notices.

    Raises
    ------
    UsageError
        A suffix without a format, a path that cannot be written, a file that must not be replaced, no frame.
    """
    begun = time.perf_counter()
    if formulas not in ("neutralise", "keep"):
        raise UsageError(f"formulas={formulas!r} is unknown", hint='it is "neutralise" or "keep"')
    targets = targets_of(paths)
    table = as_table(df)

    def check() -> None:
        for target, kind in targets.items():
            if not force:
                check_replaceable(target, cell_of(df), has_record_beside=kind.record_beside)

    check()
    new = dict.fromkeys(each.parent for each in targets if not each.parent.exists())
    notices = [f"the folder {folder} was made" for folder in new]
    notices += write_all(table, targets, formulas == "keep", progress or (lambda _part: None), check)
    sizes = tuple(target.stat().st_size for target in targets)
    taken = time.perf_counter() - begun
    return Exported(tuple(targets), table.arrow.num_rows, sizes, taken, tuple(dict.fromkeys(notices)))


def targets_of(paths: Sequence[str | PathLike[str]]) -> dict[Path, Format]:
    """Where an export would go, and in which formats; asked before a query runs, so that it does not in vain.

    Raises
    ------
    UsageError
        No path, one that is named twice, is a folder, or has a suffix without a format.
    """
    if not paths:
        raise UsageError("an export needs the path of a file", hint="for example races.csv")
    targets: dict[Path, Format] = {}
    for path in map(destination, paths):
        if path in targets:
            raise UsageError("the same file is named twice", path=path)
        targets[path] = format_of(path)
    return targets
