"""The texts of the errors that greynb raises, read from its source without running it."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

GAP = "…"  # stands for what is only known when the error happens
Function = ast.FunctionDef | ast.AsyncFunctionDef
Place = tuple[ast.expr, "_Module", "Function | None"]

# What some messages end in, where a name is close to the one that was not found.
_FIELD = re.compile(r"\{\w+(?:![rsa])?\}")
_MEANT = re.compile(rf"; did you mean {GAP}\?$")


@dataclass(frozen=True, slots=True)
class Raised:
    """One place of the source that makes an error.

    Attributes
    ----------
    error
        The name of its class.
    text
        Its message, with ``…`` for each part that is not fixed.
    path, line
        Where it is made; the path is relative to the folder that holds the package.
    """

    error: str
    text: str
    path: Path
    line: int


def raised(package: Path) -> list[Raised]:
    """Give every message of every error that a package's own classes of errors are made with.

    A message that is put together elsewhere is followed: through names of the function and of modules,
    through branches, and, where it is an argument, to the calls of the function. A text that nothing is
    known about, such as that of an engine, gives no message; a rule about such a text gives the one that
    stands for it.
    """
    source = _Source(package)
    found = {
        Raised(name, text, module.path.relative_to(package.parent), call.lineno)
        for module in source.modules
        for call in module.calls
        if (name := _called(call)) in source.errors and (call.args or call.keywords)
        for expanded in source.texts(_message(call), module, module.around(call))
        if re.search(r"\w\w", text := _MEANT.sub("", expanded))
    }
    found |= {
        Raised("QueryError", _FIELD.sub(GAP, text), module.path.relative_to(package.parent), call.lineno)
        for call, module in source.calls.get("Rule", [])
        if module.path.stem == "dialect_hints"
        for text in source.texts(call.args[1], module, None)
    }
    return sorted(found, key=lambda each: (each.text, each.error, each.path, each.line))


def _message(call: ast.Call) -> ast.expr:
    named = [each.value for each in call.keywords if each.arg == "message"]
    return [*call.args, *named][0]


def _called(node: ast.Call) -> str:
    return str(getattr(node.func, "attr", None) or getattr(node.func, "id", ""))


class _Module:
    """The tree of one module, with what is asked of it again and again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text("utf-8"), str(path))
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self.calls = [node for node in self.parents if isinstance(node, ast.Call)]
        self.functions = [node for node in self.parents if isinstance(node, Function)]
        self.names = {
            target.id: node.value
            for node in self.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }

    def around(self, node: ast.AST) -> Function | None:
        """Give the function that a node stands in."""
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, Function):
                return node
        return None


