"""What the log keeps of one statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from greynb.databases.sqltext import Dialect
from greynb.routing import Role


@dataclass(frozen=True, slots=True)
class Entry:
    """One statement of a cell, or a whole cell that failed.

    Attributes
    ----------
    time
        When the cell began: UTC, ISO 8601.
    role, file
        Whose file, and its path.
    version
        The version of analytics that was read; None for staging, and after an error.
    sql
        As written, values not put in.
    parameters
        The variables that the cell named, each with its typed JSON, or with None where values are not kept.
    seconds
        Wall time; of a cell that failed, until it did.
    rows
        Rows returned, or else inserted, updated or deleted; None where there are none to count.
    error
        The first line of what went wrong; None where nothing did.
    kept
        Whether the result cache answered.
    """

    time: str
    role: Role
    file: str
    version: str | None
    sql: str
    parameters: Mapping[str, Any]
    seconds: float
    rows: int | None
    error: str | None = None
    kept: bool = False

    @property
    def dialect(self) -> Dialect:
        """What the statement is written for."""
        if self.role == "analytics":
            return "duckdb"
        return "postgresql" if self.file.startswith("postgresql:") else "sqlite"

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for JSON."""
        names = ("time", "role", "file", "version", "sql", "seconds", "rows", "error", "kept")
        return {**{name: getattr(self, name) for name in names}, "parameters": dict(self.parameters)}
