"""Copies of the routing in Python, each told once, at the largest expression that it is part of."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from greynb.audit.copies import VARIABLES, Copy, copy_of, judged
from greynb.audit.families.script import Script
from greynb.audit.findings import Found, Place
from greynb.audit.python.module import FUNCTIONS
from greynb.audit.values import Env, Text, Value, alternatives, orders


def check(script: Script) -> Iterator[Found]:
    """Find the copies, in source order."""
    if script.is_test or not any(name in script.text for name in VARIABLES):
        return
    covered: set[Place] = set()
    found: list[Found] = []
    for copy in sorted(_copies(script), key=lambda each: (-len(each.steps), each.default is None)):
        places = {step.place for step in copy.steps}
        if not places <= covered:
            if not places & covered:
                found.append(judged(copy, min(places), script.role))
            covered |= places
            script.defaults |= {copy.place} if copy.place else set()
    yield from sorted(found, key=lambda each: each.place)


def _copies(script: Script) -> Iterator[Copy]:
    for value in _candidates(script):
        for each in _paths_in(value):
            for order in orders(each):
                if (copy := copy_of(order)) is not None:
                    yield copy


def _paths_in(value: Value) -> Iterator[Value]:
    """A value, and values wrapped in an address or a path (``f"sqlite:///{path}"``)."""
    yield value
    for each in alternatives(value):
        if isinstance(each, Text):
            yield from (part for part in each.parts if not isinstance(part, str))


def _candidates(script: Script) -> Iterator[Value]:
    """Values that may be copies: what is opened, returned, bound or given, where it reads a variable."""
    module, flow = script.module, script.flow
    for _, opened in script.openings:
        if opened.path is not None:
            yield opened.path
    reads = [node for node in module.all(ast.Call, ast.Subscript) if _reads(script, node)]
    for function in {scope for node in reads if isinstance(scope := module.scope(node), FUNCTIONS)}:
        call = ast.Call(ast.Name(function.name, ast.Load()), [], [])
        ast.copy_location(call, function)
        ast.fix_missing_locations(call)
        yield flow.returned(function, call)
    for node in reads:
        top = _outermost(script, node)
        if _is_choice(script, top):
            yield flow.value(top)
            yield from _later(script, top)


def _reads(script: Script, node: ast.AST) -> bool:
    if not isinstance(node, ast.Call | ast.Subscript) or isinstance(
        getattr(node, "ctx", None), ast.Store | ast.Del
    ):
        return False
    if isinstance(node, ast.Call) and (_written_to(script, node) or _is_wrapper(script, node)):
        return False
    return any(
        isinstance(each, Env) and each.name in VARIABLES for each in alternatives(script.flow.value(node))
    )


def _written_to(script: Script, node: ast.Call) -> bool:
    return script.module.dotted(node.func) in ("os.environ.pop", "os.environ.setdefault")


def _is_wrapper(script: Script, node: ast.Call) -> bool:
    """Whether the variable's name is a parameter: then the copy is where the function is called."""
    function = script.module.scope(node)
    name = node.args[0] if node.args else None
    return (
        isinstance(function, FUNCTIONS)
        and isinstance(name, ast.Name)
        and name.id in [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    )


def _outermost(script: Script, node: ast.AST) -> ast.expr:
    """The largest choice around a read: climb through ``or``, conditions, defaults and conversions."""
    assert isinstance(node, ast.expr)
    for parent in script.module.above(node):
        if isinstance(parent, ast.IfExp) and parent.test is node:
            return node
        if not isinstance(
            parent, ast.BoolOp | ast.IfExp | ast.Call | ast.Starred | ast.JoinedStr | ast.FormattedValue
        ):
            return node
        if isinstance(parent, ast.Call) and not any(
            isinstance(each, Env)
            for value in _paths_in(script.flow.value(parent))
            for each in alternatives(value)
        ):
            return node
        assert isinstance(parent, ast.expr)
        node = parent
    return node


def _is_choice(script: Script, node: ast.expr) -> bool:
    """Whether an expression chooses a path: it is bound, returned or given, not only tested or printed."""
    parent = script.module.parents.get(node)
    match parent:
        case ast.Assign() | ast.AnnAssign() | ast.Return() | ast.NamedExpr() | ast.arguments() | ast.Yield():
            return not _to_environment(script, parent)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return node in parent.decorator_list
        case ast.keyword():
            return parent.arg == "default" or "db" in (parent.arg or "") or "database" in (parent.arg or "")
        case ast.Call():
            name = script.module.dotted(parent.func).rpartition(".")[2]
            return name not in ("print", "len", "bool", "repr") and not name.islower() | (name == "")
        case ast.Tuple():
            return True
    return False


def _to_environment(script: Script, node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else []
    return any(
        isinstance(each, ast.Subscript) and script.module.dotted(each.value).endswith(("environ", "env"))
        for each in targets
    )


def _later(script: Script, node: ast.expr) -> Iterator[Value]:
    """What the name that takes a read holds in the end: ``if not a: a = …`` comes after it."""
    parent = script.module.parents.get(node)
    targets = parent.targets if isinstance(parent, ast.Assign) else []
    if isinstance(parent, ast.NamedExpr):
        targets = [parent.target]
    scope = script.module.scope(node)
    for target in targets:
        if isinstance(target, ast.Name):
            yield script.flow.at_end(scope, target.id)
