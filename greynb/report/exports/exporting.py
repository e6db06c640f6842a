"""`greynb.export`: one frame to one or several files."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from greynb import __version__
from greynb.errors import UsageError
from greynb.report.exports.files import aside, destination, readable_errors
from greynb.report.exports.formats import Format, format_of
from greynb.report.exports.job import Job
from greynb.report.exports.records import beside, check_replaceable, record_of
from greynb.report.exports.tables import Table, as_table


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote.

    Attributes
    ----------
    paths
        The files, in the order asked for; the records beside some of them are not listed.
    rows
        Rows in each of them.
    bytes
        The size of each.
    seconds
        Wall time for all.
    notices
        What a reader of the files should know, each once.
    """

    paths: tuple[Path, ...]
    rows: int
    bytes: tuple[int, ...]
    seconds: float
    notices: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """One line for each file: ``races.csv: 12 rows, 1.2 kB``."""
        rows = f"{self.rows:,} row{'' if self.rows == 1 else 's'}"
        return [
            f"{_shown(path)}: {rows}, {_size(size)}"
            for path, size in zip(self.paths, self.bytes, strict=True)
        ]

    def __str__(self) -> str:
        return "\n".join([*self.lines(), *(f"note: {notice}" for notice in self.notices)])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        lines = [
            f'<div title="{escape(str(path))}">{escape(line)}</div>'
            for path, line in zip(self.paths, self.lines(), strict=True)
        ]
        notes = [f"<div><small>note: {escape(notice)}</small></div>" for notice in self.notices]
        return "".join([*lines, *notes])


Paths = str | PathLike[str] | Iterable[str | PathLike[str]]


def export(
    df: object,
    paths: Paths,
    *,
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
        One path or several: .csv, .parquet, .json, .md, .html, .xlsx, .tex. Folders are made.
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
    targets = _targets(paths)
    table = as_table(df)
    record = record_of(df)
    if not force:
        for target, kind in targets.items():
            check_replaceable(target, record, has_record_beside=kind.record_beside)
    notices = _write(table, record, targets, formulas == "keep", progress or (lambda _part: None))
    sizes = tuple(target.stat().st_size for target in targets)
    taken = time.perf_counter() - begun
    return Exported(tuple(targets), table.arrow.num_rows, sizes, taken, tuple(dict.fromkeys(notices)))


def _targets(paths: Paths) -> dict[Path, Format]:
    given = [paths] if isinstance(paths, str | PathLike) else list(paths)
    if not given:
        raise UsageError("an export needs the path of a file", hint="for example races.csv")
    targets: dict[Path, Format] = {}
    for path in map(destination, given):
        if path in targets:
            raise UsageError("the same file is named twice", path=path)
        targets[path] = format_of(path)
    return targets


def _write(
    table: Table,
    record: Mapping[str, Any],
    targets: Mapping[Path, Format],
    keep_formulas: bool,
    progress: Callable[[float], None],
) -> list[str]:
    notices = list(table.notices)
    records = {target: beside(target) for target, kind in targets.items() if kind.record_beside}
    rows = max(table.arrow.num_rows, 1)
    with aside([*targets, *records.values()]) as places:
        new = dict(zip([*targets, *records.values()], places, strict=True))
        for number, (target, kind) in enumerate(targets.items()):

            def told(done: int, before: int = number) -> None:
                progress((before + min(done / rows, 1)) / len(targets))

            job = Job(target.stem, record, keep_formulas, told)
            with readable_errors(target):
                written = kind.write(table, new[target], job)
            notices += written.notices
            if target in records:
                facts = {**_facts(target, table, written.facts), "sha256": _sha256(new[target])}
                _write_record(new[records[target]], [record], facts)
        progress(1.0)
    return notices


def _facts(target: Path, table: Table, more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "format": target.suffix.lower().removeprefix("."),
        "rows": table.arrow.num_rows,
        "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "greynb": __version__,
        **more,
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_record(path: Path, sources: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> None:
    text = json.dumps({"sources": sources, "export": facts}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _size(size: int) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size = size / 1000  # type: ignore[assignment]
    return f"{size:,.1f} GB"
