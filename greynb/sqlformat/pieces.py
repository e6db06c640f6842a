"""The pieces of a statement and the white space between two that stand on one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from greynb.databases.sqltext import Token, tokens

if TYPE_CHECKING:
    from greynb.databases.sqltext import Dialect


@dataclass(frozen=True, slots=True)
class Piece:
    """A token, a run of signs that stand together (``<->``), or a comment.

    Attributes
    ----------
    text
        As written; keywords in capitals.
    kind
        Of its token (see `greynb.databases.sqltext`), without ``space``.
    start
        Offset of its first character in the source.
    space
        Whether a space stands before it on a line.
    fresh
        Whether it began a line in the source; of comments alone, which stay on lines of their own.
    """

    text: str
    kind: str
    start: int
    space: bool = False
    fresh: bool = False

    @property
    def word(self) -> str:
        """The bare word in capitals, or nothing."""
        return self.text.upper() if self.kind == "name" else ""

    @property
    def line_comment(self) -> bool:
        """Whether the rest of its line belongs to it."""
        return self.kind == "comment" and self.text.startswith("--")

    @property
    def end(self) -> int:
        """Offset after its last character in the source."""
        return self.start + len(self.text)


_CAPITALS: Final = frozenset(
    """
    SELECT FROM WHERE GROUP HAVING ORDER LIMIT UNION INTERSECT EXCEPT JOIN ON AND OR NOT NULL IN IS BETWEEN
    CASE WHEN THEN ELSE AS DISTINCT CREATE TABLE INTO ASC DESC USING EXISTS LIKE ILIKE GLOB INSERT DELETE
    PRIMARY FOREIGN REFERENCES UNIQUE CHECK DEFAULT COLLATE DO
    """.split()
)
"""Words that are hardly ever names without quotes, so that their case says nothing."""
_BEFORE: Final = {
    "BY": ("GROUP", "ORDER", "PARTITION"),
    "KEY": ("PRIMARY", "FOREIGN"),
    "IF": ("TABLE", "VIEW", "INDEX"),
    "CONFLICT": ("ON",),
    "NOTHING": ("DO",),
}
"""Words that are capitals after these."""
_CALLED: Final = frozenset("OVER FILTER MATERIALIZED EXCLUDE VALUES CAST".split())
"""Words that are capitals before a bracket."""
_FIRST: Final = frozenset(
    "PARTITION WITH UPDATE EXPLAIN SUMMARIZE DESCRIBE PIVOT UNPIVOT DROP ALTER PRAGMA BEGIN COMMIT".split()
)
"""Words that are capitals at the beginning of a statement or of what stands in brackets."""

_SPACED: Final = frozenset("= < > <= >= <> != == || -> ->> => :=".split())
_ARITHMETIC: Final = frozenset("+-*/%")
_RUNNING: Final = frozenset("+-*/<>=~!@#%^&|")
_BEFORE_BRACKET: Final = frozenset(
    "SELECT FROM WHERE HAVING JOIN ON AND OR NOT IN BETWEEN CASE WHEN THEN ELSE AS OVER FILTER USING VALUES "
    "BY ALL UNION INTERSECT EXCEPT EXISTS MATERIALIZED SET RETURNING EXCLUDE LIMIT QUALIFY CONFLICT".split()
)
_NO_OPERAND: Final = _BEFORE_BRACKET | frozenset(
    "DISTINCT LIKE ILIKE GLOB IS OFFSET INTERVAL DEFAULT RETURN ESCAPE ASC DESC".split()
)


def pieces(sql: str, dialect: Dialect) -> list[Piece]:
    """Cut SQL into its pieces."""
    found: list[Piece] = []
    for piece, gap in _joined(tokens(sql, dialect)):
        before = found[-1] if found else None
        spaced = before is not None and _space(found, piece, bool(gap))
        fresh = piece.kind == "comment" and (before is None or "\n" in gap or "\r" in gap)
        found.append(replace(piece, space=spaced, fresh=fresh))
    around = zip([None, *found], found, [*found[1:], None], strict=False)
    return [
        replace(piece, text=piece.word) if _capital(before, piece, after) else piece
        for before, piece, after in around
    ]


def _capital(before: Piece | None, piece: Piece, after: Piece | None) -> bool:
    """Whether a word is a keyword, whose case says nothing."""
    if _names(before):
        return piece.word == "MATERIALIZED"
    word, last = piece.word, before.word if before else ""
    return bool(word) and (
        word in _CAPITALS
        or last in _BEFORE.get(word, ())
        or (word in _CALLED and after is not None and after.text == "(")
        or (word in _FIRST and (before is None or before.text in (";", "(") or before.kind == "comment"))
    )


def _names(before: Piece | None) -> bool:
    """Whether what follows is a name, whatever it is: after a dot, and where AS gives one."""
    return before is not None and (before.text == "." or before.word == "AS")


def _joined(found: Sequence[Token]) -> Iterator[tuple[Piece, str]]:
    """The tokens without space, each with the space before it; signs that touch are one."""
    waiting: Piece | None = None
    before = gap = ""
    for token in found:
        if token.kind == "space":
            gap += token.text
            continue
        piece = Piece(token.text, token.kind, token.start)
        if waiting and not gap and _runs(waiting) and _runs(piece):
            waiting = replace(waiting, text=waiting.text + piece.text)
            continue
        if waiting:
            yield waiting, before
        waiting, before, gap = piece, gap, ""
    if waiting:
        yield waiting, before


def _runs(piece: Piece) -> bool:
    return piece.kind == "operator" and _RUNNING.issuperset(piece.text)


def _space(found: Sequence[Piece], piece: Piece, gap: bool) -> bool:
    before = found[-1]
    if "comment" in (before.kind, piece.kind):
        return True
    if before.text == "(" or piece.text in (")", ",", ";"):
        return False
    if before.text == "," or piece.text in _SPACED or before.text in _SPACED:
        return True
    if piece.text in _ARITHMETIC and _is_operand(before):
        return True
    if before.text in _ARITHMETIC and len(found) > 1 and _is_operand(found[-2]):
        return True
    keyword = before.word in _BEFORE_BRACKET and not _names(found[-2] if len(found) > 1 else None)
    return gap or (piece.text == "(" and keyword)


def _is_operand(piece: Piece) -> bool:
    if piece.kind == "name":
        return piece.word not in _NO_OPERAND
    return piece.kind in ("string", "quoted", "number", "parameter", "mark") or piece.text in (")", "]", "}")
