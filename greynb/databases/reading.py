"""What running a statement needs to know of the version that is attached, whatever that is stored in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from greynb.databases.archived import ArchivedRows
    from greynb.databases.mirroring import Mirroring
    from greynb.databases.outline import Table
    from greynb.databases.readonly import AnalyticsConnection
    from greynb.databases.recall import Recall
    from greynb.databases.reports import ColumnReport, TableReport
    from greynb.databases.result import Progress, Ran, Result


class Version(Protocol):
    """One still version of analytics."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def kind(self) -> str:
        """What it is stored in."""

    @property
    def published(self) -> datetime | None:
        """When it was published; None where that is not known."""

    @property
    def identity(self) -> str | None:
        """What no other version will ever have; None where it may yet change."""


class AnyCatalog(Protocol):
    """The tables that a statement can name, as views."""

    def ensure(self, names: Iterable[str]) -> tuple[str, ...]:
        """Make sure that the named tables can be read; gives what is to be said of them, the first time."""

    def recover(self, error: Exception, names: Iterable[str]) -> bool:
        """Whether it makes sense to run a statement again after it failed."""

    def __contains__(self, name: object) -> bool:
        """Whether there is a table or view of that name, in any case."""

    def tables(self) -> list[TableReport]:
        """List the tables and views."""

    def outline(self) -> list[Table]:
        """The tables with their columns, as far as they are known without counting."""

    def columns(self, table: str) -> list[ColumnReport]:
        """Report the columns of one table; raises KeyError where there is none."""


class Reading(Protocol):
    """A version that is attached."""

    @property
    def snapshot(self) -> Version | None:
        """The version; None before the first."""

    @property
    def catalog(self) -> AnyCatalog | None:
        """Its tables; None before the first."""

    @property
    def archived(self) -> ArchivedRows | None:
        """Rows that stand beside it, if any."""

    def take_notices(self) -> list[str]:
        """What is to be said of the version; nothing when asked again."""


class CellSession(Protocol):
    """What runs the cells of analytics, whatever engine that is; see `greynb.databases.analytics`."""

    mirroring: Mirroring
    recall: Recall

    @property
    def snapshot(self) -> Version:
        """The version that the last cell read, or the newest one before the first cell."""

    @property
    def catalog(self) -> AnyCatalog:
        """The tables and column types of that version."""

    def refresh(self) -> Version:
        """Move on to the newest version, unless one is pinned, and return the version in use."""

    def pin(self, version: str | None = None) -> Version:
        """Keep to one version, by default the newest, until `unpin`."""

    def unpin(self) -> Version:
        """Go on with the newest version, which is returned."""

    def run(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        variables: Mapping[str, object] | None = None,
    ) -> list[Result]:
        """Run the statements of one cell, all on one version."""

    def fetch(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        variables: Mapping[str, object] | None = None,
    ) -> list[Ran]:
        """Run the statements of one cell, and leave making the frames to the caller."""

    def tables(self) -> list[TableReport]:
        """List the tables of the version in use."""

    def outline(self) -> list[Table] | None:
        """The tables and the temporary ones; None while something runs."""

    def reader(self) -> AnalyticsConnection:
        """A gated connection of its own to the version in use."""

    def interrupt(self) -> None:
        """Stop what runs; harmless when nothing does."""

    def progress(self) -> Progress | None:
        """How far the running statement is; None where that cannot be told."""

    def close(self) -> None:
        """Close the engine."""
