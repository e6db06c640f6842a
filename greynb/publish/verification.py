"""What a comparison of analytics with staging found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from greynb.publish.merging import RowDifference

State = Literal["equal", "different", "missing", "extra", "unreadable", "by plan"]

PLANNED: Final = "made by a plan: what that leaves out or transforms differs from staging by intent"
"""The notice on a comparison with a version that a plan made."""

if TYPE_CHECKING:
    from greynb.routing import Server


@dataclass(frozen=True, slots=True)
class TableComparison:
    """One table on both sides.

    Attributes
    ----------
    name
        The table, or view.
    state
        ``"equal"``, ``"different"``, ``"missing"`` (analytics lacks it), ``"extra"`` (staging lacks it),
        ``"unreadable"``, or ``"by plan"``: it differs, and the version was made by a plan.
    reason
        Why, where that is not said by the rows.
    staging_rows, analytics_rows
        Row counts; None where there is nothing to count.
    rows
        The first rows that differ, by key.
    """

    name: str
    state: State
    reason: str = ""
    staging_rows: int | None = None
    analytics_rows: int | None = None
    rows: tuple[RowDifference, ...] = ()

    def by_plan(self) -> TableComparison:
        """The same of a version that a plan made: a difference is no error, but a table must be readable."""
        if self.state not in ("different", "missing", "extra"):
            return self
        return replace(self, state="by plan", reason=self.reason or self.state)


@dataclass(frozen=True, slots=True)
class Verification:
    """What a comparison found; prints as a table.

    Attributes
    ----------
    source, target
        The file of staging, and what users read: a path, or a lake.
    version
        The version of analytics that was compared; empty where both roles are one file.
    tables
        By name.
    damaged
        Files of the version that are not what its manifest says.
    notices
        What the user should know.
    """

    source: Path | Server
    target: Path | Server
    version: str
    tables: tuple[TableComparison, ...]
    damaged: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether nothing differs that no plan made different, and no file is damaged."""
        return not self.damaged and all(each.state in ("equal", "by plan") for each in self.tables)

    def as_dict(self) -> dict[str, Any]:
        """The same as values for JSON."""
        plain = asdict(self) | {"source": str(self.source), "target": str(self.target)}
        return {"equal": self.equal, **plain}

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        counts = Counter(each.state for each in self.tables)
        tables = f"{len(self.tables) or 'no'} table{'' if len(self.tables) == 1 else 's'}"
        states = ", ".join(f"{count} {state}" for state, count in counts.items())
        counted = tables if set(counts) <= {"equal"} else f"{tables}: {states}"
        verdict = "equal" if self.equal else "not equal"
        if self.version:
            yield f"{self.version}: {verdict} to staging ({counted})"
        else:
            yield f"{self.target.name}: nothing to compare"
        yield from (f"  damaged: {name} is not what was published (sha256)" for name in self.damaged)
        for each in self.tables:
            if each.state != "equal":
                yield from _table_lines(each)
        yield from (f"  note: {notice}" for notice in self.notices)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def _table_lines(table: TableComparison) -> Iterator[str]:
    counts = (table.staging_rows, table.analytics_rows)
    counted = " · ".join(
        f"{rows:,} rows in {side}"
        for rows, side in zip(counts, ("staging", "analytics"), strict=True)
        if rows is not None
    )
    yield "  " + " · ".join(part for part in (f"{table.name}: {table.state}", table.reason, counted) if part)
    yield from (f"    {row}" for row in table.rows)
