"""What SQLite compares without case, or without blanks at the end, written so that PostgreSQL does the same.

SQLite folds the letters A to Z and no others, in ``COLLATE NOCASE`` and in LIKE. So does PostgreSQL's lower()
of a text whose collation is ``"C"``; its own ILIKE, citext and collations of ICU also fold others.
https://www.sqlite.org/datatype3.html#collation, https://www.postgresql.org/docs/current/collation.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from greynb.databases.identifiers import fold, literal, quote
from greynb.databases.sqltext import Token
from greynb.migration.servers.columns import Kept
from greynb.migration.servers.sqliteschema import Table
from greynb.migration.servers.tabletext import is_mark, unquoted, word

_FOLDED: Final = {"NOCASE": 'lower({} COLLATE "C")', "RTRIM": "rtrim({} COLLATE \"C\", ' ')"}
_BEFORE: Final = frozenset(("AND", "OR", "NOT", "WHERE", "ON", "WHEN", "HAVING", "("))
_BEHIND: Final = frozenset("AND OR THEN GROUP ORDER HAVING JOIN LEFT INNER CROSS UNION WHERE )".split())
_EQUALS: Final = frozenset(("=", "==", "<>", "!="))


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that an expression may name, without case.

    Attributes
    ----------
    names
        Their spellings.
    booleans
        Those that are boolean in PostgreSQL.
    texts
        Those that hold nothing but texts.
    collations
        How those texts compare that do so in another way than by their bytes.
    """

    names: dict[str, set[str]]
    booleans: frozenset[str]
    texts: frozenset[str] = frozenset()
    collations: dict[str, str] = field(default_factory=dict)


def columns_of(table: Table, kept: Sequence[Kept]) -> Columns:
    """The columns of one table."""
    texts = {fold(each.name): each for each in kept if each.type == "text"}
    return Columns(
        names={fold(each.name): {each.name} for each in table.columns},
        booleans=frozenset(fold(each.name) for each in kept if each.type == "boolean"),
        texts=frozenset(name for name, each in texts.items() if not each.mixed),
        collations={
            fold(each.name): each.collation
            for each in table.columns
            if each.collation and fold(each.name) in texts
        },
    )


def folded(sql: str, collation: str) -> str | None:
    """What PostgreSQL compares by bytes as SQLite compares a text by a collation; None for an unknown one."""
    form = _FOLDED.get(collation.upper())
    return form.format(sql) if form else None


def matched(found: Sequence[Token], number: int, columns: Columns) -> tuple[str, int] | None:
    """Translate a comparison that SQLite makes in a way of its own.

    Parameters
    ----------
    found, number
        Tokens, and the place of one that may be a column's name.
    columns
        The columns.

    Returns
    -------
    tuple of str and int, or None
        The comparison and the number of its tokens: a text LIKE a constant, or a column with a collation
        beside constants. None where there is none that is known to mean the same.
    """
    name = fold(unquoted(found[number]))
    spelled = columns.names.get(name, set())
    before = found[number - 1].text.upper() if number else "("
    if found[number].kind not in ("name", "quoted") or name not in columns.texts | columns.collations.keys():
        return None
    if len(spelled) != 1 or before not in _BEFORE:
        return None
    column = quote(next(iter(spelled)))
    rest = found[number + 1 :]
    negated = bool(rest) and word(rest[0]) == "NOT"
    compared = _like(column, rest[negated:]) if name in columns.texts else None
    if compared is None and (by := folded(column, columns.collations.get(name, ""))):
        compared = _equal(by, rest, columns.collations[name]) or _listed(
            by, rest[negated:], columns.collations[name]
        )
    if compared is None:
        return None
    sql, length = compared
    end = number + 1 + negated * (rest[negated].text.upper() in ("LIKE", "IN")) + length
    if end < len(found) and found[end].text.upper() not in _BEHIND:
        return None
    return (f"NOT ({sql})" if negated else sql), end - number


def _like(column: str, rest: Sequence[Token]) -> tuple[str, int] | None:
    if len(rest) < 2 or word(rest[0]) != "LIKE" or rest[1].kind != "string":
        return None
    pattern = _constant(rest[1], "NOCASE")
    return f"{folded(column, 'NOCASE')} LIKE {pattern} ESCAPE ''", 2


def _equal(by: str, rest: Sequence[Token], collation: str) -> tuple[str, int] | None:
    if len(rest) < 2 or rest[0].text not in _EQUALS or rest[1].kind != "string":
        return None
    sign = "=" if rest[0].text == "==" else rest[0].text
    return f"{by} {sign} {_constant(rest[1], collation)}", 2


def _listed(by: str, rest: Sequence[Token], collation: str) -> tuple[str, int] | None:
    if len(rest) < 4 or word(rest[0]) != "IN" or not is_mark(rest[1], "("):
        return None
    constants = []
    for place in range(2, len(rest) - 1, 2):
        if rest[place].kind != "string":
            return None
        constants.append(_constant(rest[place], collation))
        if is_mark(rest[place + 1], ")"):
            return f"{by} IN ({', '.join(constants)})", place + 2
        if not is_mark(rest[place + 1], ","):
            return None
    return None


def _constant(token: Token, collation: str) -> str:
    text = unquoted(token)
    if collation == "RTRIM":
        return literal(text.rstrip(" "))
    return literal("".join(each.lower() if "A" <= each <= "Z" else each for each in text))
