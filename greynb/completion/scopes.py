"""Which tables a query names and which columns it gives, read from tokens that need not be a whole query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from greynb.completion.cursor import is_operand, spelled
from greynb.completion.words import CLAUSES, NO_ALIAS, SOURCES
from greynb.databases.identifiers import fold

if TYPE_CHECKING:
    from greynb.databases.sqltext import Token

_OPENS_QUERY: Final = ("SELECT", "WITH", "FROM", "VALUES")


@dataclass(frozen=True, slots=True)
class Source:
    """A table in FROM, or a table that is written to.

    Attributes
    ----------
    name
        What its columns may be qualified with: the alias, else the table's name.
    table
        The table's name; empty for a subquery.
    query
        The subquery or CTE whose columns it has, if any.
    """

    name: str
    table: str = ""
    query: Query | None = None


@dataclass(slots=True)
class Query:
    """A query, also an unfinished one.

    Attributes
    ----------
    begin, end
        Its tokens.
    ctes
        Those that it may name, by folded name: its own, and those of the queries around it.
    sources
        What stands in its FROM clauses.
    outputs
        The columns that it gives: names, ``*``, or ``name.*``.
    named
        Names given to a CTE's columns in brackets.
    inner
        The queries in it.
    outer
        The query around it.
    """

    begin: int
    end: int
    ctes: dict[str, Source] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    inner: list[Query] = field(default_factory=list)
    outer: Query | None = None

    def around(self, at: int) -> Query:
        """The innermost query around a place between two tokens."""
        for query in self.inner:
            if query.begin <= at <= query.end:
                return query.around(at)
        return self


def read(tokens: Sequence[Token]) -> Query:
    """Read the query that tokens make; whatever they are, something is given."""
    reader = _Reader(tokens)
    query = Query(0, len(tokens))
    reader.read(query)
    return query


def matches(tokens: Sequence[Token]) -> dict[int, int]:
    """Where each round bracket closes that is opened, by index; at the end where it never does."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for number, token in enumerate(tokens):
        if token.kind == "operator" and token.text == "(":
            opened.append(number)
        elif token.kind == "operator" and token.text == ")" and opened:
            found[opened.pop()] = number
    return found | dict.fromkeys(opened, len(tokens))


