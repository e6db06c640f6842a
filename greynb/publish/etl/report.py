"""What the plan of a publication did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Ran:
    """A statement of a transform.

    Attributes
    ----------
    line
        Where it begins in its file, from 1.
    sql
        Its first line.
    rows
        Rows inserted, updated or deleted.
    """

    line: int
    sql: str
    rows: int


@dataclass(frozen=True, slots=True)
class Transformed:
    """A transform that ran, with its statements; `file` is seen from the plan's folder."""

    file: str
    statements: tuple[Ran, ...]


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of the values of one column.

    Attributes
    ----------
    table, column, kind
        The column and the kind of values wished for.
    rows
        All rows: ``nulls + converted + lost``.
    nulls
        Rows without a value, those that hold a value meaning so included.
    converted
        Values of that kind now.
    changed
        How many of them were stored in another form before.
    lost
        Values that were of another kind and are NULL now.
    examples
        A few of the lost ones.
    declared
        The type that is declared now, where it had to be another one.
    """

    table: str
    column: str
    kind: str
    rows: int
    nulls: int
    converted: int
    changed: int
    lost: int
    examples: tuple[str, ...] = ()
    declared: str | None = None

    def __str__(self) -> str:
        return (
            f"{self.table}.{self.column} as {self.kind}: {self.changed:,} of {self.converted:,} values"
            f" changed, {self.lost:,} lost"
        )


@dataclass(frozen=True, slots=True)
class EtlReport:
    """What the plan of a publication did.

    Attributes
    ----------
    file
        Of the plan.
    tables
        Tables and views that the copy holds now.
    dropped
        Tables and views that the plan excludes.
    columns
        Columns that were dropped, as ``table.column``.
    transforms
        Per file.
    wishes
        Per column.
    indexes
        Those that were made.
    contracts
        What was found to hold.
    notices
        What the user should know.
    seconds
        Wall time per step, in order.
    """

    file: Path
    tables: tuple[str, ...]
    dropped: tuple[str, ...]
    columns: tuple[str, ...]
    transforms: tuple[Transformed, ...]
    wishes: tuple[Converted, ...]
    indexes: tuple[str, ...]
    contracts: tuple[str, ...]
    notices: tuple[str, ...]
    seconds: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Give plain dictionaries and lists, for JSON."""
        return asdict(self) | {"file": str(self.file), "seconds": dict(self.seconds)}

    def __str__(self) -> str:
        statements = sum(len(each.statements) for each in self.transforms)
        lines = [
            f"{self.file.name}: {len(self.tables)} tables kept, {len(self.dropped)} dropped,"
            f" {len(self.columns)} columns dropped",
            f"  {len(self.transforms)} transforms with {statements} statements,"
            f" {len(self.indexes)} indexes made, {len(self.contracts)} contracts kept",
            *(f"  {each}" for each in self.wishes),
            *(f"  note: {notice}" for notice in self.notices),
        ]
        return "\n".join(lines)
