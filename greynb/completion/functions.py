"""The functions of the engines with their signatures, as the engines list them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from greynb.databases.gate_functions import (
    NAMED_TABLE_FUNCTIONS,
    REFUSED_PREFIXES,
    SCALAR_FUNCTIONS_REFUSED,
    TABLE_FUNCTIONS,
)

if TYPE_CHECKING:
    from greynb.databases.sqltext import Dialect

_Listed = tuple[str, str, str, str]
_KINDS: Final = {"a": "aggregate", "w": "window", "s": "scalar"}


@dataclass(frozen=True, slots=True)
class Function:
    """A function.

    Attributes
    ----------
    name
        In small letters.
    kind
        ``"scalar"``, ``"aggregate"``, ``"window"``, ``"macro"`` or ``"table"`` (one that stands in FROM).
    signatures
        ``(arguments) → type``, one for each way to call it.
    description
        What the engine says of it.
    """

    name: str
    kind: str
    signatures: tuple[str, ...]
    description: str = ""

    @property
    def label(self) -> str:
        """The first signature, and how many more there are."""
        more = f" +{len(self.signatures) - 1}" if len(self.signatures) > 1 else ""
        return self.signatures[0] + more


@cache
def functions(dialect: Dialect) -> Mapping[str, Function]:
    """The functions that a cell may call, by name; asked for once, of an engine without data.

    None of PostgreSQL: its server lists them.
    """
    return by_name(_LISTED[dialect]()) if dialect in _LISTED else {}


def by_name(listed: Iterable[_Listed]) -> Mapping[str, Function]:
    """Functions from a list of their names, kinds, signatures and descriptions."""
    found: dict[str, Function] = {}
    for name, kind, signature, description in listed:
        before = found.get(name, Function(name, kind, ()))
        signatures = tuple(dict.fromkeys((*before.signatures, signature)))
        found[name] = Function(name, before.kind, signatures, before.description or description)
    return dict(sorted(found.items()))


def _of_duckdb() -> Iterable[_Listed]:
    import duckdb

    with closing(duckdb.connect(config={"threads": 1})) as con:
        rows = con.execute(
            "SELECT function_name, function_type, parameters, parameter_types, varargs, return_type,"
            " coalesce(description, '') FROM duckdb_functions() WHERE function_type <> 'pragma'"
        ).fetchall()
    for name, kind, names, types, varargs, returned, description in rows:
        if name.isidentifier() and _may_be_called(name, kind):
            arguments = [*_arguments(names, types), *([f"{varargs}…"] if varargs else [])]
            signature = f"({', '.join(arguments)})" + (f" → {returned}" if returned else "")
            yield name.lower(), kind.removesuffix("_macro"), signature, description


def _arguments(names: Sequence[str], types: Sequence[str | None]) -> list[str]:
    """``name TYPE`` for each; the name alone where there is no type, the type alone where it has no name."""
    return [
        kind if kind and name.startswith("col") and name[3:].isdigit() else f"{name} {kind}" if kind else name
        for name, kind in zip(names, types, strict=True)
    ]


def _may_be_called(name: str, kind: str) -> bool:
    if kind == "table":
        return name in TABLE_FUNCTIONS | NAMED_TABLE_FUNCTIONS
    return name not in SCALAR_FUNCTIONS_REFUSED and not name.startswith(REFUSED_PREFIXES)


def _of_sqlite() -> Iterable[_Listed]:
    with closing(sqlite3.connect(":memory:")) as con:
        rows = con.execute(
            "SELECT DISTINCT name, type, narg FROM pragma_function_list ORDER BY 1, 3"
        ).fetchall()
    for name, kind, count in rows:
        if name.isidentifier():
            arguments = "…" if count < 0 else ", ".join("xyzwvu"[:count])
            yield name.lower(), _KINDS.get(kind, "scalar"), f"({arguments})", ""


_LISTED: Final = {"duckdb": _of_duckdb, "sqlite": _of_sqlite}
