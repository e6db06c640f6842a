"""What the name at a place in a statement means: a column, a table, a function, a variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greynb.completion.cursor import Cursor, cursor
from greynb.completion.functions import Function, functions
from greynb.completion.scopes import Query, Source, matches, name_of, read
from greynb.databases.identifiers import fold
from greynb.databases.notebook_frames import is_frame
from greynb.databases.outline import Column, Table

if TYPE_CHECKING:
    from greynb.completion.schema import Schema
    from greynb.databases.sqltext import Dialect


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a table of the file."""

    table: Table
    column: Column


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the notebook."""

    name: str
    value: object


Meaning = TableColumn | Table | Function | Variable


def meaning(
    sql: str, offset: int, dialect: Dialect, schema: Schema, variables: Mapping[str, object]
) -> Meaning | None:
    """Find what is named at an offset; inside the brackets of a call, that is the function.

    Parameters
    ----------
    sql
        Statements, finished or not.
    offset
        Where the cursor stands.
    dialect
        Which engine reads them.
    schema
        The tables of its file.
    variables
        Those of the notebook.

    Returns
    -------
    Meaning or None
        None where nothing is known of what stands there.
    """
    place = cursor(sql, offset, dialect)
    if place is None:
        return None
    name = (place.word + place.rest).rstrip('"')
    if place.variable:
        return Variable(name, variables[name]) if name in variables else None
    found = _named(name, place, schema) if name else None
    if found is None and name in variables and is_frame(variables[name]):
        return Variable(name, variables[name])
    return found or (schema.functions or functions(dialect)).get((name or _called(place)).lower())


def _named(name: str, place: Cursor, schema: Schema) -> TableColumn | Table | None:
    query = read(place.tokens).around(place.at)
    sources = [source for each in _outwards(query) for source in each.sources]
    if place.before() == ".":
        qualifier = fold(name_of(place.tokens[place.at - 2])) if place.at > 1 else ""
        sources = [each for each in sources if fold(each.name) == qualifier]
        return _column(name, sources, schema) or schema.tables.get(fold(name))
    aliased = next((each for each in sources if fold(each.name) == fold(name) and each.query is None), None)
    return (
        _column(name, sources, schema)
        or schema.tables.get(fold(aliased.table if aliased else name))
        or _column(name, [Source(each, each) for each in schema.tables], schema)
    )


def _column(name: str, sources: list[Source], schema: Schema) -> TableColumn | None:
    for source in sources:
        table = schema.tables.get(fold(source.table)) if source.query is None else None
        for column in table.columns if table else ():
            if table and fold(column.name) == fold(name):
                return TableColumn(table, column)
    return None


def _outwards(query: Query | None) -> Iterator[Query]:
    while query is not None:
        yield query
        query = query.outer


def _called(place: Cursor) -> str:
    """The function in whose brackets the cursor stands."""
    tokens = place.tokens[: place.at]
    begin = max((at for at, end in matches(tokens).items() if end == len(tokens)), default=0)
    return name_of(tokens[begin - 1]) if begin else ""
