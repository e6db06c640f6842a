"""Texts put together from pieces: f-strings, ``%``, ``+``, ``.format``, ``.join`` and paths."""

from __future__ import annotations

import ast
import string
from itertools import dropwhile
from typing import TYPE_CHECKING

from greynb.audit.values import (
    Items,
    Marks,
    Number,
    Temporary,
    Text,
    Unknown,
    Value,
    alternatives,
    joined,
    one_of,
)

if TYPE_CHECKING:
    from greynb.audit.python.flow import Flow

_MARKS = {"?", "%s"}
_FLAGS = "#0- +.0123456789"


def built(flow: Flow, node: ast.JoinedStr | ast.BinOp) -> Value:
    """The text of an f-string, a sum, a ``%`` or a path with ``/``."""
    if isinstance(node, ast.JoinedStr):
        return _interpolated(flow, node)
    if isinstance(node.op, ast.Add):
        return _sum(flow, node)
    left = flow.value(node.left)
    if isinstance(node.op, ast.Div):
        return path(flow, node, [left, flow.value(node.right)])
    if isinstance(node.op, ast.Mod) and isinstance(left, Text):
        return _percent(flow, node, left)
    if isinstance(node.op, ast.Mult):
        return _repeated(left, flow.value(node.right))
    return flow.unknown(node)


def path(flow: Flow, node: ast.expr, pieces: list[Value]) -> Value:
    """A path of several pieces; below a temporary folder everything is temporary."""
    if not pieces or any(isinstance(each, Temporary) for piece in pieces for each in alternatives(piece)):
        return Temporary() if pieces else flow.unknown(node)
    choices = alternatives(pieces[0])
    if len(pieces) == 1:
        return pieces[0]
    place = flow.module.place(node)
    made: list[Value] = []
    for choice in choices:
        parts: list[str | Value] = [choice]
        for piece in pieces[1:]:
            parts += ["/", piece]
        made.append(joined(parts, place))
    return one_of(made)


def formatted(flow: Flow, node: ast.Call, template: Text) -> Value:
    """The text of ``template.format(…)``."""
    text = template.known
    if text is None:
        return joined([template, *(flow.value(each) for each in node.args)], flow.module.place(node))
    given: dict[str, Value] = {str(number): _spliced(flow, each) for number, each in enumerate(node.args)}
    given |= {each.arg: _spliced(flow, each.value) for each in node.keywords if each.arg}
    parts: list[str | Value] = []
    number = 0
    try:
        for literal, field, form, _ in string.Formatter().parse(text):
            parts.append(literal)
            if field is not None:
                name = field or str(number)
                number += not field
                parts.append(Number() if _numeric(form) else given.get(name, Unknown(f"{{{field}}}")))
    except ValueError:
        return flow.unknown(node)
    return joined(parts, flow.module.place(node))


def together(flow: Flow, node: ast.Call, separator: str, value: Value) -> Value:
    """The text of ``separator.join(items)``."""
    if isinstance(value, Marks):
        return value
    if not isinstance(value, Items) or not value.items:
        return flow.unknown(node)
    if all(
        isinstance(each, Marks) or (isinstance(each, Text) and each.known in _MARKS) for each in value.items
    ):
        return Marks()
    parts: list[str | Value] = []
    for each in value.items:
        parts += [each, separator]
    return joined(parts[:-1], flow.module.place(node))


def _interpolated(flow: Flow, node: ast.JoinedStr) -> Value:
    parts: list[str | Value] = []
    for piece in node.values:
        if isinstance(piece, ast.Constant):
            parts.append(str(piece.value))
        elif isinstance(piece, ast.FormattedValue):
            form = ast.unparse(piece.format_spec)[2:-1] if piece.format_spec else ""
            parts.append(Number() if _numeric(form) else _spliced(flow, piece.value))
    made = joined(parts, flow.module.place(node))
    if any(isinstance(part, Temporary) for part in made.parts):
        return Temporary()
    return made


def _spliced(flow: Flow, node: ast.expr) -> Value:
    """The value of a piece; an unknown one is called what it is called here, not where it comes from."""
    value = flow.value(node)
    return flow.unknown(node) if isinstance(value, Unknown) else value


def _sum(flow: Flow, node: ast.BinOp) -> Value:
    pieces: list[ast.expr] = []
    rest: ast.expr = node
    while isinstance(rest, ast.BinOp) and isinstance(rest.op, ast.Add):  # no recursion: sums can be long
        pieces.insert(0, rest.right)
        rest = rest.left
    values = [_spliced(flow, each) for each in (rest, *pieces)]
    if any(isinstance(each, Items) for each in values):
        return Items(
            tuple(item for each in values if isinstance(each, Items) for item in each.items), repeated=True
        )
    if any(isinstance(each, Temporary) for each in values):
        return Temporary()
    if all(isinstance(each, Number) for each in values):
        return Number()
    return joined(list(values), flow.module.place(node))


def _percent(flow: Flow, node: ast.BinOp, template: Text) -> Value:
    text = template.known
    right = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
    values = [_spliced(flow, each) for each in right]
    if text is None:
        return joined([template, *values], flow.module.place(node))
    parts: list[str | Value] = []
    pieces = text.replace("%%", "\0").split("%")
    parts.append(pieces[0].replace("\0", "%"))
    for number, piece in enumerate(pieces[1:]):
        name, ended, rest = piece.partition(")") if piece.startswith("(") else ("", "", piece)
        kind = "".join(dropwhile(_FLAGS.__contains__, rest))
        value = (
            _named(flow, node.right, name[1:])
            if ended
            else values[number]
            if number < len(values)
            else Unknown()
        )
        parts.append(Number() if kind[:1] in ("d", "i", "f") else value)
        parts.append(kind[1:].replace("\0", "%"))
    return joined(parts, flow.module.place(node))


def _named(flow: Flow, node: ast.expr, name: str) -> Value:
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == name:
                return flow.value(value)
    return Unknown(name)


def _repeated(left: Value, right: Value) -> Value:
    for each in (left, right):
        if isinstance(each, Text) and (each.known or "").replace(",", "").replace(" ", "") in _MARKS:
            return Marks() if set(each.known or "") <= set("?, ") else each
        if isinstance(each, Items):
            return Items(each.items, repeated=True)
    return Number() if isinstance(left, Number) or isinstance(right, Number) else Unknown()


def _numeric(form: str | None) -> bool:
    return bool(form) and (form or "")[-1] in "dfeEgG"
