"""A frame of pandas or polars, or an Arrow table, as the one kind of table that all formats are written from.

The table has unique names and no index. Its columns are Arrow's, so that writing needs no Python object
for each value; what Arrow has no type for (values of several kinds in a column, periods, intervals) becomes
text, and a notice says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from greynb.databases.frames import unique_names
from greynb.errors import UsageError
from greynb.report.exports.objects import from_objects

_BATCH_ROWS = 16_384
_BATCH_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Table:
    """What is exported.

    Attributes
    ----------
    arrow
        The rows; names are unique texts.
    notices
        What had to be changed to make it.
    as_text
        The columns whose values became text that were none.
    """

    arrow: pa.Table
    notices: tuple[str, ...] = ()
    as_text: tuple[str, ...] = ()


def batches(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """Cut a table into parts of at most 16,384 rows and, as far as rows are alike, about 16 MB."""
    each = max(table.nbytes // max(table.num_rows, 1), 1)
    yield from table.to_batches(max_chunksize=max(min(_BATCH_ROWS, _BATCH_BYTES // each), 1))


def as_table(df: object) -> Table:
    """Take a frame as a table.

    Raises
    ------
    UsageError
        It is no frame, or has no columns.
    """
    if isinstance(df, Table):
        return df
    table = _from_pandas(df) if isinstance(df, pd.DataFrame) else _from_arrow(df)
    if not table.arrow.num_columns:
        raise UsageError("the frame has no columns: there is nothing to export")
    return table


def _from_arrow(df: object) -> Table:
    frame: Any = df.collect() if type(df).__name__ == "LazyFrame" and hasattr(df, "collect") else df
    if type(frame).__module__.startswith("polars") and hasattr(frame, "columns"):
        from polars import CompatLevel

        frame = frame.to_arrow(compat_level=CompatLevel.oldest())  # Arrow can do little with string views
    if not isinstance(frame, pa.Table):
        if not (hasattr(frame, "__arrow_c_stream__") or hasattr(frame, "__arrow_c_array__")):
            raise _no_table(df)
        try:
            frame = pa.table(frame)
        except (pa.ArrowException, TypeError) as error:  # a single column also has the interface
            raise _no_table(df) from error
    names, notices = _named(frame.column_names)
    return Table(frame.rename_columns(names), tuple(notices))


def _no_table(df: object) -> UsageError:
    return UsageError(
        f"a {type(df).__name__} is not a table", hint="pass a frame of pandas or polars, or an Arrow table"
    )


def _from_pandas(df: pd.DataFrame) -> Table:
    frame = df.copy(deep=False)
    frame.attrs = {}  # it would be copied with every column, and its path into Parquet's metadata
    frame, notices = _without_index(frame)
    names, said = _named(frame.columns.tolist())
    notices += said
    frame.columns = pd.Index(names)
    columns, plain, as_text, dtypes = [], [], [], frame.dtypes.tolist()
    for position, name in enumerate(names):
        column, note = _column(frame.iloc[:, position])
        columns.append(column)
        if note:
            notices.append(f"{name}: {note}")
            as_text.append(name)
        elif not pd.api.types.is_object_dtype(dtypes[position]):
            plain.append(name)
    # pandas' own metadata brings back dtypes such as Int64 and category where the file is read by pandas.
    metadata = pa.Schema.from_pandas(frame.loc[:, plain].iloc[:0], preserve_index=False).metadata
    table = pa.table(columns, names).replace_schema_metadata(metadata)
    return Table(table, tuple(notices), tuple(as_text))


def _without_index(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    index = frame.index
    if isinstance(index, pd.RangeIndex) and index.name is None:
        return frame, []
    levels = [index.get_level_values(level) for level in range(index.nlevels)]
    default = ["index"] if len(levels) == 1 else [f"level_{level}" for level in range(len(levels))]
    names = [default[at] if level.name is None else level.name for at, level in enumerate(levels)]
    kept = [pd.Series(level.array, name=name) for level, name in zip(levels, names, strict=True)]
    columns = list(frame.columns)
    whole = pd.concat([*kept, frame.set_axis(pd.RangeIndex(len(frame)))], axis=1)
    whole.columns = pd.Index([*names, *columns], dtype=object, tupleize_cols=False)
    said = ", ".join(map(_name, names))
    return whole, [f"the index is kept as {said}; reset_index(drop=True) leaves it out"]


def _named(given: Sequence[Any]) -> tuple[list[str], list[str]]:
    texts = [_name(name) for name in given]
    names, notices = unique_names(texts), []
    if any(isinstance(name, tuple) for name in given):
        notices.append("columns of several levels are named by all of them, joined with _")
    renamed = [name for name, text in zip(names, texts, strict=True) if name != text]
    if renamed:
        notices.append(f"repeated column names are numbered: {', '.join(renamed)}")
    return names, notices


def _name(name: Any) -> str:
    if isinstance(name, str):
        return name.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(name, tuple):
        return "_".join(text for text in map(_name, name) if text)
    return "" if name is None else str(name)


def _column(series: pd.Series[Any]) -> tuple[Any, str | None]:
    """Convert a column; the second is what to say of it."""
    dtype: Any = series.dtype
    if isinstance(dtype, pd.SparseDtype):
        series = series.astype(dtype.subtype)
        dtype = series.dtype
    if not isinstance(dtype, pd.PeriodDtype | pd.IntervalDtype) and not pd.api.types.is_object_dtype(dtype):
        try:
            column = pa.array(series, from_pandas=True)
        except (pa.ArrowException, UnicodeError, TypeError, ValueError):
            return from_objects(series.astype(object))
        inner = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not isinstance(inner, pa.BaseExtensionType):
            return column, None
    return from_objects(series.astype(object))