class _Source:
    """All modules of a package, and what an expression in one of them may hold."""

    def __init__(self, package: Path) -> None:
        self.modules = [_Module(path) for path in sorted(package.rglob("*.py"))]
        self.errors = self._subclasses("GreynbError")
        self._asked: set[ast.expr] = set()
        self.calls: dict[str, list[tuple[ast.Call, _Module]]] = {}
        for module in self.modules:
            for call in module.calls:
                self.calls.setdefault(_called(call), []).append((call, module))
        self.defined = Counter(each.name for module in self.modules for each in module.functions)

    def _subclasses(self, base: str) -> set[str]:
        classes = [
            node for module in self.modules for node in module.tree.body if isinstance(node, ast.ClassDef)
        ]
        found, before = {base}, 0
        while len(found) > before:
            before = len(found)
            found |= {each.name for each in classes if found & {ast.unparse(parent) for parent in each.bases}}
        return found

    def texts(self, node: ast.expr, module: _Module, function: Function | None, depth: int = 8) -> set[str]:
        """Give each text that an expression may be, ``…`` where something is not known."""
        if node in self._asked:
            return {GAP}  # a name that is assigned a text with itself in it
        self._asked.add(node)
        try:
            places = self.values((node, module, function), depth)
            return {text for place in places for text in self._text(*place)}
        finally:
            self._asked.discard(node)

    def _text(self, node: ast.expr, module: _Module, function: Function | None) -> set[str]:
        match node:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.JoinedStr(values=parts):
                return _product(self.texts(part, module, function) for part in parts)
            case ast.FormattedValue(value=ast.IfExp() | ast.Constant() as value):
                return self.texts(value, module, function)
            case ast.FormattedValue(value=ast.Name() as name):
                known = self.texts(name, module, function)
                return known if _are_sentences(known) else {GAP}
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _product(self.texts(part, module, function) for part in (left, right))
        return {GAP}

    def values(self, place: Place, depth: int) -> Iterator[Place]:
        """Follow names, branches and items of tables to the expressions that they may stand for."""
        node, module, function = place
        match node:
            case ast.IfExp(body=one, orelse=other):
                found = [(each, module, function) for each in (one, other)]
            case ast.Name(id=name):
                found = list(self._named(name, module, function))
            case ast.Subscript(value=whole, slice=key) if depth:
                tables = self.values((whole, module, function), depth - 1)
                found = [(each, *where[1:]) for where in tables for each in _items(where[0], key)]
            case _:
                found = []
        if not found or not depth:
            yield place
        else:
            for each in found:
                yield from self.values(each, depth - 1)

    def _named(self, name: str, module: _Module, function: Function | None) -> Iterable[Place]:
        """Give what a name may hold: of its function, of its callers, of its module, of another module."""
        places = [*_assigned(name, module, function)] or [*self._passed(name, module, function)]
        homes = [module] if name in module.names else [each for each in self.modules if name in each.names]
        return places or [(each.names[name], each, None) for each in homes]

    def _passed(self, name: str, module: _Module, function: Function | None) -> Iterator[Place]:
        """Give what calls of the function pass as an argument; calls nearby, where others bear its name."""
        arguments = [each.arg for each in function.args.args] if function else []
        if function is None or name not in arguments:
            return
        alone = self.defined[function.name] == 1
        for call, caller in self.calls.get(function.name, []):
            if alone or caller.path.parent == module.path.parent:
                given = _argument(call, name, arguments.index(name) - (arguments[0] in ("self", "cls")))
                yield from ((each, caller, caller.around(call)) for each in given)


def _argument(call: ast.Call, name: str, at: int) -> list[ast.expr]:
    """Give what a call passes by position or by name."""
    for index, each in enumerate(call.args[: at + 1]):
        if isinstance(each, ast.Starred):
            return [_item(each.value, at - index)]
        if index == at:
            return [each]
    return [each.value for each in call.keywords if each.arg == name]


def _assigned(name: str, module: _Module, function: Function | None) -> Iterator[Place]:
    """Give what a function assigns to a name, also as one of several."""
    for node in ast.walk(function) if function else ():
        if isinstance(node, ast.Assign):
            for target in node.targets:
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                for index, each in enumerate(names):
                    if isinstance(each, ast.Name) and each.id == name:
                        yield node.value if each is target else _item(node.value, index), module, function


def _item(whole: ast.expr, index: int) -> ast.expr:
    return ast.Subscript(value=whole, slice=ast.Constant(index), ctx=ast.Load())


def _items(table: ast.expr, key: ast.expr) -> list[ast.expr]:
    """Give what an item of a literal table may be."""
    match table, key:
        case ast.Tuple(elts=items), ast.Constant(value=int(index)):
            return items[index : index + 1]
        case ast.Dict(values=items), _:
            return items
    return []


def _are_sentences(texts: set[str]) -> bool:
    """Tell a part of the message that is chosen elsewhere from a name or a number that is filled in."""
    return any(len(re.findall(r"[^\W\d]{2,}", each)) >= 2 for each in texts)


def _product(parts: Iterable[set[str]]) -> set[str]:
    whole = {""}
    for texts in parts:
        whole = {begun + text for begun in whole for text in texts}
    return {re.sub(f"{GAP}+", GAP, each) for each in whole}
