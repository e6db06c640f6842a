"""Profiles of DataFrames, measured in an engine of their own that reaches nothing else."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.decimals import decimals_written_out
from greynb.databases.identifiers import quote
from greynb.databases.result import Progress
from greynb.errors import QueryInterrupted, UsageError
from greynb.profiling.measuring import measure
from greynb.profiling.profile import ColumnProfile, Profile

if TYPE_CHECKING:
    import duckdb

_UNITS: Final = ("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
"""What DuckDB calls the times of pandas by their unit."""


class FrameProfiler:
    """Profiles one DataFrame; `interrupt` and `progress` may be called from another thread meanwhile.

    Parameters
    ----------
    frame
        Of pandas or polars, or an Arrow table.
    source
        What it is, for people.
    """

    def __init__(self, frame: Any, source: str) -> None:
        from greynb.databases.engine import plain_instance

        self._frame = decimals_written_out(frame)
        self._source = source
        self._con = plain_instance(enable_external_access="false", lock_configuration="true")

    def measure(self) -> Profile:
        """Measure it, once.

        Raises
        ------
        UsageError
            It has no columns, or values that no table can hold.
        QueryInterrupted
            `interrupt` was called.
        """
        import duckdb

        with closing(self._con) as con:
            try:
                con.register("frame", self._frame)
                found = measure(lambda sql: con.execute(sql).fetchall(), "frame", self._source)
                return replace(found, columns=tuple(_spoken(con, each) for each in found.columns))
            except duckdb.InterruptException:
                raise QueryInterrupted("the profile was interrupted") from None
            except duckdb.Error as error:
                raise UsageError(
                    f"{self._source} cannot be profiled: {str(error).splitlines()[0]}",
                    hint="a column of mixed objects can be made text first: frame[column].astype(str)",
                ) from error

    def interrupt(self) -> None:
        """Stop the measuring."""
        self._con.interrupt()

    def progress(self) -> Progress | None:
        """How far the statement is that runs now, as DuckDB estimates it."""
        percent = self._con.query_progress()
        return Progress(fraction=percent / 100) if percent >= 0 else None


def _spoken(con: duckdb.DuckDBPyConnection, column: ColumnProfile) -> ColumnProfile:
    """The column with its type as people know it: pandas has no days, and keeps them as whole seconds."""
    if column.type not in _UNITS:
        return column
    name = quote(column.name)
    days = f"SELECT coalesce(bool_and({name} = date_trunc('day', {name})), true) FROM frame"
    is_date = column.type == "TIMESTAMP_S" and con.execute(days).fetchall() == [(True,)]
    return replace(column, type="DATE" if is_date else "TIMESTAMP")
