"""A frame of pandas or polars, or an Arrow table, as the one kind of table that all formats are written from.

The table has unique names and no index. Its columns are Arrow's, so that writing needs no Python object
for each value; what Arrow has no type for (values of several kinds in a column, periods, intervals) becomes
text, and a notice says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from greynb.errors import UsageError
from greynb.report.exports.arrow import arrow_table, pandas_of
from greynb.report.exports.names import name_of, named
from greynb.report.exports.objects import from_objects

_BATCH_ROWS = 16_384
_BATCH_BYTES = 16 * 2**20
_DROPPED = "the index, numbers of the query's rows, is left out; rename_axis(name) makes it a column"


@dataclass(frozen=True, slots=True)
class Table:
    """What is exported.

    Attributes
    ----------
    arrow
        The rows; names are unique texts.
    frame
        The same in pandas, with the attrs of the frame that was given: what the record describes.
    notices
        What had to be changed to make it.
    as_text
        The columns whose values became text that were none.
    """

    arrow: pa.Table
    frame: pd.DataFrame
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
    arrow, noted = arrow_table(df)
    names, notices = named(arrow.column_names)
    notices += [f"{name}: {note}" for name, note in zip(names, noted, strict=True) if note]
    as_text = [name for name, note in zip(names, noted, strict=True) if note]
    arrow = arrow.rename_columns(names)
    return Table(arrow, pandas_of(arrow), tuple(notices), tuple(as_text))


def _from_pandas(df: pd.DataFrame) -> Table:
    frame = df.copy(deep=False)
    frame.attrs = {}  # it would be copied with every column, and its path into Parquet's metadata
    if _numbers_rows(df):
        frame, notices = frame.reset_index(drop=True), [_DROPPED]
    else:
        frame, notices = _without_index(frame)
    names, said = named(frame.columns.tolist())
    notices += said
    frame.columns = pd.Index(names)
    sparse = {name: kind.subtype for name, kind in frame.dtypes.items() if isinstance(kind, pd.SparseDtype)}
    frame = frame.astype(sparse) if sparse else frame
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
    frame.attrs = df.attrs
    return Table(table, frame, tuple(notices), tuple(as_text))


def _numbers_rows(df: pd.DataFrame) -> bool:
    """Tell whether the index is what filtering or sorting a query's result left of its rows' numbers."""
    index, origin = df.index, df.attrs.get("greynb")
    rows = origin.get("rows") if isinstance(origin, Mapping) else None
    if isinstance(index, pd.RangeIndex) or index.nlevels > 1 or index.name is not None:
        return False
    if not isinstance(rows, int) or index.dtype.kind not in "iu" or not index.is_unique:
        return False
    return len(index) == 0 or (index.min() >= 0 and index.max() < rows)


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
    said = ", ".join(map(name_of, names))
    return whole, [f"the index is kept as {said}; reset_index(drop=True) leaves it out"]


def _column(series: pd.Series[Any]) -> tuple[Any, str | None]:
    """Convert a column; the second is what to say of it."""
    dtype: Any = series.dtype
    if not isinstance(dtype, pd.PeriodDtype | pd.IntervalDtype) and not pd.api.types.is_object_dtype(dtype):
        try:
            column = pa.array(series, from_pandas=True)
        except (pa.ArrowException, UnicodeError, TypeError, ValueError):
            return from_objects(series.astype(object))
        inner = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not isinstance(inner, pa.BaseExtensionType):
            return column, None
    return from_objects(series.astype(object))
