"""What a publication did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a publication did.

    Attributes
    ----------
    id
        The version published, ``gen-000042``; empty where nothing was to do.
    mode
        ``"full"``: the whole database was copied. ``"none"``: both roles are one file.
    source, target
        The database that was copied, and the path that users open.
    path
        The SQLite file of the new version.
    rows
        Per table; None for a table that could not be counted.
    bytes
        Size of the new file.
    seconds
        Wall time per step, in order.
    notices
        What the user should know.
    """

    id: str
    mode: Literal["full", "none"]
    source: Path
    target: Path
    path: Path
    rows: Mapping[str, int | None] = field(default_factory=dict)
    bytes: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.mode == "none":
            return f"nothing to copy: staging and analytics are one file ({self.path})"
        counted = sum(rows or 0 for rows in self.rows.values())
        steps = " · ".join(f"{name} {seconds:.2f} s" for name, seconds in self.seconds.items())
        lines = [
            f"{self.id}: {len(self.rows)} tables, {counted:,} rows, {self.bytes / 1e6:,.1f} MB"
            f" in {sum(self.seconds.values()):.2f} s",
            f"  {self.source} -> {self.target}",
            f"  {steps}",
        ]
        return "\n".join([*lines, *(f"  note: {notice}" for notice in self.notices)])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))
