"""The values that an export holds itself, read back as its record has them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.typedjson import decode
from greynb.report.canonical import content_hash
from greynb.report.verifying.matching import compare, rows_of

if TYPE_CHECKING:
    import pandas as pd

    from greynb.report.recording import Source

_LARGEST: Final = 4_000_000_000
"""Bytes that the rows of a file may take; of a larger one the rows are not read."""
AS_RECORDED: Final = "the values in the file are those that were recorded"


def edits(path: Path, source: Source, facts: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Compare the values in a file with its record: what was edited; None where they cannot be compared."""
    # A column that became text for the file, of periods for example, does not come back as it was.
    read = None if facts.get("as_text") else _READERS.get(path.suffix.lower())
    try:
        frame = read(path, source, facts) if read is not None else None
    except (ValueError, KeyError, TypeError, ArithmeticError, OSError):
        return ("its rows cannot be read as they were written",)
    if frame is None:
        return None
    if tuple(map(str, frame.columns)) != source.columns:
        return (f"its columns are {', '.join(map(str, frame.columns))}, not {', '.join(source.columns)}",)
    if content_hash(frame) == source.hash:
        return ()
    if source.values is None:
        return ("its values are not those that were recorded",)
    compared = compare(
        source.columns, [list(map(decode, row)) for row in source.values], list(rows_of(frame))
    )
    if compared.equal:
        return ()
    what = f"{compared.values:,} of its {compared.of:,} values" if compared.values else "some of its rows"
    first = compared.first
    where = ""
    if first is not None:
        where = f"; first: {first.row}, {first.column}: {first.then} was written, {first.now} is there now"
    return (f"{what} were changed in the file{where}",)


def _parquet(path: Path, _source: Source, _facts: Mapping[str, Any]) -> pd.DataFrame | None:
    import pyarrow.parquet as pq

    from greynb.report.exports.parquet import AS_TEXT

    with pq.ParquetFile(path) as file:
        if json.loads((file.metadata.metadata or {}).get(AS_TEXT, b"[]")):
            return None  # texts stand for values that Parquet has no type for
        groups = range(file.metadata.num_row_groups)
        if sum(file.metadata.row_group(group).total_byte_size for group in groups) > _LARGEST:
            return None
        frame: pd.DataFrame = file.read().to_pandas()
        return frame


def _csv(path: Path, source: Source, facts: Mapping[str, Any]) -> pd.DataFrame | None:
    import pyarrow as pa
    import pyarrow.csv as pc

    from greynb.report.exports.formulas import neutralised_text, restored
    from greynb.report.exports.texts import TEXT

    if path.stat().st_size > _LARGEST:
        return None
    table = pc.read_csv(
        path,
        parse_options=pc.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pc.ConvertOptions(
            column_types=dict.fromkeys([*source.columns, *map(neutralised_text, source.columns)], TEXT),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    if facts.get("neutralised"):
        texts = [restored(column) if column.type == TEXT else column for column in table.columns]
        names = restored(pa.array(table.column_names, TEXT)).to_pylist()
        table = pa.table(texts, names)
    return _typed({name: table[name].to_pylist() for name in table.column_names}, source)


def _json(path: Path, source: Source, _facts: Mapping[str, Any]) -> pd.DataFrame | None:
    if path.stat().st_size > _LARGEST:
        return None
    rows = json.loads(path.read_bytes())
    names = list(rows[0]) if rows else list(source.columns)
    return _typed({name: [row[name] for row in rows] for name in names}, source)


def _excel(path: Path, source: Source, _facts: Mapping[str, Any]) -> pd.DataFrame | None:
    from greynb.report.exports.excel import is_export
    from greynb.report.verifying.workbooks import values_of

    if source.values is None or _beyond_excel(source) or not is_export(path):
        return None
    names, *body = values_of(path, source.types)
    columns = zip(*body, strict=True) if body else ((),) * len(names)
    return _typed(dict(zip(map(str, names), columns, strict=True)), source)


def _beyond_excel(source: Source) -> bool:
    """Whether a value is none that a cell holds as it is: a zone, microseconds, a very long text."""
    zoned = any(kind.startswith("datetime64") and "," in kind for kind in source.types)
    found = [decode(value) for row in source.values or () for value in row]
    fine = any(isinstance(value, dt.datetime) and value.microsecond % 1000 for value in found)
    return zoned or fine or any(isinstance(value, str) and len(value) > 16_000 for value in found)


def _typed(columns: Mapping[str, Sequence[Any]], source: Source) -> pd.DataFrame | None:
    """Give values their recorded types; None where one is written in a way that does not come back."""
    import pandas as pd

    types = dict(zip(source.columns, source.types, strict=True))
    typed = {}
    for name, values in columns.items():
        kind = types.get(name, "str")
        zoned = kind.startswith("datetime64") and "," in kind
        convert = (
            _zoned if zoned else next((made for begin, made in _FROM_TEXT if kind.startswith(begin)), None)
        )
        if convert is None or kind.startswith("interval"):  # no kind of int
            return None
        typed[name] = convert(pd.Series(values, dtype=object))
    return pd.DataFrame(typed)


def _numbers(values: pd.Series[Any]) -> pd.Series[Any]:
    return values.map(lambda each: None if each is None else float(each)).astype("float64")


def _integers(values: pd.Series[Any]) -> pd.Series[Any]:
    return values.map(lambda each: None if each is None else int(each)).astype(object)


def _flags(values: pd.Series[Any]) -> pd.Series[Any]:
    words = {"true": True, "false": False}
    return values.map(lambda each: words[each.lower()] if isinstance(each, str) else each)


def _moments(values: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    return pd.to_datetime(values, format="ISO8601")


def _zoned(values: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    return pd.to_datetime(values, format="ISO8601", utc=True)


_FROM_TEXT: Final[Sequence[tuple[str, Callable[[Any], Any]]]] = (
    ("int", _integers),
    ("Int", _integers),
    ("uint", _integers),
    ("UInt", _integers),
    ("float64", _numbers),
    ("Float64", _numbers),
    ("bool", _flags),
    ("datetime64", _moments),
    ("str", lambda values: values),
)
_READERS: Final[dict[str, Callable[[Path, Source, Mapping[str, Any]], pd.DataFrame | None]]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".json": _json,
    ".xlsx": _excel,
}
