"""What only the text of a CREATE statement of SQLite tells: checks, computed columns, collations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from greynb.databases.identifiers import fold
from greynb.databases.sqltext import Token, tokens

Tokens = tuple[Token, ...]
_CONSTRAINTS: Final = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})


@dataclass(slots=True)
class TableText:
    """The parts of a CREATE TABLE or CREATE INDEX.

    Attributes
    ----------
    parts
        What stands between the outermost parentheses, cut at its commas.
    where
        What follows a WHERE behind them.
    checks
        The expression of each CHECK.
    generated, collations
        By the column's name without case.
    deferred
        Whether foreign keys are checked at the end of a transaction.
    """

    parts: tuple[Tokens, ...] = ()
    where: Tokens = ()
    checks: tuple[Tokens, ...] = ()
    generated: dict[str, Tokens] = field(default_factory=dict)
    collations: dict[str, str] = field(default_factory=dict)
    deferred: bool = False


def read_table(sql: str) -> TableText:
    """Read a statement that SQLite has accepted."""
    found = [each for each in tokens(sql, "sqlite") if each.significant]
    begin = next((n for n, each in enumerate(found) if is_mark(each, "(")), len(found))
    inside = group(found, begin)
    after = found[begin + len(inside) + 2 :]
    text = TableText(parts=tuple(_cut(inside)))
    if after and word(after[0]) == "WHERE":
        text.where = tuple(after[1:])
    for part in text.parts:
        _read_part(part, text)
    return text


def unquoted(token: Token) -> str:
    """The name that a token is."""
    if token.kind not in ("quoted", "string"):
        return token.text
    end = token.text[-1]
    inner = token.text[1:-1]
    return inner if end == "]" else inner.replace(end * 2, end)


def word(token: Token) -> str:
    """A bare word in capitals; empty for everything else."""
    return token.text.upper() if token.kind == "name" else ""


def is_mark(token: Token, text: str) -> bool:
    """Whether a token is this operator or bracket."""
    return token.kind == "operator" and token.text == text


def group(found: Sequence[Token], begin: int) -> Tokens:
    """What stands in the parentheses that open at `begin`."""
    depth = 0
    for end in range(begin, len(found)):
        depth += is_mark(found[end], "(") - is_mark(found[end], ")")
        if depth == 0:
            return tuple(found[begin + 1 : end])
    return tuple(found[begin + 1 :])


def _cut(inside: Tokens) -> list[Tokens]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in inside:
        depth += is_mark(token, "(") - is_mark(token, ")")
        if depth == 0 and is_mark(token, ","):
            parts.append([])
        else:
            parts[-1].append(token)
    return [tuple(part) for part in parts if part]


def _read_part(part: Tokens, text: TableText) -> None:
    """Read the definition of a column, or a constraint of the table."""
    column = None if word(part[0]) in _CONSTRAINTS else fold(unquoted(part[0]))
    depth = 0
    for number, token in enumerate(part):
        depth += is_mark(token, "(") - is_mark(token, ")")
        opens = number + 1 < len(part) and is_mark(part[number + 1], "(")
        if depth or (number == 0 and column is not None):
            continue
        if word(token) == "CHECK" and opens:
            text.checks += (group(part, number + 1),)
        elif word(token) == "AS" and opens and column is not None:
            text.generated[column] = group(part, number + 1)
        elif word(token) == "COLLATE" and column is not None:
            name = unquoted(part[number + 1]).upper()
            text.collations[column] = "" if name == "BINARY" else name
        elif word(token) == "DEFERRED":
            text.deferred = True
