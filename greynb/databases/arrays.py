"""One column of a result as the array that a DataFrame keeps (the table is in ``frames``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

Array = npt.NDArray[Any]

_INTEGERS = frozenset(
    {"tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger", "ubigint"}
)
_TIMESTAMPS = frozenset({"timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns"})
NUMPY_KINDS = _INTEGERS | _TIMESTAMPS | {"float", "double", "boolean"}
"""Kinds of DuckDB types whose numpy export is exact."""

_PANDAS_TEXT = pd.Series(["x"]).dtype
_STRING: Any = _PANDAS_TEXT if isinstance(_PANDAS_TEXT, pd.StringDtype) else None
"""The string dtype of the installed pandas; None where it keeps text as objects (before 3)."""
_NAT = np.iinfo(np.int64).min
_SECONDS_A_DAY = 86_400


def from_numpy(values: Any) -> Any:
    """Convert an array of DuckDB's ``fetchnumpy``; a masked one has NULLs."""
    if isinstance(values, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(values)
        return _with_mask(np.asarray(values.data), mask if mask.any() else None)
    return _with_mask(values, None)


def _with_mask(values: Array, mask: Array | None) -> Any:
    if not values.flags.writeable:  # Arrow's own memory; users assign to their frames
        values = values.copy()
    kind = values.dtype.kind
    if kind in "iu":
        return _integer_array(_to_64_bits(values, mask), mask)
    if mask is None:
        return values
    if kind == "b":
        return pd.arrays.BooleanArray(values, mask)
    values = values.copy()
    values[mask] = np.nan if kind == "f" else np.array("NaT", values.dtype)
    return values


def _to_64_bits(values: Array, mask: Array | None) -> Array:
    """Widen, and leave ``uint64`` only where a value does not fit ``int64``."""
    if values.dtype != np.uint64:
        return values.astype(np.int64, copy=False)
    present = values if mask is None else values[~mask]
    return values if len(present) and present.max() >= 2**63 else values.astype(np.int64)


def _integer_array(values: Array, mask: Array | None) -> Any:
    return values if mask is None else pd.arrays.IntegerArray(values, mask)


def from_arrow(column: pa.ChunkedArray, kind: str, type_name: str) -> Any:
    """Convert a column of DuckDB's Arrow export.

    Parameters
    ----------
    kind
        The ``id`` of DuckDB's type, which tells what Arrow's type no longer does.
    type_name
        DuckDB's full type name.
    """
    if kind in NUMPY_KINDS:
        return _from_plain(column)
    if kind == "decimal":
        return _decimals(column)
    convert = _BY_KIND.get(kind)
    return convert(column) if convert else _python(column, "HUGEINT" in type_name)


def _from_plain(column: pa.ChunkedArray) -> Any:
    mask = _mask(column)
    if mask is None or pa.types.is_floating(column.type) or pa.types.is_timestamp(column.type):
        return _with_mask(column.to_numpy(), None)
    filler: Any = False if pa.types.is_boolean(column.type) else 0
    return _with_mask(column.fill_null(filler).to_numpy(), mask)


def _mask(column: pa.ChunkedArray) -> Array | None:
    return column.is_null().to_numpy() if column.null_count else None


def _dates(column: pa.ChunkedArray) -> Array:
    days = column.cast(pa.int32()).fill_null(0).to_numpy().astype(np.int64) * _SECONDS_A_DAY
    return _with_nat(days, _mask(column)).view("M8[s]")


def _with_nat(values: Array, mask: Array | None) -> Array:
    if mask is not None:
        values[mask] = _NAT
    return values


def _zoned(column: pa.ChunkedArray) -> Any:
    micros = column.cast(pa.int64()).fill_null(_NAT).to_numpy().view("M8[us]")
    return pd.DatetimeIndex(micros).tz_localize("UTC").tz_convert(column.type.tz).array


def _text(column: pa.ChunkedArray) -> Any:
    return _STRING.__from_arrow__(column) if _STRING is not None else column.to_numpy()


def _category(column: pa.ChunkedArray) -> Any:
    if not column.num_chunks:
        return pd.Categorical([])
    combined = column.combine_chunks()
    codes = combined.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    mask = _mask(column)
    if mask is not None:
        codes[mask] = -1
    names = _text(pa.chunked_array([combined.dictionary]))
    return pd.Categorical.from_codes(codes, categories=pd.Index(names))


def _bits(column: pa.ChunkedArray) -> Any:
    """Decode DuckDB's BIT: a byte with the number of padding bits, then the padded bits."""
    texts = [
        None if value is None else "".join(f"{byte:08b}" for byte in value[1:])[value[0] :]
        for value in column.to_pylist()
    ]
    return _text(pa.chunked_array([pa.array(texts, pa.large_string())]))


def _intervals(column: pa.ChunkedArray) -> Any:
    values = column.to_pylist()
    if any(value is not None and value.months for value in values):
        return objects([None if v is None else _offset(v) for v in values])
    micros = [_NAT if v is None else v.days * _SECONDS_A_DAY * 10**6 + v.nanoseconds // 1000 for v in values]
    return np.array(micros, dtype=np.int64).view("m8[us]")


def _offset(value: Any) -> pd.DateOffset:
    return pd.DateOffset(months=value.months, days=value.days, microseconds=value.nanoseconds // 1000)


def _halves(column: pa.ChunkedArray) -> tuple[Array, Array]:
    """Split 128-bit numbers into the low (unsigned) and high (signed) 64 bits."""
    low, high = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    for chunk in column.chunks:
        words = np.frombuffer(chunk.buffers()[1] or b"", np.uint64)
        words = words[2 * chunk.offset : 2 * (chunk.offset + len(chunk))]
        low.append(words[0::2])
        high.append(words[1::2].view(np.int64))
    return np.concatenate(low), np.concatenate(high)


def _hugeints(column: pa.ChunkedArray) -> Any:
    return _wide_integers(*_halves(column), _mask(column))


def _unsigned_hugeints(column: pa.ChunkedArray) -> Any:
    low, high = _halves(column)
    return _wide_integers(low, high.view(np.uint64), _mask(column))


def _wide_integers(low: Array, high: Array, mask: Array | None) -> Any:
    """Join the halves of integers; the type of ``high`` says whether they have a sign."""
    if mask is not None:
        low[mask] = high[mask] = 0
    signed = low.view(np.int64)
    if (high.view(np.int64) == signed >> 63).all() and (high.dtype == np.int64 or not high.any()):
        return _integer_array(signed, mask)
    if not high.any():
        return _integer_array(low, mask)
    whole = [(h << 64) | w for h, w in zip(high.tolist(), low.tolist(), strict=True)]
    return objects(whole if mask is None else [None if m else v for v, m in zip(whole, mask, strict=True)])


def _decimals(column: pa.ChunkedArray) -> Any:
    """Give floats where the unscaled values are below 2**53: the division then rounds once, correctly."""
    if column.type.scale <= 15:
        low, high = _halves(column)
        mask = _mask(column)
        unscaled = low.view(np.int64)
        if mask is not None:
            low[mask] = high[mask] = 0
        if (high == unscaled >> 63).all() and (np.abs(unscaled) < 10**15).all():
            return _with_mask(unscaled / 10.0**column.type.scale, mask)
    return objects(column.to_pylist())


def _python(column: pa.ChunkedArray, wide: bool) -> Array:
    """Give lists and dicts; a date or time that Python has no object for becomes text."""
    try:
        values = column.to_pylist(maps_as_pydicts="lossy")
    except (OverflowError, ValueError):
        values = column.cast(_moments_as_text(column.type)).to_pylist(maps_as_pydicts="lossy")
    return objects([_unwrap(value) for value in values] if wide else values)


def _moments_as_text(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_list(kind):
        return pa.list_(_moments_as_text(kind.value_type))
    if pa.types.is_map(kind):
        return pa.map_(_moments_as_text(kind.key_type), _moments_as_text(kind.item_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_moments_as_text(field.type)) for field in kind])
    return pa.string() if pa.types.is_date(kind) or pa.types.is_timestamp(kind) else kind


def _unwrap(value: Any) -> Any:
    """Turn the Decimals that stand for HUGEINT inside a nested value into ints."""
    if isinstance(value, list):
        return [_unwrap(item) for item in value]
    if isinstance(value, dict):
        return {_unwrap(key): _unwrap(item) for key, item in value.items()}
    if hasattr(value, "as_tuple") and value.as_tuple().exponent == 0:
        return int(value)
    return value


_BY_KIND: dict[str, Callable[[pa.ChunkedArray], Any]] = {
    "date": _dates,
    "timestamp with time zone": _zoned,
    "varchar": _text,
    "uuid": _text,
    "enum": _category,
    "bit": _bits,
    "interval": _intervals,
    "hugeint": _hugeints,
    "uhugeint": _unsigned_hugeints,
}


def objects(values: Sequence[Any]) -> Array:
    """Keep the values as they are, one object each, also where they are sequences."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


_PACKED: dict[frozenset[type], pa.DataType] = {
    frozenset({int}): pa.int64(),
    frozenset({float}): pa.float64(),
    frozenset({int, float}): pa.float64(),
    frozenset({str}): pa.large_string(),
    frozenset(): pa.null(),
}
"""What a column of these Python types is packed as; Arrow refuses integers that a float would change."""

_STORAGE = {int: "integer", float: "real", str: "text", bytes: "blob"}


def from_values(values: Sequence[Any]) -> Any:
    """Pack Python values of one column."""
    column = SqliteColumn()
    column.add(values)
    return column.array()


class SqliteColumn:
    """One column of a result, packed batch by batch: keeping Python objects takes twice as long."""

    def __init__(self) -> None:
        self._kinds: set[type] = set()
        self._parts: list[Any] = []  # arrow arrays, or sequences of values that do not pack
        self._rows = 0

    def add(self, part: Sequence[Any]) -> None:
        """Take the column's values of one batch."""
        kinds = frozenset(map(type, part)) - {type(None)}
        self._kinds |= kinds
        self._rows += len(part)
        packed = _PACKED.get(kinds)
        try:
            self._parts.append(part if packed is None else pa.array(part, packed))
        except (ValueError, OverflowError):
            self._parts.append(part)

    def storage(self) -> str:
        """Name the storage classes seen, without NULL where there is anything else."""
        names = sorted(_STORAGE.get(kind, kind.__name__) for kind in self._kinds)
        return "|".join(names) if names or not self._rows else "null"

    def array(self) -> Any:
        """Give the column's array."""
        packed = _PACKED.get(frozenset(self._kinds))
        if packed is not None and self._kinds and all(isinstance(part, pa.Array) for part in self._parts):
            with suppress(pa.ArrowInvalid):
                column = pa.chunked_array([part.cast(packed) for part in self._parts], packed)
                return _text(column) if packed == pa.large_string() else _from_plain(column)
        return objects([value for part in self._parts for value in _values(part)])


def _values(part: Any) -> Any:
    return part.to_pylist() if isinstance(part, pa.Array) else part
