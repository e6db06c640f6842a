"""Cells that Spark computes: DuckDB checks and describes each statement, Spark reads the snapshot's files.

DuckDB, with the lake attached, is the authority: what it refuses is refused, and the names and types of the
columns are those that it gives. Spark gets the query, translated where that is known to change nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

import duckdb

from greynb.databases.executing import checked
from greynb.databases.frames import Fetched
from greynb.databases.identifiers import fold, quote
from greynb.databases.outline import Table, idle
from greynb.databases.result import Progress, Ran, Result
from greynb.errors import GreynbError
from greynb.lake.session import LakeSession
from greynb.spark.files import TableFiles, table_files
from greynb.spark.running import SparkRunner
from greynb.spark.translating import KINDS, Translation, translate
from greynb.spark.typed import refuse

if TYPE_CHECKING:
    import pyarrow as pa

    from greynb.databases.gate import Passed
    from greynb.databases.readonly import AnalyticsConnection
    from greynb.databases.reports import TableReport
    from greynb.lake.catalog import LakeCatalog
    from greynb.lake.snapshots import LakeSnapshot
    from greynb.routing import Server

Values = Mapping[str, object] | None
OPEN: Final = "LIMIT without ORDER BY: on Spark other rows may come each time"
_WIDE: Final = {"HUGEINT": "int"}
_TEMPORARY: Final = "write it as WITH name AS (…) in the statement that reads it"


class SparkSession:
    """Runs gated SQL on Spark, over the newest snapshot of a lake or the pinned one.

    One list of statements runs at a time; `interrupt` and `progress` may be called from other threads.

    Parameters
    ----------
    server
        Where Spark Connect listens.
    lake
        What it computes over.

    Attributes
    ----------
    mirroring, recall
        As of the other sessions; there is no mirror.
    """

    def __init__(self, server: Server, lake: Server) -> None:
        self._lake = LakeSession(lake)
        self._spark = SparkRunner(server)
        self._lock = threading.RLock()
        self._files: dict[str, TableFiles | None] = {}
        self._number = -1
        self.mirroring = self._lake.mirroring
        self.recall = self._lake.recall

    @property
    def snapshot(self) -> LakeSnapshot:
        """The snapshot that the last cell read, or the newest one before the first cell."""
        return self._lake.snapshot

    @property
    def catalog(self) -> LakeCatalog:
        """The tables and column types of that snapshot."""
        return self._lake.catalog

    @property
    def duckdb(self) -> LakeSession:
        """DuckDB's session over the same version."""
        return self._lake

    def refresh(self) -> LakeSnapshot:
        """Move on to the newest snapshot, if nothing is pinned, and return the one in use."""
        return self._lake.refresh()

    def pin(self, version: str | None = None) -> LakeSnapshot:
        """Keep to one version, by default the newest, until `unpin`."""
        return self._lake.pin(version)

    def unpin(self) -> LakeSnapshot:
        """Go on with the newest snapshot, which is returned."""
        return self._lake.unpin()

    def run(self, sql: str, parameters: Values = None, *, variables: Values = None) -> list[Result]:
        """Run the statements of one cell, all on one snapshot; raises like `fetch`."""
        return [each.finished() for each in self.fetch(sql, parameters, variables=variables)]

    def fetch(self, sql: str, parameters: Values = None, *, variables: Values = None) -> list[Ran]:
        """Run the statements of one cell, and leave making the frames to the caller.

        Statements that only describe (SHOW, DESCRIBE, EXPLAIN) are answered by DuckDB.

        Parameters
        ----------
        sql, parameters, variables
            As for the other sessions; Spark reads no DataFrames of the notebook.

        Raises
        ------
        WriteRefused
            The gate refused a statement; nothing was run.
        Unsupported
            A statement could give something else on Spark than in DuckDB.
        QueryError
            DuckDB or Spark refused a statement.
        DatabaseError
            Spark or the lake cannot be reached.
        """
        passed = checked(sql)
        with self._lock:
            ran = []
            for number, each in enumerate(passed, start=1):
                try:
                    ran.append(self._one(number, each, parameters or {}, variables or {}))
                except GreynbError as error:
                    if len(passed) > 1:
                        error.message = f"statement {number}: {error.message}"
                    raise
            return ran

    def tables(self) -> list[TableReport]:
        """List the tables of the newest snapshot."""
        return self._lake.tables()

    def outline(self) -> list[Table] | None:
        """The tables of the newest snapshot; None while something runs."""
        with idle(self._lock) as free:
            return self._lake.outline() if free else None

    def reader(self) -> AnalyticsConnection:
        """A gated connection of DuckDB's to the snapshot in use."""
        return self._lake.reader()

    def interrupt(self) -> None:
        """Stop the running statement; harmless when none runs."""
        self._lake.interrupt()
        self._spark.interrupt()

    def progress(self) -> Progress | None:
        """The part of the tasks that is done; None where that cannot be told."""
        return self._spark.progress()

    def close(self) -> None:
        """Leave the session of Spark, and close DuckDB."""
        with self._lock:
            self._spark.close()
            self._lake.close()

    def _one(
        self, number: int, passed: Passed, parameters: Mapping[str, object], variables: Mapping[str, object]
    ) -> Ran:
        if passed.kind in ("create", "drop"):
            refuse("a temporary table, view or macro", _TEMPORARY)
        if passed.sql.lower().startswith("summarize"):
            refuse("SUMMARIZE", "write count, min, max, avg and stddev of the columns that you need")
        if passed.kind != "select" or passed.sql.lower().startswith(("describe", "show")):
            (ran,) = self._lake.fetch(passed.sql, parameters)
            return ran
        begun = time.perf_counter()
        named = {name: parameters[name] for name in passed.parameters if name in parameters}
        if number == 1:
            self._lake.refresh()
        described, notices = self._lake.describe(passed, named)
        tables = self._tables(passed, variables)
        views = {name: f"greynb_{self._number}_{sorted(self._files).index(name)}" for name in tables}
        shown = {name: self._shown(name, of) for name, of in tables.items()}
        found = translate(passed.sql, shown, views, named)
        _check_kinds(found, described)

        def run(_passed: Passed, _values: object) -> Fetched:
            files = {views[name]: of for name, of in tables.items()}
            return as_duckdb(self._spark.run(found.sql, found.values, files), described)

        fetched = self._lake.recalled(passed, named, run, engine="spark")
        result = Result(
            number=number,
            line=passed.line,
            sql=passed.sql,
            frame=None,
            types=fetched.types,
            affected=None,
            seconds=time.perf_counter() - begun,
            notices=(*notices, *((OPEN,) if found.is_open else ())),
            kept=fetched.kept,
            engine="Spark",
        )
        return Ran(result, fetched)

    def _tables(self, passed: Passed, variables: Mapping[str, object]) -> dict[str, TableFiles]:
        """The files of the tables that a statement names, by name in lower case."""
        number, catalog = self.snapshot.number, self.catalog
        if number != self._number:
            self._number = number
            self._files = {fold(each.name): None for each in catalog.tables()}
            self._spark.forget_views()
        found: dict[str, TableFiles] = {}
        for name in passed.tables:
            key = fold(name)
            if key not in self._files:
                if name in variables:
                    refuse(f"the notebook's DataFrame {name}", "load it into staging and publish it")
                continue  # a name of a WITH
            known = self._files[key]
            if known is None:
                known = self._files[key] = self._lake.files(partial(_files_of, key, number))
            found[key] = known
        return found

    def _shown(self, name: str, files: TableFiles) -> dict[str, str]:
        """The columns that users see of a table, with DuckDB's types."""
        types = {fold(column): kind for column, kind in files.columns.items()}
        return {fold(column): types[fold(column)] for column, _ in self.catalog.described(name)}


def _files_of(name: str, number: int, con: duckdb.DuckDBPyConnection) -> TableFiles:
    return table_files(con, name, number)


def as_duckdb(data: pa.Table, described: list[tuple[str, str]]) -> Fetched:
    """A result of Spark with the names and types that DuckDB gives the query."""
    columns = [f"c{number}" for number in range(len(described))]
    cast = ", ".join(
        f"CAST({column} AS {kind}) AS {quote(name)}"
        for column, (name, kind) in zip(columns, described, strict=True)
    )
    with duckdb.connect(":memory:") as con:
        con.register("given", data.rename_columns(columns))
        con.execute(f"SELECT {cast} FROM given")
        return Fetched.last(con)


def _check_kinds(found: Translation, described: list[tuple[str, str]]) -> None:
    """Refuse a query of which the translation has another idea than DuckDB."""
    for kind, (name, wanted) in zip(found.kinds, described, strict=True):
        if kind != "null" and kind != KINDS.get(wanted, _WIDE.get(wanted)):
            refuse(f"the column {name}, which is {wanted} in DuckDB and {kind} on Spark", "write a CAST")
