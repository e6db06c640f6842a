"""Expressions and views that mean the same in SQLite and in PostgreSQL, from the one's text to the other's.

Only what is known to: comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL, CASE, ``+ - *``, ``||``, LIKE with a
constant, and a few functions. Division by zero is NULL in SQLite and an error in PostgreSQL; the names of
functions for dates differ. PostgreSQL has the last word: what it does not accept is not portable either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from greynb.databases.identifiers import fold, literal, quote
from greynb.databases.sqltext import Token
from greynb.migration.servers.caseless import Columns, matched
from greynb.migration.servers.tabletext import is_mark, unquoted, word

_OTHERWISE: Final = "may mean something else there"
_WORDS: Final = frozenset("AND OR NOT IN BETWEEN IS NULL ISNULL NOTNULL CASE WHEN THEN ELSE END".split())
_QUERY_WORDS: Final = frozenset(
    "CREATE VIEW SELECT FROM WHERE AS JOIN LEFT INNER OUTER CROSS ON GROUP BY HAVING ORDER ASC DESC DISTINCT"
    " UNION ALL EXISTS".split()
)
_OTHER_WORDS: Final = frozenset(
    "LIKE GLOB REGEXP MATCH COLLATE ESCAPE CAST LIMIT OFFSET WITH RECURSIVE OVER WINDOW FILTER PARTITION"
    " NATURAL USING INTERSECT EXCEPT VALUES CURRENT_TIME CURRENT_DATE CURRENT_TIMESTAMP TRUE FALSE RIGHT FULL"
    " INDEXED NULLS".split()
)
"""Words of SQLite that are not allowed here, and that no name is taken for."""
_FUNCTIONS: Final = frozenset({"LENGTH", "ABS", "COALESCE", "NULLIF", "IFNULL"})
_OF_TEXT: Final = frozenset({"UPPER", "LOWER", "TRIM", "LTRIM", "RTRIM"})
"""Of one column of texts, whose collation lets PostgreSQL change A to Z alone, as SQLite does."""
_AGGREGATES: Final = frozenset({"COUNT", "MIN", "MAX"})
_OPERATORS: Final = frozenset("( ) , = == <> != < <= > >= + - * ||".split())
_EQUALS: Final = frozenset(("=", "==", "<>", "!="))
_ARITHMETIC: Final = frozenset("+-*")


COLLATED: Final = "{} compares by {}, which PostgreSQL does not have"


class NotPortable(Exception):
    """It may mean something else in PostgreSQL; the argument says why."""


def expression(found: Sequence[Token], columns: Columns) -> str:
    """Translate an expression over columns.

    Parameters
    ----------
    found
        Its tokens.
    columns
        What it may name.

    Raises
    ------
    NotPortable
        A part of it is not known to mean the same.
    """
    return " ".join(_translated(found, _Words(columns, _WORDS, _FUNCTIONS, _OPERATORS)))


def query(found: Sequence[Token], columns: Columns) -> str:
    """Translate the SELECT of a view; the rest is as for `expression`."""
    words, functions = _WORDS | _QUERY_WORDS, _FUNCTIONS | _AGGREGATES
    return " ".join(_translated(found, _Words(columns, words, functions, _OPERATORS | {"."}, {})))


@dataclass(frozen=True, slots=True)
class _Words:
    """What may stand in an expression; with `others` also names that it gives itself, and their spelling."""

    columns: Columns
    words: frozenset[str]
    functions: frozenset[str]
    operators: frozenset[str]
    others: dict[str, str] | None = None


def _translated(found: Sequence[Token], allowed: _Words) -> Iterator[str]:
    marks = {each.text for each in found if each.kind == "operator"}
    if "||" in marks and marks & _ARITHMETIC:
        raise NotPortable("|| binds in another order there")
    number = 0
    while number < len(found):
        text, length = matched(found, number, allowed.columns) or (_one(found, number, allowed), 1)
        yield text
        number += length


def _one(found: Sequence[Token], number: int, allowed: _Words) -> str:
    """Translate one token."""
    token = found[number]
    after = found[number + 1] if number + 1 < len(found) else None
    called = after is not None and is_mark(after, "(")
    if token.kind == "string":
        return token.text
    if token.kind == "number":
        before = found[max(0, number - 2) : number]
        return _truth(token, before, allowed.columns.booleans) or _number(token)
    if token.kind == "operator":
        if token.text not in allowed.operators:
            raise NotPortable(f"{token.text} {_OTHERWISE}")
        return "=" if token.text == "==" else token.text
    if word(token) in allowed.words:
        _check_is(word(token), after)
        return token.text
    if token.kind == "name" and called:
        return _function(found, number, allowed)
    collation = allowed.columns.collations.get(fold(unquoted(token)))
    if collation and allowed.others is None and not _only_looked_at(found, number):
        raise NotPortable(COLLATED.format(unquoted(token), collation))
    return _name(token, allowed)


def _function(found: Sequence[Token], number: int, allowed: _Words) -> str:
    name = word(found[number])
    if name in _OF_TEXT and len(found) > number + 3 and is_mark(found[number + 3], ")"):
        if fold(unquoted(found[number + 2])) in allowed.columns.texts:
            return name.lower()
    elif name in allowed.functions:
        return "coalesce" if name == "IFNULL" else found[number].text
    raise NotPortable(f"{found[number].text}() {_OTHERWISE}")


def _only_looked_at(found: Sequence[Token], number: int) -> bool:
    """Whether a column is not compared: it is asked for NULL or its length, or made lower, and so on."""
    behind = [word(each) for each in found[number + 1 : number + 3]]
    if behind[:1] in (["ISNULL"], ["NOTNULL"]) or behind == ["IS", "NULL"] or behind == ["IS", "NOT"]:
        return True
    return number > 1 and word(found[number - 2]) == "LENGTH" and is_mark(found[number - 1], "(")


def _truth(token: Token, before: Sequence[Token], booleans: frozenset[str]) -> str:
    """What 0 or 1 is beside a boolean; empty where it is a number."""
    compared = len(before) == 2 and before[1].text in _EQUALS and fold(unquoted(before[0])) in booleans
    return {"0": "FALSE", "1": "TRUE"}.get(token.text, "") if compared else ""


def _check_is(text: str, after: Token | None) -> None:
    if text == "IS" and (after is None or word(after) not in ("NULL", "NOT")):
        raise NotPortable("IS compares values in SQLite alone")


def _number(token: Token) -> str:
    if token.text[:2].lower() == "0x":
        return str(int(token.text, 16))
    if "_" in token.text:
        raise NotPortable(f"the number {token.text} is written in a way of SQLite's")
    return token.text


def _name(token: Token, allowed: _Words) -> str:
    """A table or column in its own spelling; in a query also another name, as it is spelled first."""
    if token.kind not in ("name", "quoted") or word(token) in _OTHER_WORDS:
        raise NotPortable(f"{token.text} {_OTHERWISE}")
    spelled = allowed.columns.names.get(fold(unquoted(token)), set())
    if len(spelled) == 1:
        return quote(next(iter(spelled)))
    if spelled:
        raise NotPortable(f"{token.text} is spelled in several ways")
    if allowed.others is None:
        is_text = token.text.startswith('"')
        raise NotPortable(f"{token.text} {'is a text in double quotes' if is_text else _OTHERWISE}")
    return quote(allowed.others.setdefault(fold(unquoted(token)), unquoted(token)))


def default(text: str, kind: str) -> str:
    """Translate the default of a column of a PostgreSQL type.

    Raises
    ------
    NotPortable
        It is computed in a way of SQLite's.
    """
    plain = _stripped(text)
    upper = plain.upper()
    moment = _MOMENTS.get(upper.replace(" ", ""))
    if moment is not None:
        return _moment(moment, kind)
    if upper in ("NULL", "TRUE", "FALSE"):
        return _constant(upper if upper == "NULL" else str(int(upper == "TRUE")), kind)
    if plain[:1] in ("'", '"') and plain.endswith(plain[0]) and len(plain) > 1:
        return _constant(plain[1:-1].replace(plain[0] * 2, plain[0]), kind)
    if upper.startswith("X'"):
        return literal("\\x" + plain[2:-1])
    if _NUMBER.fullmatch(plain):
        return _constant(str(int(plain, 16)) if upper.startswith("0X") else plain, kind)
    raise NotPortable("it is computed in a way of SQLite's")


def _stripped(text: str) -> str:
    text = text.strip()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    return text


def _constant(text: str, kind: str) -> str:
    if text == "NULL":
        return text
    if kind == "boolean":
        if text not in ("0", "1"):
            raise NotPortable("a boolean is 0 or 1")
        return "true" if text == "1" else "false"
    if kind == "bigint":
        try:
            return str(int(text))
        except ValueError:
            raise NotPortable(f"{text!r} is no whole number") from None
    return literal(text)


def _moment(kind_of: str, kind: str) -> str:
    form, cut = {
        "stamp": ("YYYY-MM-DD HH24:MI:SS", "second"),
        "date": ("YYYY-MM-DD", "day"),
        "time": ("HH24:MI:SS", ""),
    }[kind_of]
    if kind == "text":
        return f"to_char(now() AT TIME ZONE 'UTC', '{form}')"
    if kind in ("date", "timestamp") and cut:
        return f"date_trunc('{cut}', now() AT TIME ZONE 'UTC')::{kind}"
    raise NotPortable(f"a column that is {kind} there holds no time")


_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|0[xX][0-9a-fA-F]+", re.ASCII)
_MOMENTS: Final = {
    "CURRENT_TIMESTAMP": "stamp",
    "DATETIME('NOW')": "stamp",
    "CURRENT_DATE": "date",
    "DATE('NOW')": "date",
    "CURRENT_TIME": "time",
    "TIME('NOW')": "time",
}