class _Reader:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._closing = matches(tokens)

    def read(self, query: Query) -> None:
        at, clause = query.begin, ""
        while at < query.end:
            word = self._word(at)
            if word == "WITH" and not clause:
                at = self._with(query, at + 1)
                continue
            if word in CLAUSES and self._word(at - 1) != "DISTINCT":
                clause = word
            if clause == "SELECT" and word == "SELECT" and not query.outputs:
                query.outputs = list(self._outputs(at + 1, query.end))
            comma = clause in ("FROM", "JOIN") and word == ","
            if comma or (word in SOURCES and self._word(at - 1) != "DISTINCT"):
                at = self._source(query, at + 1)
            elif at in self._closing:
                at = self._bracket(query, at)
            else:
                at += 1

    def _bracket(self, query: Query, at: int) -> int:
        """Read the queries inside brackets, and give what follows them."""
        end = min(self._closing[at], query.end)
        self._child(query, at + 1, end)
        return end + 1

    def _child(self, query: Query, begin: int, end: int) -> Query:
        inside = Query(begin, end, dict(query.ctes), outer=query)
        if begin < end and self._word(begin) in _OPENS_QUERY:
            query.inner.append(inside)
            self.read(inside)
            return inside
        at = begin
        while at < end:
            at = self._bracket(query, at) if at in self._closing else at + 1
        return inside

    def _with(self, query: Query, at: int) -> int:
        """Read ``name [(columns)] AS [NOT] [MATERIALIZED] (query), …``."""
        at += self._word(at) == "RECURSIVE"
        while at < query.end and (name := self._name(at)):
            at, named = self._names(at + 1)
            while self._word(at) in ("AS", "NOT", "MATERIALIZED"):
                at += 1
            if at not in self._closing:
                return at
            end = min(self._closing[at], query.end)
            inside = self._child(query, at + 1, end)
            inside.named = named
            query.ctes[fold(name)] = Source(name, query=inside)
            at = end + 1
            if self._word(at) != ",":
                return at
            at += 1
        return at

    def _source(self, query: Query, at: int) -> int:
        """Read a table, a subquery or a table function, and its alias."""
        while self._word(at) in ("LATERAL", "OR", "REPLACE", "IGNORE", "IF", "NOT", "EXISTS"):
            at += 1
        if at in self._closing:
            end = min(self._closing[at], query.end)
            inside = self._child(query, at + 1, end)
            at, alias, inside.named = self._alias(end + 1)
            query.sources.append(Source(alias, query=inside))
            return at
        name = self._name(at) if at < query.end else ""
        if not name:
            return at
        while self._word(at + 1) == "." and self._name(at + 2):
            name, at = self._name(at + 2), at + 2
        at += 1
        if at in self._closing and self._touch(at - 1, at):
            at = self._bracket(query, at)
            at, alias, named = self._alias(at)
            query.sources.append(Source(alias or name, query=Query(at, at, named=named)))
            return at
        at, alias, _ = self._alias(at)
        cte = query.ctes.get(fold(name))
        query.sources.append(Source(alias or name, name, cte.query if cte else None))
        return at

    def _alias(self, at: int) -> tuple[int, str, list[str]]:
        at += self._word(at) == "AS"
        alias = self._name(at)
        if not alias:
            return at, "", []
        at, names = self._names(at + 1)
        return at, alias, names

    def _names(self, at: int) -> tuple[int, list[str]]:
        """Read names in brackets, if they stand here."""
        if at not in self._closing or self._word(at + 1) in _OPENS_QUERY:
            return at, []
        end = self._closing[at]
        return end + 1, [name for each in range(at + 1, end) if (name := self._name(each))]

    def _outputs(self, at: int, end: int) -> Iterator[str]:
        """Name the columns of a SELECT; those without a name of their own are passed over."""
        at += self._word(at) in ("DISTINCT", "ALL")
        item: list[Token] = []
        while at < end and self._word(at) not in CLAUSES:
            if self._word(at) == ",":
                yield from _output(item)
                item = []
            else:
                item.append(self._tokens[at])
            at = self._closing[at] + 1 if at in self._closing else at + 1
        yield from _output(item)

    def _word(self, at: int) -> str:
        return spelled(self._tokens[at]) if 0 <= at < len(self._tokens) else ""

    def _name(self, at: int) -> str:
        token = self._tokens[at] if 0 <= at < len(self._tokens) else None
        if token is None or (token.kind == "name" and token.text.upper() in NO_ALIAS):
            return ""
        return name_of(token)

    def _touch(self, one: int, other: int) -> bool:
        return self._tokens[one].end == self._tokens[other].start


def name_of(token: Token) -> str:
    """The name that a token spells; empty where it spells none."""
    if token.kind == "name":
        return token.text
    if token.kind != "quoted":
        return ""
    mark = token.text[-1]
    return token.text[1:-1].replace(mark * 2, mark)


def _output(item: Sequence[Token]) -> Iterator[str]:
    texts = [each.text for each in item]
    if "*" in texts[:1]:
        yield "*"
    elif texts[1:3] == [".", "*"]:
        yield f"{name_of(item[0])}.*"
    elif item and name_of(item[-1]) and (len(item) == 1 or texts[-2] == "." or _is_alias(item)):
        yield name_of(item[-1])


def _is_alias(item: Sequence[Token]) -> bool:
    before = item[-2]
    return (
        spelled(before) == "AS" or (is_operand(before) and spelled(item[-1]) != "END") or before.text == "("
    )


def columns_named(query: Query, known: Mapping[str, Sequence[str]]) -> list[str]:
    """The names of the columns that a query gives; `known` are those of tables, by folded name."""
    if query.named:
        return list(query.named)
    found: list[str] = []
    for output in query.outputs or (["*"] if query.sources else []):
        qualifier = output.removesuffix("*").removesuffix(".")
        if not output.endswith("*"):
            found.append(output)
            continue
        for source in query.sources:
            if not qualifier or fold(source.name) == fold(qualifier):
                found += source_columns(source, known)
    return list(dict.fromkeys(found))


def source_columns(source: Source, known: Mapping[str, Sequence[str]]) -> list[str]:
    """The names of the columns of a source."""
    if source.query is not None:
        return columns_named(source.query, known)
    return list(known.get(fold(source.table), ()))
