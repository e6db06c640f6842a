"""Frames of polars and Arrow tables, with the columns that the other side cannot take made plain."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa

from greynb.databases.load_values import as_pandas
from greynb.errors import UsageError
from greynb.report.exports.objects import from_objects
from greynb.report.exports.texts import by_value


def arrow_table(df: object) -> tuple[pa.Table, list[str | None]]:
    """Take a frame of polars, or anything of Arrow, as an Arrow table.

    Returns
    -------
    tuple
        The table, and of each column what to say of it, if anything.

    Raises
    ------
    UsageError
        It is no frame.
    """
    frame: Any = df.collect() if type(df).__name__ == "LazyFrame" and hasattr(df, "collect") else df
    if type(frame).__module__.startswith("polars") and hasattr(frame, "get_columns"):
        converted = [_from_polars(series) for series in frame.get_columns()]
        return pa.table([column for column, _ in converted], frame.columns), [note for _, note in converted]
    if not (hasattr(frame, "__arrow_c_stream__") or hasattr(frame, "__arrow_c_array__")):
        raise _no_table(df)
    try:
        table = pa.table(frame)
    except (pa.ArrowException, TypeError) as error:  # a single column also has the interface
        raise _no_table(df) from error
    return table, [None] * table.num_columns


def _no_table(df: object) -> UsageError:
    has_one = type(getattr(df, "table", None)).__name__ == "DataFrame"
    hint = "pass a frame of pandas or polars, or an Arrow table"
    return UsageError(
        f"{type(df).__name__} is not a table",
        hint=f"pass its frame: {type(df).__name__.lower()}.table" if has_one else hint,
    )


def _from_polars(series: Any) -> tuple[Any, str | None]:
    from polars import CompatLevel, Object

    try:
        column = series.to_arrow(compat_level=CompatLevel.oldest())
    except (pa.ArrowException, TypeError):
        column = None
    # Objects come as their addresses, and Arrow can do little with string views in a list.
    if column is None or series.dtype == Object or "view" in str(column.type):
        return from_objects(pd.Series(series.to_list(), dtype=object))
    return column, None


def pandas_of(table: pa.Table) -> pd.DataFrame:
    """Give an Arrow table as a DataFrame; columns that pandas has no type for as text."""
    try:
        frame = as_pandas(table)
    except (pa.ArrowException, NotImplementedError):
        frame = None
    if frame is not None:
        return frame
    columns = {name: _pandas_column(name, table) for name in table.column_names}
    return pd.DataFrame(columns)


def _pandas_column(name: str, table: pa.Table) -> Any:
    try:
        frame = as_pandas(table.select([name]))
        assert frame is not None
        return frame[name]
    except (pa.ArrowException, NotImplementedError):
        return by_value(table[name]).to_pandas()
