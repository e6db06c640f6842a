"""The analytics side: DuckDB over one still version of the analytics file, read-only by construction.

One in-memory DuckDB instance per session. The SQLite file of the current snapshot is attached read-only
under an internal name; what users see is the in-memory database ``analytics``, which holds one typed view
per table. The instance cannot reach other files (external access is off and the configuration is locked),
and every statement passes the gate before it reaches the engine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb

from greynb.databases import frames
from greynb.databases.catalog import Catalog
from greynb.databases.diagnose import explain_error
from greynb.databases.duckdb_progress import enable_progress
from greynb.databases.extension import extension_path
from greynb.databases.gate import Passed, check
from greynb.databases.identifiers import literal, quote
from greynb.databases.notebook_frames import registered
from greynb.databases.readonly import AnalyticsConnection
from greynb.databases.result import Progress, StatementResult
from greynb.errors import DatabaseError, GreynbError, QueryInterrupted

if TYPE_CHECKING:
    import pandas as pd

    from greynb.databases.snapshot import Snapshot, SnapshotSource

INTERNAL = "__greynb_"
CHANGED = "the analytics file changed while it was read; the cell was run again on a private copy"


class AnalyticsSession:
    """Runs gated SQL on the newest snapshot of one analytics file.

    Temporary tables and views live as long as the session, across new versions of the file. One statement
    list runs at a time; `interrupt` and `progress` may be called from other threads meanwhile.

    Parameters
    ----------
    source
        Where snapshots of the analytics file come from; closed together with the session.
    """

    def __init__(self, source: SnapshotSource) -> None:
        self._source = source
        self._lock = threading.RLock()
        self._attached = 0
        self._snapshot: Snapshot | None = None
        self._catalog: Catalog | None = None
        self._con = _locked_instance()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The one connection that everything of this session runs on."""
        return self._con

    @property
    def snapshot(self) -> Snapshot:
        """The version that the last cell read, or the newest one before the first cell."""
        return self._snapshot or self.refresh()

    @property
    def catalog(self) -> Catalog:
        """The tables and column types of that version."""
        if self._catalog is None:
            self.refresh()
        assert self._catalog is not None
        return self._catalog

    def refresh(self) -> Snapshot:
        """Move on to the newest version of the file, if there is one, and return the version in use."""
        with self._lock:
            snapshot = self._source.acquire()
            if snapshot is not self._snapshot:
                self._attach(snapshot)
            return snapshot

    def run(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        *,
        variables: Mapping[str, object] | None = None,
    ) -> list[StatementResult]:
        """Run the statements of one cell, all on one version of the file.

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
        """
        passed = check(sql)
        if not passed:
            return []
        arguments = parameters or {}, variables or {}
        with self._lock:
            self.refresh()
            try:
                results = self._attempt(passed, *arguments)
            except QueryInterrupted:
                raise
            except GreynbError:
                # A file that is being written can also fail to be read.
                if self._is_whole():
                    raise
            else:
                if self._is_whole():
                    return results
            self._forget(passed)
            self._attach(self._source.copy())
            first, *others = self._attempt(passed, *arguments)
            return [replace(first, notices=(*first.notices, CHANGED)), *others]

    def reader(self) -> AnalyticsConnection:
        """A gated connection of its own to this engine; it keeps the session alive.

        It reads the version that the session has now, and the session must stay on it (`refresh` is not
        called). A file that was not published by greynb can be written in place; a result that was read
        meanwhile is refused.
        """
        self.catalog  # noqa: B018  # attaches the version
        cursor = self._con.cursor()
        cursor.execute("USE analytics")
        return AnalyticsConnection(cursor, self._prepare, verify=self._verify)

    def interrupt(self) -> None:
        """Stop the running statement, or the copy made for it; harmless when none runs."""
        self._source.interrupt()
        self._con.interrupt()

    def progress(self) -> Progress | None:
        """How far the running statement is, as DuckDB estimates it; None where it cannot tell."""
        percent = self._con.query_progress()
        return Progress(fraction=percent / 100) if percent >= 0 else None

    def close(self) -> None:
        """Close the engine and remove the private files of its snapshots."""
        with self._lock:
            self._con.close()
            self._source.close()

    def _prepare(self, passed: Passed) -> None:
        with self._lock:
            self.catalog.ensure(passed.tables)

    def _verify(self) -> None:
        if not self._is_whole():
            raise DatabaseError(
                "the analytics file was written to while it was read",
                role="analytics",
                path=self.snapshot.source,
                hint="connect again; `greynb sync` publishes without disturbing readers",
            )

    def _is_whole(self) -> bool:
        return self._source.still_valid(self.snapshot)

    def _attach(self, snapshot: Snapshot) -> None:
        before = f"{INTERNAL}{self._attached}" if self._attached else None
        if self._catalog is not None:
            self._catalog.close()
        self._attached += 1
        alias = f"{INTERNAL}{self._attached}"
        self._con.execute(f"ATTACH {literal(str(snapshot.path))} AS {quote(alias)} (TYPE sqlite, READ_ONLY)")
        self._catalog = Catalog(self._con, alias, census=snapshot.census)
        self._catalog.open()
        self._snapshot = snapshot
        if before:
            self._con.execute(f"DETACH {quote(before)}")

    def _attempt(
        self, passed: Sequence[Passed], parameters: Mapping[str, object], variables: Mapping[str, object]
    ) -> list[StatementResult]:
        return [self._one(number, each, parameters, variables) for number, each in enumerate(passed, start=1)]

    def _one(
        self,
        number: int,
        passed: Passed,
        parameters: Mapping[str, object],
        variables: Mapping[str, object],
    ) -> StatementResult:
        begun = time.perf_counter()
        notices = list(self.catalog.ensure(passed.tables))
        if number == 1:
            notices = [*self.snapshot.notices, *notices]
        with registered(self._con, passed.tables, variables, self.catalog, notices):
            frame, types = self._fetch(passed, parameters)
        reads = passed.kind in ("select", "explain")
        counted = not reads and list(frame.columns) == ["Count"] and len(frame) == 1
        return StatementResult(
            number=number,
            line=passed.line,
            sql=passed.sql,
            frame=frame if reads else None,
            types=types if reads else (),
            affected=int(frame["Count"].iloc[0]) if counted else None,
            seconds=time.perf_counter() - begun,
            notices=tuple(notices),
        )

    def _fetch(
        self, passed: Passed, parameters: Mapping[str, object]
    ) -> tuple[pd.DataFrame, tuple[str, ...]]:
        named = {name: parameters[name] for name in passed.parameters if name in parameters}
        try:
            try:
                return self._execute(passed.sql, named)
            except duckdb.Error as error:
                if not self.catalog.recover(error, passed.tables):
                    raise
                return self._execute(passed.sql, named)
        except duckdb.Error as error:
            raise explain_error(
                error, passed.sql, role="analytics", tables=self._columns, line_offset=passed.line - 1
            ) from error

    def _execute(self, sql: str, parameters: Mapping[str, object]) -> tuple[pd.DataFrame, tuple[str, ...]]:
        self._con.execute(sql, parameters or None)
        return frames.from_duckdb(self._con)

    def _columns(self) -> dict[str, list[str]]:
        """The columns of every table that a statement can name, temporary ones included."""
        found: dict[str, list[str]] = {}
        for table, column in self._con.execute(
            "SELECT table_name, column_name FROM duckdb_columns()"
            " WHERE database_name IN ('analytics', 'temp') AND NOT internal"
        ).fetchall():
            found.setdefault(table, []).append(column)
        return found

    def _forget(self, passed: Sequence[Passed]) -> None:
        """Drop what the first attempt made, so that the second one can make it again."""
        for each in passed:
            if each.creates:
                kind, name = each.creates
                self._con.execute(f"DROP {kind} IF EXISTS temp.{quote(name)}")


def _locked_instance() -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that knows SQLite and can reach no file by itself."""
    con = duckdb.connect(
        ":memory:",
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
    )
    con.execute(f"LOAD {literal(str(extension_path()))}")
    # Multi-threaded scans of DuckDB 1.5.5 lose the last row of a table at rowid 122,880 * k, silently.
    con.execute("SET sqlite_disable_multithreaded_scans = true")
    # It takes two attached tables with the same columns for one (duckdb issue 24781), silently.
    con.execute("SET disabled_optimizers = 'common_subplan'")
    enable_progress(con)
    con.execute("ATTACH ':memory:' AS analytics")
    con.execute("USE analytics")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con
