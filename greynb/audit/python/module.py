"""A module's tree with what the tree does not say by itself: parents, scopes, bindings, imports, calls."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from greynb.audit.findings import Place

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_SCOPES = (*FUNCTIONS, ast.Lambda, ast.ClassDef, ast.Module)
Kind = Literal["value", "added", "item", "part", "appended", "extended"]
_GROWN: dict[str, Kind] = {"append": "appended", "extend": "extended"}
Path: TypeAlias = tuple[tuple[ast.AST, str], ...]


class Binding(NamedTuple):
    """One place where a name gets a value.

    Attributes
    ----------
    statement
        The statement that binds it.
    kind
        ``value``: it becomes the value of `node`; ``added``: that is added to it (``+=``); ``item``: an item
        of it (``for``); ``part``: its item number `part`; ``appended``, ``extended``: as a list's methods do.
    node
        The expression.
    part
        For a ``part`` its number from 0. For an ``item`` 0, or from 1 the number of the piece of it.
    """

    statement: ast.stmt | ast.expr
    kind: Kind
    node: ast.expr
    part: int = 0


class Module:
    """The index of one tree."""

    def __init__(self, tree: ast.Module, lines: list[str]) -> None:
        self.tree = tree
        self.parents: dict[ast.AST, ast.AST] = {}
        self.bindings: dict[ast.AST, dict[str, list[Binding]]] = defaultdict(lambda: defaultdict(list))
        self.attributes: dict[ast.AST | None, dict[str, list[Binding]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self.imports: dict[str, str] = {}
        self.functions: dict[tuple[ast.AST, str], Function] = {}
        self.called: dict[str, list[ast.Call]] = defaultdict(list)
        self.nodes: dict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        self.ends: dict[ast.AST, list[ast.Return | ast.Yield]] = defaultdict(list)
        self._lines = lines
        self._paths: dict[ast.AST, Path] = {}
        self._scopes: dict[ast.AST, ast.AST] = {}
        self._read()

    def all(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        """Every node of these classes, class by class, in source order."""
        for kind in kinds:
            yield from self.nodes[kind]

    def calls(self) -> Iterator[ast.Call]:
        """Every call, in source order."""
        for node in self.nodes[ast.Call]:
            assert isinstance(node, ast.Call)
            yield node

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, from the inside out."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def scope(self, node: ast.AST) -> ast.AST:
        """The function, class or module whose names a node sees first."""
        passed = [node]
        found: ast.AST = self.tree
        for parent in self.above(node):
            if isinstance(parent, _SCOPES):
                found = parent
                break
            if parent in self._scopes:
                found = self._scopes[parent]
                break
            passed.append(parent)
        self._scopes |= dict.fromkeys(passed, found)
        return found

    def owner(self, node: ast.AST) -> ast.ClassDef | None:
        """The class around a node, where there is one."""
        return next((each for each in self.above(node) if isinstance(each, ast.ClassDef)), None)

    def statement(self, node: ast.expr | ast.stmt) -> ast.stmt | ast.expr:
        """The statement around a node, or the node itself."""
        return next((each for each in (node, *self.above(node)) if isinstance(each, ast.stmt)), node)

    def dotted(self, node: ast.AST) -> str:
        """The full name of ``a.b.c`` with what `a` was imported as; empty where it is no such name."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, node.id)
        if isinstance(node, ast.Attribute) and (before := self.dotted(node.value)):
            return f"{before}.{node.attr}"
        return ""

    def function(self, call: ast.Call) -> Function | None:
        """The function of this module that a call runs, where that is plain to see."""
        name = call.func
        if isinstance(name, ast.Name):
            scope: ast.AST | None = self.scope(call)
            while scope is not None:
                if (scope, name.id) in self.functions and not isinstance(scope, ast.ClassDef):
                    return self.functions[scope, name.id]
                scope = None if scope is self.tree else self.scope(scope)
        elif isinstance(name, ast.Attribute) and isinstance(name.value, ast.Name):
            owner = self.owner(call)
            if owner is not None and name.value.id in ("self", "cls", owner.name):
                return self.functions.get((owner, name.attr))
        return None

    def place(self, node: ast.AST) -> Place:
        """Where a node is, in characters."""
        line, end_line = getattr(node, "lineno", 1), getattr(node, "end_lineno", None) or 0
        column = self._column(line, getattr(node, "col_offset", 0))
        return Place(line, column, end_line, self._column(end_line, getattr(node, "end_col_offset", 0) or 0))

    def source(self, node: ast.expr) -> str:
        """The code of an expression, as far as it stands on its first line."""
        line = self._lines[node.lineno - 1] if node.lineno <= len(self._lines) else ""
        end = node.end_col_offset if node.end_lineno == node.lineno else None
        return line.encode()[node.col_offset : end].decode(errors="ignore")[:60]

    def path(self, node: ast.AST) -> Path:
        """The branches of its scope that a node is in, outermost first."""
        found = self._paths.get(node)
        if found is None:
            found = self._paths[node] = tuple(reversed(list(self._branches(node))))
        return found

    def _branches(self, node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
        child = node
        for parent in self.above(node):
            if isinstance(parent, _SCOPES):
                return
            if isinstance(parent, ast.If | ast.For | ast.AsyncFor | ast.While | ast.Try):
                for field in ("body", "orelse", "handlers", "finalbody"):
                    if child in getattr(parent, field, ()):
                        yield parent, field
            child = parent

    def _column(self, line: int, offset: int) -> int:
        text = self._lines[line - 1] if 0 < line <= len(self._lines) else ""
        return offset + 1 if text.isascii() else len(text.encode()[:offset].decode(errors="ignore")) + 1

    def _read(self) -> None:
        todo: list[ast.AST] = [self.tree]
        while todo:  # in source order, without recursion: sums of thousands of strings nest as deep
            node = todo.pop()
            self.nodes[type(node)].append(node)
            children = list(ast.iter_child_nodes(node))
            for child in children:
                self.parents[child] = node
            todo += reversed(children)
            self._note(node)

    def _note(self, node: ast.AST) -> None:
        match node:
            case ast.Import():
                for alias in node.names:
                    self.imports[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            case ast.ImportFrom():
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = f"{node.module or ''}.{alias.name}"
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.functions.setdefault((self.scope(node), node.name), node)
            case ast.Call():
                self._call(node)
            case ast.Return() | ast.Yield():
                self.ends[self.scope(node)].append(node)
            case _:
                for target, binding in bound(node):
                    self._bind(target, binding)

    def _call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name):
            self.called[node.func.id].append(node)
        elif isinstance(node.func, ast.Attribute):
            self.called[node.func.attr].append(node)
            kind = _GROWN.get(node.func.attr)
            if kind is not None and len(node.args) == 1:
                self._bind(node.func.value, Binding(self.statement(node), kind, node.args[0]))

    def _bind(self, target: ast.expr, binding: Binding) -> None:
        if isinstance(target, ast.Name):
            self.bindings[self.scope(binding.statement)][target.id].append(binding)
        elif isinstance(target, ast.Attribute) and ast.unparse(target.value) in ("self", "cls"):
            self.attributes[self.owner(binding.statement)][target.attr].append(binding)


def bound(node: ast.AST) -> Iterator[tuple[ast.expr, Binding]]:
    """The names that a statement binds, with what."""
    match node:
        case ast.Assign():
            for target in node.targets:
                yield from _unpacked(node, target, node.value)
        case ast.AnnAssign(value=ast.expr() as value) | ast.NamedExpr(value=value):
            yield node.target, Binding(node, "value", value)
        case ast.AugAssign(op=ast.Add()):
            yield node.target, Binding(node, "added", node.value)
        case ast.For() | ast.AsyncFor():
            yield from looped(node, node.target, node.iter)
        case ast.With() | ast.AsyncWith():
            for item in node.items:
                if item.optional_vars is not None:
                    yield item.optional_vars, Binding(node, "value", item.context_expr)


def _unpacked(node: ast.stmt, target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, Binding]]:
    if not isinstance(target, ast.Tuple | ast.List):
        yield target, Binding(node, "value", value)
    elif isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
        for each, part in zip(target.elts, value.elts, strict=True):
            yield from _unpacked(node, each, part)
    else:
        for number, each in enumerate(target.elts):
            yield each, Binding(node, "part", value, number)


def looped(node: ast.stmt | ast.expr, target: ast.expr, over: ast.expr) -> Iterator[tuple[ast.expr, Binding]]:
    """The names that a loop or a comprehension binds, with what."""
    if isinstance(target, ast.Tuple | ast.List):
        for number, each in enumerate(target.elts):
            yield each, Binding(node, "item", over, number + 1)
    else:
        yield target, Binding(node, "item", over)
