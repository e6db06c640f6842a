"""SQLite's values as columns of a Parquet file, and back: the storage class of each value is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from greynb.databases.archived import TAGGED, ArchivedColumn, arrow_schema

Value = int | float | str | bytes | None
Row = tuple[Value, ...]

_CLASSES: Final[dict[type, str]] = {int: "integer", float: "real", str: "text", bytes: "blob"}


def storage(values: Iterable[Value]) -> str:
    """How a column of such values is stored: see `ArchivedColumn`."""
    kinds = {type(value) for value in values} - {type(None)}
    if len(kinds) > 1 or (kinds == {str} and not all(map(is_valid, values))):
        return TAGGED
    return _CLASSES[kinds.pop()] if kinds else "text"


def to_arrow(rows: Sequence[Row], columns: Sequence[ArchivedColumn]) -> Any:
    """A `pyarrow.Table` of rows."""
    import pyarrow as pa

    by_column: Sequence[Sequence[Value]] = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    stored = [
        [_tagged(value) for value in values] if each.storage == TAGGED else values
        for each, values in zip(columns, by_column, strict=True)
    ]
    return pa.table(list(map(list, stored)), schema=arrow_schema(columns))


def from_arrow(table: Any, columns: Sequence[ArchivedColumn]) -> list[Row]:
    """The rows of a `pyarrow.Table`.

    Raises
    ------
    ValueError
        It holds something that `to_arrow` does not write.
    """
    if not table.schema.equals(arrow_schema(columns)):
        raise ValueError("the file has other columns than it says")
    found = [table.column(number).to_pylist() for number in range(len(columns))]
    read = [
        [None if value is None else _untagged(value) for value in values]
        if each.storage == TAGGED
        else values
        for each, values in zip(columns, found, strict=True)
    ]
    return list(zip(*read, strict=True))


def is_valid(text: Value) -> bool:
    """Whether a text has no bytes that were not UTF-8: those come as lone surrogates (PEP 383)."""
    if not isinstance(text, str) or text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _tagged(value: Value) -> str | None:
    match value:
        case None:
            return None
        case int():
            return f"i{value}"
        case float():
            return f"r{value!r}"
        case bytes():
            return f"b{value.hex()}"
        case str() if is_valid(value):
            return f"t{value}"
        case _:
            return f"h{value.encode('utf-8', 'surrogateescape').hex()}"


_UNTAGGED: Final[dict[str, Callable[[str], Value]]] = {
    "i": int,
    "r": float,
    "b": bytes.fromhex,
    "t": str,
    "h": lambda text: bytes.fromhex(text).decode("utf-8", "surrogateescape"),
}


def _untagged(text: str) -> Value:
    try:
        return _UNTAGGED[text[:1]](text[1:])
    except KeyError:
        raise ValueError(f"not a tagged value: {text[:40]!r}") from None
