"""What the sessions that run cells of analytics in DuckDB have in common, whatever the engine reads."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from greynb.databases.executing import checked
from greynb.databases.outline import Table, idle, temporaries
from greynb.databases.result import Progress, Ran, Result

if TYPE_CHECKING:
    import duckdb

    from greynb.databases.gate import Passed
    from greynb.databases.reading import AnyCatalog, Version

Values = Mapping[str, object] | None


class EngineSession(ABC):
    """Runs gated SQL; one list of statements at a time."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    @property
    @abstractmethod
    def catalog(self) -> AnyCatalog:
        """The tables and column types of the version in use."""

    @abstractmethod
    def refresh(self) -> Version:
        """Move on to the newest version, unless one is pinned, and return the version in use."""

    @property
    @abstractmethod
    def _engine(self) -> duckdb.DuckDBPyConnection | None:
        """The engine; None before the first cell."""

    @abstractmethod
    def _ran(
        self, passed: Sequence[Passed], parameters: Mapping[str, object], variables: Mapping[str, object]
    ) -> list[Ran]:
        """Run checked statements, at least one."""

    def run(self, sql: str, parameters: Values = None, *, variables: Values = None) -> list[Result]:
        """Run the statements of one cell, all on one version; raises like `fetch`."""
        return [each.finished() for each in self.fetch(sql, parameters, variables=variables)]

    def fetch(self, sql: str, parameters: Values = None, *, variables: Values = None) -> list[Ran]:
        """Run the statements of one cell, and leave making the frames to the caller.

        Parameters
        ----------
        sql
            One or more statements; parameters as ``$name``.
        parameters
            Values by name; each statement takes those it names.
        variables
            Where DataFrames may be found that a statement names like a table.

        Raises
        ------
        WriteRefused
            The gate refused a statement; nothing was run.
        QueryError
            The engine refused a statement.
        DatabaseError
            The file, or the server, cannot be reached or read.
        """
        passed = checked(sql)
        return self._ran(passed, parameters or {}, variables or {}) if passed else []

    def outline(self) -> list[Table] | None:
        """The tables of the version in use and the temporary ones; None while something runs."""
        with idle(self._lock) as free:
            if not free:
                return None
            self.refresh()
            found = self.catalog.outline()
            return [*found, *temporaries(self._engine)] if self._engine is not None else found

    def progress(self) -> Progress | None:
        """How far the running statement is, as DuckDB estimates it; None where it cannot tell."""
        percent = self._engine.query_progress() if self._engine is not None else -1
        return Progress(fraction=percent / 100) if percent >= 0 else None
