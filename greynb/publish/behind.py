"""What exactly analytics lacks: the rows and pages in which a copy of staging differs from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from greynb.databases.generations import generation_at
from greynb.errors import PublishError
from greynb.publish.changes import changes
from greynb.publish.lag import NOT_PUBLISHED
from greynb.publish.source import source_of

if TYPE_CHECKING:
    from greynb.publish.source import Place

_OWN = "sqlite_stat"  # the planner's statistics, which a publication makes itself


@dataclass(frozen=True, slots=True)
class Behind:
    """How much of staging differs from analytics.

    Attributes
    ----------
    rows
        Rows inserted, updated and deleted; None where a table could not be compared row by row.
    tables
        Tables in which a row differs, or may.
    pages, pages_of
        Pages that differ, and all pages of staging. Analytics has a few of its own, for the statistics.
    """

    rows: int | None
    tables: tuple[str, ...]
    pages: int
    pages_of: int

    def as_dict(self) -> dict[str, object]:
        """The same as plain values."""
        return asdict(self)

    def __str__(self) -> str:
        number = "an unknown number of" if self.rows is None else f"{self.rows:,}"
        rows = f"{number} row differs" if self.rows == 1 else f"{number} rows differ"
        named = f" in {', '.join(self.tables)}" if self.tables else ""
        return f"{rows}{named}; {self.pages:,} of {self.pages_of:,} pages"


def behind(source: Place, target: Path) -> Behind:
    """Compare the published version with a private copy of staging, which is removed again.

    The copy takes staging's size in the temporary folder. Writers go on.

    Parameters
    ----------
    source
        Staging's file or server.
    target
        The path that users of analytics open.

    Raises
    ------
    MissingDatabase, UnreadableDatabase, DatabaseLocked
        Staging cannot be copied.
    PublishError
        Analytics was not published by greynb, or by a plan that makes it differ on purpose.
    """
    generation = generation_at(target)
    if generation is None or generation.manifest is None or not generation.is_intact():
        raise PublishError(NOT_PUBLISHED, role="analytics", path=target, hint="run `greynb sync`")
    if generation.manifest.mode == "etl":
        raise PublishError(
            "analytics was published by a plan, so it differs from staging on purpose",
            role="analytics",
            path=target,
            hint="`greynb status` without --exact gives the lag in seconds",
        )
    with source_of(source).held() as staging:
        found = changes(generation.database, staging)
    tables = [each for each in found.tables if each.changed and not each.name.startswith(_OWN)]
    counts = [count for each in tables for count in (each.inserted, each.updated, each.deleted)]
    rows = None if None in counts else sum(count or 0 for count in counts)
    return Behind(rows, tuple(each.name for each in tables), found.pages.changed, found.pages.total)
