"""The statement around the cursor: its tokens, with the word that is being written taken out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greynb.completion.words import OPERATORS
from greynb.databases.sqltext import Token, tokens

if TYPE_CHECKING:
    from greynb.databases.sqltext import Dialect

_REST: Final = re.compile(r'\w*"?')


@dataclass(frozen=True, slots=True)
class Cursor:
    """A statement and a place in it.

    Attributes
    ----------
    tokens
        The statement's tokens that the engine sees, without the word at the cursor.
    at
        The index of the first one after the cursor.
    written
        The word at the cursor, up to it; with ``:`` in front of a variable, with ``"`` before a quoted name.
    rest
        What follows of that word.
    """

    tokens: list[Token]
    at: int
    written: str
    rest: str = ""

    @property
    def variable(self) -> bool:
        """Whether a variable of the notebook is being written."""
        return self.written.startswith((":", "$"))

    @property
    def quoted(self) -> bool:
        """Whether a name in quotes is being written."""
        return self.written.startswith('"')

    @property
    def word(self) -> str:
        """The letters of the word so far."""
        return self.written.lstrip(':$"')

    def before(self, distance: int = 1) -> str:
        """A token before the cursor, in capitals where it is a bare word; empty where there is none."""
        index = self.at - distance
        return spelled(self.tokens[index]) if index >= 0 else ""


def cursor(sql: str, offset: int, dialect: Dialect) -> Cursor | None:
    """Find the statement and the word at an offset; None inside a string, a comment or a number."""
    left = tokens(sql[:offset], dialect)
    written = _written(left)
    if written is None:
        return None
    found = _REST.match(sql, offset)
    rest = found.group() if found else ""
    rest = rest if written.startswith('"') else rest.removesuffix('"')
    before = _last_statement(
        [each for each in left if each.significant and each.start < offset - len(written)]
    )
    after = _first_statement(
        [each for each in tokens(sql[offset + len(rest) :], dialect) if each.significant]
    )
    return Cursor([*before, *after], len(before), written, rest)


def spelled(token: Token) -> str:
    """A token's text, in capitals where it is a bare word."""
    return token.text.upper() if token.kind == "name" else token.text


def is_operand(token: Token) -> bool:
    """Whether a token ends a value or a name, so that no other can follow at once."""
    if token.kind == "name":
        return token.text.upper() not in OPERATORS
    return token.kind in ("string", "quoted", "number", "parameter", "mark") or token.text in (")", "]", "}")


def _written(left: list[Token]) -> str | None:
    last = left[-1] if left else None
    if last is None or last.kind == "space":
        return ""
    if last.kind == "broken":
        return last.text if last.text.startswith('"') and "\n" not in last.text else None
    if last.kind == "comment":
        return "" if last.text.endswith("*/") else None
    if last.kind in ("number", "mark"):
        return None
    if last.kind in ("name", "parameter"):
        return last.text
    return ":" if last.text == ":" and not _touches_operand(left) else ""


def _touches_operand(left: list[Token]) -> bool:
    """Whether the colon at the end follows a value, as in a slice."""
    return len(left) > 1 and left[-2].significant and is_operand(left[-2])


def _last_statement(found: list[Token]) -> list[Token]:
    ends = [number for number, each in enumerate(found) if each.text == ";" and each.kind == "operator"]
    return found[ends[-1] + 1 :] if ends else found


def _first_statement(found: list[Token]) -> list[Token]:
    ends = [number for number, each in enumerate(found) if each.text == ";" and each.kind == "operator"]
    return found[: ends[0]] if ends else found
