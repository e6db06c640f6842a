"""What an export gives back."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any


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


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
