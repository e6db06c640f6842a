"""Which of several bindings of a name wins, by the branches that they are in.

``a = x`` then ``if not a: a = y`` is "x, else y"; ``if b: a = b`` is "b, else what a was"; a branch that
depends on anything else (``if role == "staging"``) leaves both possible.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from greynb.audit.python.module import Binding, Path
from greynb.audit.values import NOTHING, Items, Unknown, Value, alternatives, first, joined, one_of, reads

if TYPE_CHECKING:
    from greynb.audit.python.flow import Flow

_EXISTS = {"exists", "is_file", "isfile"}


def excludes(one: Path, other: Path) -> bool:
    """Whether two places are in different branches of one ``if``, so that no run passes both."""
    fields = dict(one)
    return any(
        isinstance(node, ast.If)
        and node in fields
        and fields[node] != field
        and "test" not in (field, fields[node])
        for node, field in other
    )


def decides(flow: Flow, test: ast.expr) -> bool:
    """Whether a test asks if a variable of the environment, or the file it names, is there."""
    for node in ast.walk(test):
        if isinstance(node, ast.Attribute) and node.attr in _EXISTS:
            return True
        if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
            value = flow.value(node)
            if any(True for _ in reads(value)):
                return True
            if isinstance(node, ast.Name | ast.Attribute) and flow.module.dotted(node) == "os.environ":
                return True
    return False


def empties(test: ast.expr) -> bool:
    """Whether a test is true where its subject is missing (``not x``, ``x is None``, ``x == ""``)."""
    match test:
        case ast.UnaryOp(op=ast.Not()):
            return not empties(test.operand)
        case ast.Compare(ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(value=None | "")]):
            return True
        case ast.Compare(ops=[ast.NotIn()]):
            return True
        case ast.BoolOp():
            return empties(test.values[0])
    return False


class Branches:
    """The value of a name while its bindings are passed in order."""

    def __init__(self, flow: Flow, before: list[Value]) -> None:
        self._flow = flow
        self._value: Value | None = before[0] if before else None
        self._last: Path = ()
        # Of the ``if`` that is being passed: what its branches give so far, and what was there before it.
        self._inside: Value | None = None
        self._before: Value | None = None

    def after(self, found: Sequence[Binding]) -> Value:
        """Pass the bindings, in source order."""
        for each in found:
            self._pass(each)
        return self._value or Unknown()

    def _pass(self, binding: Binding) -> None:
        new, path = self._flow.bound(binding), self._flow.module.path(binding.statement)
        old = self._value
        if binding.kind == "added":
            self._value = _extended(old, new) or self._joined(old, binding, new)
        elif binding.kind in ("appended", "extended"):
            one = (
                (new,)
                if binding.kind == "appended"
                else new.items
                if isinstance(new, Items)
                else (Unknown(),)
            )
            self._value = Items((*(old.items if isinstance(old, Items) else ()), *one), repeated=True)
        elif old is None or old == NOTHING:
            self._value = new
        else:
            self._value = self._chosen(old, new, binding, path)
        self._last = path

    def _joined(self, old: Value | None, binding: Binding, new: Value) -> Value:
        place = self._flow.module.place(binding.statement)
        if old is None:
            return joined([new], place)
        return one_of([joined([each, new], place) for each in alternatives(old)])

    def _chosen(self, old: Value, new: Value, binding: Binding, path: Path) -> Value:
        last = dict(self._last)
        for node, field in path:
            if isinstance(node, ast.Try) and field == "handlers":
                return first([old, new])
            if isinstance(node, ast.If) and last.get(node, field) != field:
                return self._either(node, old, new)
        branch = next((each for each in reversed(path) if isinstance(each[0], ast.If)), None)
        if branch is None:
            return self._unasked(old, new, path)
        assert isinstance(branch[0], ast.If)
        test = branch[0].test
        if not decides(self._flow, test) and not _names(test, ast.Load) & _names(
            binding.statement, ast.Store
        ):
            return one_of([old, new])
        if empties(test) != (branch[1] == "orelse"):
            return first([old, new])
        self._inside, self._before = new, old
        return first([new, old])

    def _either(self, node: ast.If, old: Value, new: Value) -> Value:
        if not decides(self._flow, node.test):
            return one_of([old, new])
        if self._inside is None or self._before is None:
            return first([new, old] if empties(node.test) else [old, new])
        self._inside = first([new, self._inside] if empties(node.test) else [self._inside, new])
        return first([self._inside, self._before])

    def _unasked(self, old: Value, new: Value, path: Path) -> Value:
        if not path:
            return new
        return first([new, old]) if isinstance(path[-1][0], ast.Try) else one_of([old, new])


def returned(flow: Flow, ends: Sequence[Binding]) -> Value:
    """What a function gives back: the first ``return`` that is reached, where its test asks for the value."""
    value: Value | None = None
    decided = True
    for end in ends:
        new = flow.bound(end)
        value = new if value is None else first([value, new]) if decided else one_of([value, new])
        tests = [node.test for node, _ in flow.module.path(end.statement) if isinstance(node, ast.If)]
        decided = all(decides(flow, test) for test in tests)
    return value or Unknown()


def _names(node: ast.AST, context: type[ast.expr_context]) -> set[str]:
    return {
        each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, context)
    }


def _extended(old: Value | None, new: Value) -> Value | None:
    if isinstance(old, Items) and isinstance(new, Items):
        return Items((*old.items, *new.items), repeated=True)
    return None
