"""What may be written at a place in a statement: the best first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greynb.completion.cursor import Cursor, cursor, is_operand
from greynb.completion.functions import functions
from greynb.completion.notebook_names import frame_columns, is_public, kind_of
from greynb.completion.scopes import Query, Source, columns_named, matches, name_of, read
from greynb.completion.words import BEFORE_TABLE, CLAUSES, KEYWORDS, OPENERS, TYPES
from greynb.databases.identifiers import fold, quote
from greynb.databases.notebook_frames import is_frame

if TYPE_CHECKING:
    from greynb.completion.schema import Schema
    from greynb.databases.sqltext import Dialect

LIMIT: Final = 300
"""Suggestions at most: nobody reads more."""
_SIMPLE: Final = re.compile(r"[a-zA-Z_]\w*", re.ASCII)
_LABEL: Final = 60
"""Characters of a signature that a list of suggestions has room for."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text that may take the place of the word being written, and what it is (a type, a kind)."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What may take the place of `written`, the word before the cursor."""

    written: str
    found: list[Suggestion]


def suggest(
    sql: str, offset: int, dialect: Dialect, schema: Schema, variables: Mapping[str, object]
) -> Suggestions | None:
    """Suggest what may be written at an offset of a cell's SQL.

    Parameters
    ----------
    sql
        Statements, finished or not.
    offset
        Where the cursor stands.
    dialect
        Which engine will read them.
    schema
        The tables of its file.
    variables
        Those of the notebook.

    Returns
    -------
    Suggestions or None
        None where no SQL is written: in a string, a comment, a number.
    """
    place = cursor(sql, offset, dialect)
    if place is None:
        return None
    found = _Place(place, dialect, schema, variables).candidates()
    return Suggestions(place.written, list(_matching(found, place)))


class _Place:
    """A cursor with everything that is known around it."""

    def __init__(
        self, place: Cursor, dialect: Dialect, schema: Schema, variables: Mapping[str, object]
    ) -> None:
        self._cursor = place
        self._dialect: Dialect = dialect
        self._schema = schema
        self._variables = variables
        self._query = read(place.tokens).around(place.at)

    def candidates(self) -> Iterator[Suggestion]:
        """Everything that may stand here, whatever was written of it."""
        before = self._cursor.before()
        if self._cursor.variable:
            return self._named_variables()
        if before == ".":
            return self._qualified(self._qualifier())
        if before == "::" or (before == "AS" and self._in_cast()):
            return (Suggestion(each, "type") for each in TYPES[self._dialect])
        if before in BEFORE_TABLE or (before == "," and self._clause() in ("FROM", "JOIN")):
            return self._tables()
        if not before:
            return self._keywords(OPENERS)
        if before == "AS":
            return iter(())  # a new name
        if before and is_operand(self._cursor.tokens[self._cursor.at - 1]):
            return self._keywords(KEYWORDS)
        return self._expression()

    def _named_variables(self) -> Iterator[Suggestion]:
        mark = self._cursor.written[0]
        for name, value in self._variables.items():
            if is_public(name, value):
                yield Suggestion(mark + name, kind_of(value))

    def _qualifier(self) -> str:
        index = self._cursor.at - 2
        return name_of(self._cursor.tokens[index]) if index >= 0 else ""

    def _qualified(self, name: str) -> Iterator[Suggestion]:
        query: Query | None = self._query
        while query is not None:
            for source in query.sources:
                if fold(source.name) == fold(name):
                    return self._columns(source)
            query = query.outer
        if name.lower() in ("main", "analytics", "temp"):
            return (Suggestion(each.name, each.kind) for each in self._schema.tables.values())
        return self._columns(Source(name, name))

    def _columns(self, source: Source) -> Iterator[Suggestion]:
        if source.query is not None:
            return (Suggestion(each, source.name or "subquery") for each in self._given(source.query))
        columns = self._schema.columns(source.table)
        if not columns and is_frame(frame := self._variables.get(source.table)):
            return (Suggestion(name, kind) for name, kind in frame_columns(frame))
        return (Suggestion(each.name, each.type) for each in columns)

    def _given(self, query: Query) -> list[str]:
        return columns_named(query, self._schema.names)

    def _tables(self) -> Iterator[Suggestion]:
        seen = set(self._query.ctes)
        yield from (Suggestion(each.name, "cte") for each in self._query.ctes.values())
        for key, table in self._schema.tables.items():
            if key not in seen:
                yield Suggestion(table.name, table.kind)
        if self._dialect == "duckdb":
            for name, value in self._variables.items():
                if is_frame(value) and is_public(name, value) and fold(name) not in self._schema.tables:
                    yield Suggestion(name, "DataFrame")
            yield from self._functions(table=True)

    def _expression(self) -> Iterator[Suggestion]:
        query: Query | None = self._query
        several = sum(len(each.sources) for each in self._around())
        while query is not None:
            for source in query.sources:
                yield from self._columns(source)
            query = query.outer
        if self._clause() in ("GROUP", "ORDER", "HAVING", "QUALIFY"):
            names = (each for each in self._query.outputs if not each.endswith("*"))
            yield from (Suggestion(each, "output") for each in names)
        for query in self._around():
            yield from (
                Suggestion(each.name, each.table or "subquery") for each in query.sources if each.name
            )
        if not several and self._cursor.word:
            word = fold(self._cursor.word)
            for name, (kind, table) in self._schema.everywhere.items():
                if word in fold(name):  # before the thousands of others are looked at any closer
                    yield Suggestion(name, f"{kind} · {table}")
        yield from self._functions(table=False)
        yield from self._keywords(KEYWORDS)

    def _around(self) -> Iterator[Query]:
        query: Query | None = self._query
        while query is not None:
            yield query
            query = query.outer

    def _functions(self, *, table: bool) -> Iterator[Suggestion]:
        if self._cursor.word:
            opening = "" if self._followed_by_bracket() else "("
            for each in (self._schema.functions or functions(self._dialect)).values():
                if (each.kind == "table") == table:
                    yield Suggestion(each.name + opening, _cut(each.label))

    def _followed_by_bracket(self) -> bool:
        tokens, at = self._cursor.tokens, self._cursor.at
        return at < len(tokens) and tokens[at].text == "("

    def _keywords(self, known: Mapping[str, list[str]]) -> Iterator[Suggestion]:
        lower = self._cursor.word[:1].islower()
        for each in known[self._dialect]:
            yield Suggestion(each.lower() if lower else each, "keyword")

    def _clause(self) -> str:
        """The word that began the part of the query in which the cursor stands."""
        closing = {end: begin for begin, end in matches(self._cursor.tokens[: self._cursor.at]).items()}
        at = self._cursor.at - 1
        while at >= self._query.begin:
            at = closing.get(at, at)
            word = self._cursor.tokens[at].text.upper()
            if word in CLAUSES and self._cursor.tokens[at].kind == "name":
                return word
            at -= 1
        return ""

    def _in_cast(self) -> bool:
        tokens = self._cursor.tokens[: self._cursor.at]
        begin = max((at for at, end in matches(tokens).items() if end == len(tokens)), default=0)
        return begin > 0 and tokens[begin - 1].text.upper() in ("CAST", "TRY_CAST")


def _matching(found: Iterable[Suggestion], place: Cursor) -> Iterator[Suggestion]:
    """Those that go on from the word, then names that have it inside, each once, as they are written."""
    word = fold(place.word)
    begin: dict[str, Suggestion] = {}
    inside: dict[str, Suggestion] = {}
    for each in found:
        name = fold(each.text.lstrip(":$"))
        if place.quoted and not _is_name(each):
            continue
        if name.startswith(word):
            begin.setdefault(each.text, each)
        elif len(word) > 1 and word in name and _is_name(each):
            inside.setdefault(each.text, each)
    for each in list((begin | {text: each for text, each in inside.items() if text not in begin}).values())[
        :LIMIT
    ]:
        yield Suggestion(_spelled(each, place), each.kind)


def _cut(label: str) -> str:
    return label if len(label) <= _LABEL else label[: _LABEL - 1] + "…"


def _is_name(suggestion: Suggestion) -> bool:
    return suggestion.kind not in ("keyword", "type") and not suggestion.text.endswith("(")


def _spelled(suggestion: Suggestion, place: Cursor) -> str:
    """A name as it must be written: in quotes where it is not simple, or where quotes were begun."""
    text = suggestion.text
    if not _is_name(suggestion) or place.variable:
        return text
    if not place.quoted and _SIMPLE.fullmatch(text) and text.upper() not in CLAUSES:
        return text
    return quote(text).removesuffix('"' if place.rest.endswith('"') else "")
