"""The brackets of a statement, its clauses and its lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from greynb.sqlformat.pieces import Piece


@dataclass(frozen=True, slots=True)
class Group:
    """What stands between two brackets, or between CASE and END."""

    opening: Piece
    inner: list[Node]
    closing: Piece

    @property
    def case(self) -> bool:
        """Whether it is CASE … END."""
        return self.opening.word == "CASE"

    @property
    def query(self) -> bool:
        """Whether clauses stand in it: a subquery, a window."""
        words = (node.word for node in self.inner if isinstance(node, Piece) and node.kind != "comment")
        return next(words, "") in ("SELECT", "WITH", "FROM", "VALUES", "PARTITION", "ORDER")


Node = Piece | Group

_PAIRS: Final = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause: the words that open it (none for what comes before the first), and the rest."""

    head: list[Piece]
    body: list[Node]


def tree(found: Sequence[Piece]) -> list[Node] | None:
    """Put what stands in brackets together, or give None where they do not match."""
    levels: list[tuple[Piece | None, str, list[Node]]] = [(None, "", [])]
    for number, piece in enumerate(found):
        before = found[number - 1].text if number else ""
        opening, expected, nodes = levels[-1]
        if piece.kind == "operator" and piece.text in _PAIRS:
            levels.append((piece, _PAIRS[piece.text], []))
        elif piece.word == "CASE" and before not in (".", "AS", "as"):
            levels.append((piece, "END", []))
        elif opening and (piece.text if piece.kind == "operator" else piece.word) == expected:
            levels.pop()
            closing = replace(piece, text="END") if expected == "END" else piece
            levels[-1][2].append(Group(opening, nodes, closing))
        elif piece.kind == "operator" and piece.text in _PAIRS.values():
            return None
        else:
            nodes.append(piece)
    return levels[0][2] if len(levels) == 1 else None


def clauses(nodes: Sequence[Node]) -> list[Clause]:
    """Cut at the words that open clauses; comments on lines of their own go with what follows them."""
    found = [Clause([], [])]
    number = 0
    while number < len(nodes):
        head = _opening(nodes, number)
        if head:
            above = _comments_above(found[-1])
            number += len(head)
            behind = _comments_behind(nodes, number)
            found.append(Clause([*above, *head, *behind], []))
            number += len(behind)
        else:
            found[-1].body.append(nodes[number])
            number += 1
    return [each for each in found if each.head or each.body]


def _comments_above(clause: Clause) -> list[Piece]:
    above: list[Piece] = []
    while clause.body and isinstance(last := clause.body[-1], Piece) and last.fresh:
        above.insert(0, last)
        clause.body.pop()
    return above


def items(nodes: Sequence[Node]) -> list[list[Node]]:
    """Cut at the commas, which stay with what they follow, and so do comments behind them on the line."""
    found: list[list[Node]] = [[]]
    ended = False
    for node in nodes:
        if ended and not (isinstance(node, Piece) and node.kind == "comment" and not node.fresh):
            found.append([])
            ended = False
        found[-1].append(node)
        ended = ended or (isinstance(node, Piece) and node.kind == "operator" and node.text == ",")
    return found


def _comments_behind(nodes: Sequence[Node], number: int) -> list[Piece]:
    behind: list[Piece] = []
    for node in nodes[number:]:
        if not isinstance(node, Piece) or node.kind != "comment" or node.fresh:
            break
        behind.append(node)
    return behind


def _phrases(text: str) -> list[list[str]]:
    phrases = [line.split() for line in text.split(",")]
    return sorted(phrases, key=len, reverse=True)


_OPENING: Final = _phrases(
    """WITH RECURSIVE,WITH,SELECT DISTINCT,SELECT,FROM,WHERE,GROUP BY,HAVING,QUALIFY,WINDOW,ORDER BY,
    PARTITION BY,LIMIT,OFFSET,UNION ALL,UNION ALL BY NAME,UNION BY NAME,UNION,INTERSECT,INTERSECT ALL,
    EXCEPT,EXCEPT ALL,VALUES,RETURNING,ON CONFLICT,SET,DO UPDATE SET,DELETE FROM,USING SAMPLE"""
)
_SIDES: Final = frozenset("NATURAL ASOF POSITIONAL SEMI ANTI INNER LEFT RIGHT FULL OUTER CROSS".split())


def _opening(nodes: Sequence[Node], number: int) -> list[Piece]:
    """The words of a clause that begins here, in capitals, or none."""
    before = nodes[number - 1] if number else None
    if isinstance(before, Piece) and before.text in (".", "AS", "="):
        return []
    words = list(_words(nodes, number))
    sides = next((at for at, word in enumerate(words) if word not in _SIDES), len(words))
    if words[sides : sides + 1] == ["JOIN"]:
        return _capital(nodes, number, sides + 1)
    if words[:1] == ["FROM"] and isinstance(before, Piece) and before.word == "DISTINCT":
        return []  # IS DISTINCT FROM
    length = next((len(each) for each in _OPENING if words[: len(each)] == each), 0)
    return _capital(nodes, number, length)


def _words(nodes: Sequence[Node], number: int) -> Iterator[str]:
    for node in nodes[number : number + 6]:
        if not isinstance(node, Piece) or not node.word:
            return
        yield node.word


def _capital(nodes: Sequence[Node], number: int, length: int) -> list[Piece]:
    found = nodes[number : number + length]
    return [replace(node, text=node.word) for node in found if isinstance(node, Piece)]
