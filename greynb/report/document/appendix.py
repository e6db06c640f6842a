"""The appendix: the SQL of everything that went into a document, with its values and where it was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greynb.databases.typedjson import decode
from greynb.report.document.document import Document, asked, key, where

if TYPE_CHECKING:
    from greynb.report.recording import Source

_LONGEST = 200
"""Characters of a value that are shown; the record inside the file has all."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One query.

    Attributes
    ----------
    number
        As in the small print under a table.
    where
        Role, file, version and time.
    codes
        The statements that prepared it, then the query itself; none where `where` says whose they are.
    values
        The values of its parameters or arguments, in one line; may be empty.
    """

    number: int
    where: str
    codes: tuple[str, ...]
    values: str


def entries(document: Document) -> tuple[Entry, ...]:
    """List the queries of a document in the order of their numbers."""
    first: dict[str, Source] = {}
    for source in document.sources:
        first.setdefault(key(source), source)
    found, known = [], dict[tuple[str, ...], int]()
    for each, number in document.numbers.items():
        source, codes = first[each], _codes(first[each])
        if (same := known.setdefault(codes, number)) != number:
            found.append(Entry(number, f"{where(source)} · as SQL {same}, with", (), _values(source)))
        else:
            found.append(Entry(number, where(source), codes, _values(source)))
    return tuple(found)


def _codes(source: Source) -> tuple[str, ...]:
    return tuple(sql for sql in (*(str(step.get("sql", "")) for step in source.setup), source.sql) if sql)


def _values(source: Source) -> str:
    bound = [f":{name} = {_value(value)}" for name, value in source.parameters.items()]
    called = [f"{name} = {_value(value)}" for name, value in asked(source).items()]
    return " · ".join((*bound, *called))


def _value(value: Any) -> str:
    try:
        known = decode(value)
    except ValueError:
        known = value
    text = repr(known) if isinstance(known, str | list | tuple) else str(known)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
