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
    known about, such as that of an engine, gives no message.
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
            if isinstance(node, ast.Assign)
            for target in node.targets
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

        def again(part: ast.expr) -> set[str]:
            return self.texts(part, module, function, depth)

        match node:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.JoinedStr(values=parts):
                return _product(again(part) for part in parts)
            case ast.FormattedValue(value=ast.IfExp() | ast.Constant() as value):
                return again(value)
            case ast.FormattedValue(value=ast.Name() as name):
                return known if _are_sentences(known := again(name)) else {GAP}
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _product([again(left), again(right)])
            case ast.IfExp(body=one, orelse=other):
                return again(one) | again(other)
            case ast.Name(id=name) if depth:
                return self._named(name, module, function, depth - 1)
        return {GAP}

    def _named(self, name: str, module: _Module, function: Function | None, depth: int) -> set[str]:
        """Give what a name may hold: of its function, of its callers, of its module, of another module."""
        places = [*_assigned(name, module, function)] or [*self._passed(name, module, function)]
        if not places:
            homes = (
                [module] if name in module.names else [each for each in self.modules if name in each.names]
            )
            places = [(each.names[name], each, None) for each in homes]
        return {text for place in places for text in self.texts(*place, depth)} or {GAP}

    def _passed(self, name: str, module: _Module, function: Function | None) -> Iterator[Place]:
        """Give what calls of the function pass as an argument."""
        arguments = [each.arg for each in function.args.args] if function else []
        if function is None or name not in arguments:
            return
        alone = self.defined[function.name] == 1
        for call, caller in self.calls.get(function.name, []):
            if caller is module or alone:
                at = arguments.index(name) - (arguments[0] in ("self", "cls"))
                given = call.args[at : at + 1] + [each.value for each in call.keywords if each.arg == name]
                yield from ((each, caller, caller.around(call)) for each in given)


def _assigned(name: str, module: _Module, function: Function | None) -> Iterator[Place]:
    for node in ast.walk(function) if function else ():
        if isinstance(node, ast.Assign) and any(
            isinstance(each, ast.Name) and each.id == name for each in node.targets
        ):
            yield node.value, module, function


def _are_sentences(texts: set[str]) -> bool:
    """Tell a part of the message that is chosen elsewhere from a name or a number that is filled in."""
    return any(len(re.findall(r"[^\W\d]{2,}", each)) >= 2 for each in texts)


def _product(parts: Iterable[set[str]]) -> set[str]:
    whole = {""}
    for texts in parts:
        whole = {begun + text for begun in whole for text in texts}
    return {re.sub(f"{GAP}+", GAP, each) for each in whole}
