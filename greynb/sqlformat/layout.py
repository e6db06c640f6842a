"""Lines out of a statement: on one line what fits and is simple, else a line for each part."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Final

from greynb.databases.sqltext import split_statements, words
from greynb.sqlformat.pieces import Piece, pieces
from greynb.sqlformat.tree import Clause, Group, Node, clauses, items, tree

if TYPE_CHECKING:
    from greynb.databases.sqltext import Dialect

WIDTH: Final = 88
_STEP: Final = "    "
_INLINE: Final = frozenset("FROM UPDATE DELETE WITH LIMIT OFFSET JOIN VALUES".split())
"""Clauses whose only item begins on their own line, with its brackets opened there."""


def layout(sql: str, dialect: Dialect) -> str:
    """Lay the statements of a text out anew; what is not understood stays as it is.

    Parameters
    ----------
    sql
        Statements, complete or not.
    dialect
        Whose tokens.

    Returns
    -------
    str
        The same tokens and comments in the same order, ending without a line break. Keywords are in
        capitals; names, strings and parameters are as they were.
    """
    found = pieces(sql, dialect)
    blocks: list[str] = []
    end = 0
    for statement in _statements(sql, found, dialect):
        first, last = statement[0], statement[-1]
        blank = blocks and sql.count("\n", end, first.start) > 1
        lines = _statement_lines(statement, sql, dialect)
        blocks += ["", *lines] if blank else lines
        end = last.end
    return "\n".join(blocks)


def _statements(sql: str, found: Sequence[Piece], dialect: Dialect) -> list[list[Piece]]:
    """The pieces of each statement, with its semicolon and the comments around it."""
    ends = [each.offset + len(each.text) for each in split_statements(sql, dialect)]
    parts: list[list[Piece]] = [[]]
    ended = False
    for piece in found:
        if ended and not (piece.kind == "comment" and not piece.fresh):
            parts.append([])
            ended = False
        parts[-1].append(piece)
        if piece.text == ";" and piece.kind == "operator" and (not ends or piece.start >= ends[0]):
            ended = True
            del ends[:1]
    return [part for part in parts if part]


def _statement_lines(statement: list[Piece], sql: str, dialect: Dialect) -> list[str]:
    written = sql[statement[0].start : statement[-1].end]
    nodes = None if _is_left_alone(statement, written, dialect) else tree(statement)
    return [written] if nodes is None else _query(nodes, "")


def _is_left_alone(statement: Sequence[Piece], written: str, dialect: Dialect) -> bool:
    """Whether line breaks mean something in it, or it is a trigger, or a string never ends."""
    kinds = [piece.kind for piece in statement if piece.kind != "comment"]
    if "broken" in kinds or any(pair == ("string", "string") for pair in pairwise(kinds)):
        return True
    return "TRIGGER" in words(written, dialect)[:4]


def _query(nodes: Sequence[Node], indent: str) -> list[str]:
    """The lines of clauses: one for all where they are few and fit."""
    parts = clauses(nodes)
    whole = _flat(nodes)
    if whole is not None and len(parts) <= 3 and _fits(indent + whole):
        return [indent + whole]
    return [line for part in parts for line in _clause(part, indent)]


def _clause(clause: Clause, indent: str) -> list[str]:
    comments = list(takewhile(lambda each: each.kind == "comment", clause.head))
    head = clause.head[len(comments) :]
    above = [indent + each.text for each in comments]
    whole = _flat([*head, *clause.body])
    if whole is not None and _fits(indent + whole):
        return [*above, indent + whole]
    parts = items(clause.body)
    if not head or (len(parts) == 1 and _INLINE & {each.word for each in head}):
        return [*above, *_flow([*head, *clause.body], indent)]
    inside = [line for part in parts for line in _flow(part, indent + _STEP)]
    return [*above, *_flow(head, indent), *inside]


def _flow(nodes: Sequence[Node], indent: str) -> list[str]:
    """The lines of one item, broken at AND and OR and in brackets that do not fit."""
    lines: list[str] = []
    line = indent
    ended = between = False
    for node in nodes:
        first = node.opening if isinstance(node, Group) else node
        behind = first.kind == "comment" and not first.fresh
        if line.strip() and ((ended and not behind) or _begins_line(node, between)):
            lines.append(line)
            line = indent
        ended = (ended and behind) or first.line_comment or first.fresh
        between = first.word == "BETWEEN" or (between and first.word != "AND")
        text = _flat([node])
        if isinstance(node, Group) and (text is None or not _fits(_after(line, first, text))):
            begun, *inside, line = _group(node, line, indent)
            lines += [begun, *inside]
        else:
            line = _after(line, first, text or first.text)
    return [*lines, line] if line.strip() else lines


def _begins_line(node: Node, between: bool) -> bool:
    return isinstance(node, Piece) and (
        node.fresh or node.word == "OR" or (node.word == "AND" and not between)
    )


def _group(group: Group, line: str, indent: str) -> list[str]:
    """The lines of brackets: the line so far with the opening one, the inside, the closing one."""
    inner = indent + _STEP
    if group.query:
        inside = _query(group.inner, inner)
    else:
        parts = _branches(group.inner) if group.case else items(group.inner)
        inside = [each for part in parts for each in _flow(part, inner)]
    return [_after(line, group.opening, group.opening.text), *inside, indent + group.closing.text]


def _branches(nodes: Sequence[Node]) -> list[list[Node]]:
    """Cut the inside of CASE … END before each WHEN and ELSE."""
    found: list[list[Node]] = [[]]
    for node in nodes:
        if isinstance(node, Piece) and node.word in ("WHEN", "ELSE"):
            found.append([])
        found[-1].append(node)
    return [part for part in found if part]


def _after(line: str, piece: Piece, text: str) -> str:
    gap = "  " if piece.line_comment else " "
    return line + gap + text if piece.space and line.strip() else line + text


def _flat(nodes: Sequence[Node]) -> str | None:
    """The nodes on one line, or None where a comment or a line break in a text forbids that."""
    line = ""
    for node in nodes:
        if isinstance(node, Group):
            inside = _flat([node.opening, *node.inner, node.closing])
            if inside is None:
                return None
            line = _after(line, node.opening, inside)
        elif node.line_comment or node.fresh or "\n" in node.text or "\r" in node.text:
            return None
        else:
            line = _after(line, node, node.text)
    return line


def _fits(line: str) -> bool:
    return len(line) <= WIDTH
