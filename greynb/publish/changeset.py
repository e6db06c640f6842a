"""What changed between two versions, as values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greynb.publish.pages import PageTotals

if TYPE_CHECKING:
    import pandas as pd

Event = tuple[tuple[Any, ...] | None, tuple[Any, ...] | None]
"""A row before and after: (before, None) was deleted, (None, after) inserted, both updated."""


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
    """What changed between two versions; prints as a small table.

    Attributes
    ----------
    old, new
        The SQLite files; of a lake, the versions' names.
    tables
        Each table of either, by name.
    schema
        What was added, dropped or defined otherwise.
    """

    old: Path | str
    new: Path | str
    tables: tuple[TableCounts, ...]
    schema: tuple[SchemaChange, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self) | {"old": str(self.old), "new": str(self.new)}

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True, repr=False)
class FileChanges(Changes):
    """What changed between two SQLite files.

    Attributes
    ----------
    pages
        Pages of the new file and those that differ.
    """

    pages: PageTotals

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        found = Changes.to_dict(self)
        return found | {"pages": asdict(self.pages) | {"bytes": self.pages.bytes}}


def _lines(found: Changes) -> Iterator[str]:
    yield " → ".join(each.parent.name if isinstance(each, Path) else each for each in (found.old, found.new))
    if isinstance(found, FileChanges):
        share = found.pages.changed / found.pages.total if found.pages.total else 0
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


def framed(found: Iterable[Event], names: Sequence[str]) -> pd.DataFrame:
    """Rows that differ as a frame: two columns that say how and which, then the columns that are named."""
    import pandas as pd

    lines: list[tuple[Any, ...]] = []
    for was, now in found:
        change = "inserted" if was is None else "deleted" if now is None else "updated"
        both = (("before", was), ("after", now))
        lines += [(change, version, *row) for version, row in both if row is not None]
    own = [_free(name, names) for name in ("change", "version")]
    return pd.DataFrame(lines, columns=[*own, *names], dtype=object)


def _free(name: str, taken: Sequence[str]) -> str:
    """A column name that the table has not."""
    while name in taken:
        name += "_"
    return name
