"""What changed between two versions, as values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from greynb.publish.pages import PageTotals


@dataclass(frozen=True, slots=True)
class TableCounts:
    """What changed in one table.

    Attributes
    ----------
    kind
        Of the page comparison: ``"same"``, ``"ranges"``, ``"whole"``, ``"added"`` or ``"dropped"``.
    inserted, updated, deleted
        Rows; None where they could not be counted, see `reason`.
    reason
        Why all rows had to be compared, or could not be.
    """

    name: str
    kind: str
    inserted: int | None = 0
    updated: int | None = 0
    deleted: int | None = 0
    reason: str = ""

    @property
    def changed(self) -> bool:
        """Whether a row differs, or may."""
        return (self.inserted, self.updated, self.deleted) != (0, 0, 0)


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """A table, view, index or trigger that was ``"added"``, ``"dropped"`` or ``"changed"``."""

    type: str
    name: str
    change: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed between two files; prints as a small table.

    Attributes
    ----------
    old, new
        The SQLite files.
    tables
        Each table of either file, by name.
    schema
        What was added, dropped or defined otherwise.
    pages
        Pages of the new file and those that differ.
    """

    old: Path
    new: Path
    tables: tuple[TableCounts, ...]
    schema: tuple[SchemaChange, ...]
    pages: PageTotals

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        found = asdict(self) | {"old": str(self.old), "new": str(self.new)}
        return found | {"pages": asdict(self.pages) | {"bytes": self.pages.bytes}}

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def __repr__(self) -> str:
        return str(self)


def _lines(found: Changes) -> Iterator[str]:
    share = found.pages.changed / found.pages.total if found.pages.total else 0
    yield f"{found.old.parent.name} → {found.new.parent.name}"
    yield (
        f"{found.pages.changed:,} of {found.pages.total:,} pages differ ({share:.1%},"
        f" {found.pages.bytes / 1e6:,.1f} MB)"
    )
    for item in found.schema:
        yield f"{item.change} {item.type} {item.name}"
    changed = [each for each in found.tables if each.changed]
    if changed:
        width = max(5, *(len(each.name) for each in changed))
        yield f"{'table':<{width}} {'inserted':>12} {'updated':>12} {'deleted':>12}"
        for each in changed:
            counts = "".join(
                f" {'?' if number is None else format(number, ','):>12}"
                for number in (each.inserted, each.updated, each.deleted)
            )
            yield f"{each.name:<{width}}{counts}" + (f"  {each.reason}" if each.reason else "")
    else:
        yield "no row differs"
