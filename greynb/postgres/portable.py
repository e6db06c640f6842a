"""PostgreSQL's conditions in SQLite's words, where both mean the same; all else is refused.

What is read is PostgreSQL's own spelling of them (``pg_get_expr``), which has brackets and casts everywhere.
Known are comparisons of columns with columns and literals, lists, NULL tests and AND, OR, NOT. Text is
compared for equality only, as its order is that of a collation; numbers are not computed with, as SQLite has
no exact ones. Dates are compared as texts, which order the years 0 to 9999.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from greynb.databases.identifiers import quote
from greynb.databases.sqltext import Token, tokens

Kind = Literal["integer", "real", "text", "date", "boolean", "other"]
_NUMBERS: Final = frozenset({"integer", "real"})
_ORDERED: Final = frozenset({"<", ">", "<=", ">="})
_COMPARISONS: Final = _ORDERED | {"=", "<>"}
_CASTS: Final[Mapping[str, Kind]] = {
    "text": "text",
    "character varying": "text",
    "integer": "integer",
    "bigint": "integer",
    "smallint": "integer",
    "numeric": "real",
    "double precision": "real",
    "date": "date",
}
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_DATE: Final = re.compile(r"'\d{4}-\d\d-\d\d'")


class NotPortable(Exception):
    """SQLite may not mean the same by it."""


def condition(sql: str, columns: Mapping[str, Kind]) -> str:
    """A condition on the columns of one table, for SQLite; raises `NotPortable`."""
    reading = Reading(sql, columns)
    found = reading.either()
    reading.end()
    return found


class Reading:
    """Reads tokens from left to right; every method gives SQLite's text of what it read."""

    def __init__(self, sql: str, columns: Mapping[str, Kind]) -> None:
        self.tokens: Sequence[Token] = [each for each in tokens(sql, "postgresql") if each.significant]
        self._columns = columns
        self.at = 0

    def end(self) -> None:
        """Nothing is left but a semicolon."""
        self.take(";")
        if self.at < len(self.tokens):
            raise NotPortable

    def either(self) -> str:
        """Conditions joined by OR and AND, which SQLite binds as PostgreSQL does."""
        found = self._not()
        while word := self.take("AND") or self.take("OR"):
            found += f" {word} {self._not()}"
        return found

    def _not(self) -> str:
        if self.take("NOT"):
            return f"NOT {self._not()}"
        begun = self.at
        try:
            return self._comparison()
        except NotPortable:
            self.at = begun
        self.need("(")
        found = self.either()
        self.need(")")
        return f"({found})"

    def _comparison(self) -> str:
        left, kind = self._operand()
        if self.take("IS"):
            negated = self.take("NOT")
            self.need("NULL")
            return f"{left} IS {'NOT ' if negated else ''}NULL"
        operator = self.peek()
        if operator not in _COMPARISONS:
            if kind == "boolean":
                return left
            raise NotPortable
        self.at += 1
        if (operator, self.peek()) in (("=", "ANY"), ("<>", "ALL")):
            self.at += 1
            return f"{left} {'IN' if operator == '=' else 'NOT IN'} ({', '.join(self._list(kind))})"
        right, other = self._operand()
        _check(operator, kind, other)
        return f"{left} {operator} {right}"

    def _list(self, kind: Kind) -> list[str]:
        """``(ARRAY['a'::text, 'b'::text])``, itself perhaps cast."""
        self.need("(")
        inner = self.take("(")
        self.need("ARRAY")
        self.need("[")
        found = []
        while not self.take("]"):
            literal, other = self._operand()
            _check("=", kind, other)
            found.append(literal)
            self.take(",")
        if inner:
            self.need(")")
            self.need("::")
            self._type()
            self.need("[")
            self.need("]")
        self.need(")")
        return found

    def _operand(self) -> tuple[str, Kind]:
        """A column or a literal, in brackets or not, cast or not."""
        if self.take("("):
            text, kind = self._operand()
            self.need(")")
        else:
            text, kind = self._plain()
        while self.take("::"):
            text, kind = _cast(text, kind, self._type())
        return text, kind

    def _plain(self) -> tuple[str, Kind]:
        minus = self.take("-")
        token = self.next()
        if token.kind == "number" and _is_exact(token.text):
            return minus + token.text, "real" if "." in token.text else "integer"
        if minus:
            raise NotPortable
        if token.kind == "string" and token.text.startswith("'"):
            return token.text, "text"
        if token.text.upper() in ("TRUE", "FALSE") and token.kind == "name":
            return token.text.upper(), "boolean"
        return self.column(token)

    def column(self, token: Token) -> tuple[str, Kind]:
        """A column that begins with a token, with its table or without."""
        name, before = name_of(token), ""
        if self.take("."):
            before, name = f"{quote(name)}.", name_of(self.next())
        if name not in self._columns or self.peek() == "(":
            raise NotPortable
        return before + quote(name), self._columns[name]

    def _type(self) -> str:
        for spelled in _CASTS:
            words = spelled.split()
            if [each.text for each in self.tokens[self.at : self.at + len(words)]] == words:
                self.at += len(words)
                if self.peek() == "(":
                    break
                return spelled
        raise NotPortable

    def peek(self) -> str:
        """What comes next, in upper case; empty at the end."""
        return self.tokens[self.at].text.upper() if self.at < len(self.tokens) else ""

    def next(self) -> Token:
        """Go on by one token."""
        if self.at == len(self.tokens):
            raise NotPortable
        self.at += 1
        return self.tokens[self.at - 1]

    def take(self, text: str) -> str:
        """Go on if that comes next; gives it, or nothing."""
        if self.peek() != text or self.tokens[self.at].kind in ("string", "quoted"):
            return ""
        self.at += 1
        return text

    def need(self, text: str) -> None:
        """Go on if that comes next, else give up."""
        if not self.take(text):
            raise NotPortable


def name_of(token: Token) -> str:
    """The name that a token spells."""
    if token.kind not in ("name", "quoted"):
        raise NotPortable
    return token.text[1:-1].replace('""', '"') if token.kind == "quoted" else token.text


def _cast(text: str, kind: Kind, spelled: str) -> tuple[str, Kind]:
    """A literal as what it is cast to; a column only to a wider type of its own kind."""
    wanted = _CASTS[spelled]
    if text.startswith("'"):
        if wanted in _NUMBERS and _is_exact(text[1:-1]):
            return text[1:-1], wanted
        if wanted == "text" or (wanted == "date" and _DATE.fullmatch(text)):
            return text, wanted
    elif (kind, spelled) == ("integer", "double precision"):
        return f"CAST({text} AS REAL)", wanted  # an integer beyond 2**53 is rounded
    elif kind == "real" and spelled == "numeric":
        raise NotPortable  # PostgreSQL rounds to 15 digits
    elif kind == wanted or (kind == "integer" and wanted == "real"):
        return text, wanted
    raise NotPortable


def _is_exact(text: str) -> bool:
    """Whether a literal is the same number in SQLite, which has 64 bits for each."""
    if not _NUMBER.fullmatch(text):
        return False
    if "." not in text:
        return -(2**63) < int(text) < 2**63
    return len(text.lstrip("-").replace(".", "").strip("0")) <= 15


def _check(operator: str, one: Kind, other: Kind) -> None:
    if "other" in (one, other) or not (one == other or {one, other} <= _NUMBERS):
        raise NotPortable
    if operator in _ORDERED and one not in _NUMBERS | {"date"}:
        raise NotPortable
