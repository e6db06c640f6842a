"""One session of Spark Connect: its views of the lake's files, its queries, interrupts and progress."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.result import Progress
from greynb.errors import DatabaseError, GreynbError, QueryError, QueryInterrupted
from greynb.spark.connecting import connect, probe
from greynb.spark.typed import quoted

if TYPE_CHECKING:
    import pyarrow as pa

    from greynb.routing import Server
    from greynb.spark.files import TableFiles

_TAG: Final = "greynb"
_TYPES: Final = {
    "BOOLEAN": "BooleanType",
    "TINYINT": "ByteType",
    "SMALLINT": "ShortType",
    "INTEGER": "IntegerType",
    "BIGINT": "LongType",
    "DOUBLE": "DoubleType",
    "VARCHAR": "StringType",
    "DATE": "DateType",
    "TIMESTAMP": "TimestampNTZType",
    "BLOB": "BinaryType",
}
"""PySpark's classes for DuckDB's types; columns of other types are left out, and refused by name."""
_LOST: Final = (
    "NO_ACTIVE_SESSION",
    "SESSION_CLOSED",
    "SESSION_NOT_FOUND",
    "SESSION_CHANGED",
    "UNAVAILABLE",
    "Connection refused",
)
_STOPPED: Final = ("OPERATION_CANCELED", "OPERATION_CANCELLED", "CANCELLED")


class SparkRunner:
    """Runs statements of Spark's SQL; connects when first needed, and anew where the server was restarted.

    Parameters
    ----------
    server
        Where Spark Connect listens.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._spark: Any = None
        self._views: set[str] = set()
        self._stop = threading.Event()
        self._tasks: tuple[int, int] | None = None

    def run(self, sql: str, values: Mapping[str, Any], tables: Mapping[str, TableFiles]) -> pa.Table:
        """Run a query, and take all of its result.

        Parameters
        ----------
        sql, values
            In Spark's SQL, and what is bound to its parameters.
        tables
            The files behind each view that it names.

        Raises
        ------
        QueryInterrupted
            `interrupt` was called.
        QueryError
            Spark refused it, or failed at it.
        DatabaseError
            The server cannot be reached, or went away twice.
        """
        self._stop.clear()
        probe(self._server)
        try:
            return self._attempt(sql, values, tables)
        except _Lost:
            self.close()  # the server was started again since the last cell, or during this one
        probe(self._server)
        try:
            return self._attempt(sql, values, tables)
        except _Lost as lost:
            raise DatabaseError(
                f"the connection to Spark broke while the cell ran: {lost}",
                path=self._server.name,
                hint="run the cell again when the server is back",
            ) from None

    def interrupt(self) -> None:
        """Stop the running query; harmless when none runs."""
        self._stop.set()
        spark = self._spark
        if spark is not None:
            with suppress(Exception):  # it has ended, or the server is gone
                spark.interruptTag(_TAG)

    def progress(self) -> Progress | None:
        """How many of the tasks of the running query are done; None where none runs."""
        tasks = self._tasks
        if tasks is None:
            return None
        done, total = tasks
        return Progress(fraction=done / total if total else None)

    def forget_views(self) -> None:
        """Drop the views of a version that is not read any more."""
        views, self._views = self._views, set()
        for each in views if self._spark is not None else ():
            with suppress(Exception):  # the session is gone, and they with it
                self._spark.catalog.dropTempView(each)

    def close(self) -> None:
        """Leave the session."""
        spark, self._spark = self._spark, None
        self._views.clear()
        if spark is not None:
            with suppress(Exception):
                spark.client.close()

    def _attempt(self, sql: str, values: Mapping[str, Any], tables: Mapping[str, TableFiles]) -> pa.Table:
        self._tasks = (0, 0)
        try:
            spark = self._session()
            spark.addTag(_TAG)
            for view, files in tables.items():
                if view not in self._views:
                    _make_view(spark, view, files)
                    self._views.add(view)
            if self._stop.is_set():
                raise QueryInterrupted("the query was stopped")
            return spark.sql(sql, args=dict(values) or None).toArrow()
        except GreynbError:
            raise
        except Exception as error:  # of PySpark or gRPC, which have no base in common
            raise self._meaning(error, sql) from error
        finally:
            self._tasks = None

    def _session(self) -> Any:
        if self._spark is None:
            self._spark = connect(self._server)
            self._spark.registerProgressHandler(self._note)
        return self._spark

    def _note(self, stages: Any, **_more: Any) -> None:
        """PySpark's progress: stages with their numbers of tasks."""
        found = list(stages or [])
        self._tasks = sum(each.num_completed_tasks for each in found), sum(each.num_tasks for each in found)

    def _meaning(self, error: Exception, sql: str) -> Exception:
        said = str(error)
        if self._stop.is_set() or any(word in said for word in _STOPPED):
            return QueryInterrupted("the query was stopped")
        if any(word in said for word in _LOST):
            return _Lost(said.strip().partition("\n")[0][:200])
        first = said.strip().partition("\n")[0]
        return QueryError(f"Spark: {first[:400]}", detail=f"as sent to Spark: {sql[:600]}")


class _Lost(Exception):
    """The session is gone."""


def _make_view(spark: Any, name: str, table: TableFiles) -> None:
    from pyspark.sql import types

    known = {column: _TYPES[kind] for column, kind in table.columns.items() if kind in _TYPES}
    if table.paths:
        # A schema as text would be parsed by whichever session this process opened last.
        fields = [types.StructField(column, getattr(types, kind)()) for column, kind in known.items()]
        frame = spark.read.schema(types.StructType(fields)).parquet(*table.paths)
    else:
        listed = ", ".join(
            f"CAST(NULL AS {getattr(types, kind)().simpleString()}) AS {quoted(column)}"
            for column, kind in known.items()
        )
        frame = spark.sql(f"SELECT {listed} WHERE false")
    frame.createOrReplaceTempView(name)
