"""The columns of a file of archived rows: how values are stored in it, and read in DuckDB."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from greynb.databases.columns import unique_names
from greynb.databases.identifiers import quote

TAGGED: Final = "tagged"
NOTHING: Final = "null"
_TYPES: Final = ("BIGINT", "BOOLEAN", "DOUBLE", "DATE", "TIMESTAMP", "BLOB", "VARCHAR")
_NATURAL: Final = {"integer": "BIGINT", "real": "DOUBLE", "text": "VARCHAR", "blob": "BLOB"}
_ARROW: Final = {
    **{"integer": "int64", "real": "float64", "text": "string", "blob": "binary"},
    **{TAGGED: "string", NOTHING: "string"},
}
_AS_TEXT: Final = (
    "CASE left({x}, 1) WHEN 'r' THEN CAST(CAST(substr({x}, 2) AS DOUBLE) AS VARCHAR)"
    " WHEN 'b' THEN CAST(unhex(substr({x}, 2)) AS VARCHAR)"
    " WHEN 'h' THEN CAST(unhex(substr({x}, 2)) AS VARCHAR) ELSE substr({x}, 2) END"
)


@dataclass(frozen=True, slots=True)
class ArchivedColumn:
    """One column of an archived file.

    Attributes
    ----------
    name
        As the table spells it.
    shown
        What it is called in DuckDB, and in the file.
    storage
        ``null`` where there is no value; ``integer``, ``real``, ``text`` (valid UTF-8) or ``blob`` where all
        values but NULL are of that class; ``tagged`` text for anything else: a letter and the value, ``i1``,
        ``r0.5``, ``tabc``, ``b00ff`` for a blob and ``hff`` for a text that is not valid UTF-8, in hex.
    type
        The DuckDB type as which it would be read by itself.
    generated
        Whether SQLite computes it.
    """

    name: str
    shown: str
    storage: str
    type: str
    generated: bool = False

    def as_type(self, kind: str) -> str:
        """What to select from the file to have it as a DuckDB type."""
        x = quote(self.shown)
        if self.storage == NOTHING:
            return f"CAST(NULL AS {kind})"
        if self.storage == TAGGED:
            return _AS_TEXT.format(x=x) if kind == "VARCHAR" else f"CAST(substr({x}, 2) AS {kind})"
        if kind == "VARCHAR" and self.storage == "text":
            return x
        natural = _NATURAL[self.storage]
        return cast(x if self.type == natural else f"CAST({x} AS {self.type})", self.type, kind)


def cast(value: str, of: str, kind: str) -> str:
    """A DuckDB expression of one type as another: a boolean's text is that of its number, as in SQLite."""
    if of == kind:
        return value
    if (of, kind) == ("BOOLEAN", "VARCHAR"):
        return f"CAST(CAST({value} AS BIGINT) AS VARCHAR)"
    return f"CAST({value} AS {kind})"


def common_type(kinds: Iterable[str], *, exact: Callable[[], bool]) -> str:
    """The narrowest type that holds the values of columns of several types.

    Parameters
    ----------
    kinds
        The types, at least one.
    exact
        Asked where integers meet reals: whether all integers are exact as a double.
    """
    match sorted(set(kinds)):
        case [kind]:
            return kind
        case ["BIGINT", "BOOLEAN"]:
            return "BIGINT"
        case ["DATE", "TIMESTAMP"]:
            return "TIMESTAMP"
        case ["BIGINT", "DOUBLE"] | ["BOOLEAN", "DOUBLE"] | ["BIGINT", "BOOLEAN", "DOUBLE"]:
            return "DOUBLE" if exact() else "VARCHAR"
        case _:
            return "VARCHAR"


def columns_to_json(columns: Iterable[ArchivedColumn]) -> str:
    """The columns as the journal and the files keep them."""
    return json.dumps([[each.name, each.shown, each.storage, each.type, each.generated] for each in columns])


def columns_from_json(text: str) -> tuple[ArchivedColumn, ...]:
    """Read back what `columns_to_json` gave; raises ValueError where it is something else."""
    try:
        found = tuple(ArchivedColumn(*each) for each in json.loads(text))
        known = all(each.storage in _ARROW and each.type in _TYPES for each in found)
        named = all(isinstance(name, str) for each in found for name in (each.name, each.shown))
    except TypeError as error:
        raise ValueError(f"not columns: {error}") from error
    if not known or not named:
        raise ValueError("columns of an unknown kind")
    if [each.shown for each in found] != unique_names(each.shown for each in found):
        raise ValueError("columns of the same name")
    return found


def arrow_schema(columns: Iterable[ArchivedColumn]) -> Any:
    """The `pyarrow.Schema` of a file with such columns."""
    import pyarrow as pa

    types = {name: getattr(pa, name)() for name in ("int64", "float64", "string", "binary")}
    return pa.schema([(each.shown, types[_ARROW[each.storage]]) for each in columns])
