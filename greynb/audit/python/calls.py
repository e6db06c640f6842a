"""Values of calls: the environment, paths, texts, connections, functions of the same file."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from greynb.audit.python import texts
from greynb.audit.python.opening import connection_of
from greynb.audit.values import (
    NOTHING,
    Connection,
    Env,
    First,
    Helper,
    Items,
    Mapping,
    Marks,
    Number,
    Table,
    Temporary,
    Text,
    Unknown,
    Value,
    alternatives,
    first,
    one_of,
)
from greynb.routing.route import Role

if TYPE_CHECKING:
    from greynb.audit.python.flow import Flow

# Calls whose value is their first argument's, for the purpose of reading.
_THROUGH = {
    *("str", "os.fspath", "os.path.abspath", "os.path.expanduser", "os.path.realpath", "os.path.normpath"),
    *("os.path.expandvars", "contextlib.closing", "sqlalchemy.text", "textwrap.dedent", "inspect.cleandoc"),
    *(
        "repr",
        "pathlib.Path.expanduser",
        "tuple",
        "list",
        "sorted",
        "set",
        "reversed",
        "iter",
        "sqlalchemy.sql.text",
    ),
}
# Methods whose value is their object's.
_SAME = {
    *(
        "resolve",
        "absolute",
        "expanduser",
        "as_posix",
        "strip",
        "rstrip",
        "lstrip",
        "cursor",
        "lower",
        "upper",
    ),
    *(
        "casefold",
        "execute",
        "executemany",
        "connect",
        "begin",
        "__enter__",
        "removesuffix",
        "fetchall",
        "as_uri",
    ),
}
_NUMBERS = {"int", "float", "len", "round", "abs", "sum", "id", "hash", "bool"}
_TEMPORARY = {
    *("tempfile.mkdtemp", "tempfile.mkstemp", "tempfile.mktemp", "tempfile.gettempdir"),
    *("tempfile.NamedTemporaryFile", "tempfile.TemporaryDirectory", "tempfile.TemporaryFile"),
}
GETTERS: dict[str, Role] = {"get_staging_db_path": "staging", "get_analytics_db_path": "analytics"}
_READS = {"os.getenv", "os.environ.get", "os.environ.setdefault", "os.environ.pop", "decouple.config"}
_DOTENV = {"dotenv.dotenv_values", "dict", "os.environ.copy", "dotenv.main.dotenv_values"}
_QUOTES = {
    "quote",
    "quoted",
    "quote_identifier",
    "quote_ident",
    "quote_name",
    "escape_identifier",
    "identifier",
}


def value_of_call(flow: Flow, node: ast.Call) -> Value:
    """What a call gives back."""
    name = flow.module.dotted(node.func)
    short = name.rpartition(".")[2] or (node.func.attr if isinstance(node.func, ast.Attribute) else "")
    for known in (_environment, _by_name):
        if (found := known(flow, node, name, short)) is not None:
            return found
    if (opened := connection_of(flow, node)) is not None:
        return opened
    if short in _QUOTES or short.lstrip("_") in _QUOTES:
        return Marks()
    if (function := flow.module.function(node)) is not None:
        return _called_here(flow, node, flow.returned(function, node))
    if isinstance(node.func, ast.Attribute):
        return _method(flow, node, node.func)
    return flow.unknown(node)


def value_of_subscript(flow: Flow, node: ast.Subscript) -> Value:
    """What ``a[b]`` gives: a variable of the environment, or an item of a list."""
    base = flow.value(node.value)
    if isinstance(base, Mapping):
        return _env(flow, node, flow.value(node.slice), None, required=True)
    if isinstance(base, Items) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
        if not base.repeated and -len(base.items) <= node.slice.value < len(base.items):
            return base.items[node.slice.value]
        return one_of(list(base.items)) if base.items else Unknown()
    if isinstance(base, Table) and base.values:
        return one_of(list(base.values))
    return base if isinstance(base, Temporary) else flow.unknown(node)


def _environment(flow: Flow, node: ast.Call, name: str, short: str) -> Value | None:
    base = node.func.value if isinstance(node.func, ast.Attribute) else None
    if name in _DOTENV and (not node.args or name.startswith("dotenv") or _is_mapping(flow, node.args[0])):
        return Mapping() if name != "dict" or node.args else None
    if name in _READS or (short == "get" and base is not None and _is_mapping(flow, base)):
        if not node.args:
            return None
        default = node.args[1] if len(node.args) > 1 else _keyword(node, "default")
        return _env(flow, node, flow.value(node.args[0]), default, required=name == "decouple.config")
    if (names := _keyword(node, "envvar")) is not None:  # click and typer
        return _env(flow, node, flow.value(names), _keyword(node, "default"))
    return None


def _env(
    flow: Flow, node: ast.expr, names: Value, default: ast.expr | None, *, required: bool = False
) -> Value:
    options = names.items if isinstance(names, Items) else alternatives(names)
    found: list[Value] = []
    place, last = flow.module.place(node), NOTHING if default is None else flow.value(default)
    for each in options:
        if not isinstance(each, Text) or each.known is None:
            return flow.unknown(node)
        found.append(Env(each.known, place, last != NOTHING, required and default is None))
    return first([*found, last]) if last != NOTHING else first(found)


def _by_name(flow: Flow, node: ast.Call, name: str, short: str) -> Value | None:
    if short in GETTERS:
        return Helper(GETTERS[short], flow.module.place(node))
    if name in _TEMPORARY:
        return Temporary()
    if name in _NUMBERS:
        return Number()
    if name == "filter" and len(node.args) == 2:
        return flow.value(node.args[1])
    if name == "map" and len(node.args) == 2:
        return _mapped(flow, node)
    if name == "next" and node.args:
        options = flow.value(node.args[0])
        inner = list(options.items) if isinstance(options, Items) else [options]
        return first([*inner, *(flow.value(each) for each in node.args[1:])])
    if name in ("enumerate", "zip", "range"):
        return Items((Number(),), repeated=True) if name == "range" else Unknown(name)
    if name in ("os.path.join", "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath") and node.args:
        return texts.path(flow, node, [flow.value(each) for each in node.args])
    if name in _THROUGH and node.args:
        return flow.value(node.args[0])
    return None


def _called_here(flow: Flow, node: ast.Call, value: Value) -> Value:
    """Variables that a call names are read at the call: ``setting("ANALYTICS_DB_PATH")``."""
    names = {each.known for each in map(flow.value, node.args) if isinstance(each, Text)}
    moved: list[Value] = [
        replace(each, place=flow.module.place(node)) if isinstance(each, Env) and each.name in names else each
        for each in alternatives(value)
    ]
    return first(moved) if isinstance(value, First) else one_of(moved)


def _mapped(flow: Flow, node: ast.Call) -> Value:
    name, items = flow.module.dotted(node.args[0]), flow.value(node.args[1])
    if name in _READS and isinstance(items, Items):
        return Items((_env(flow, node, items, None),))
    return items if name == "str" else flow.unknown(node)


def _method(flow: Flow, node: ast.Call, func: ast.Attribute) -> Value:
    base = flow.value(func.value)
    if func.attr == "join" and isinstance(base, Text) and base.known is not None and node.args:
        return texts.together(flow, node, base.known, flow.value(node.args[0]))
    if func.attr == "format" and isinstance(base, Text):
        return texts.formatted(flow, node, base)
    if func.attr in _PATHS:
        return _PATHS[func.attr](flow, node, base)
    if func.attr == "replace" and [_constant(each) for each in node.args] == ['"', '""']:
        return Marks()
    if isinstance(base, Table):
        return _entry(flow, node, func.attr, base)
    if isinstance(base, Temporary | Connection) or func.attr in _SAME:
        return base
    if func.attr in ("format", "replace", "removeprefix") and isinstance(base, Text):
        return base
    return flow.unknown(node)


def _entry(flow: Flow, node: ast.Call, method: str, table: Table) -> Value:
    """What a method of a dictionary that is written out gives."""
    if method in ("get", "pop", "setdefault") and node.args:
        return one_of([*table.values, *(flow.value(each) for each in node.args[1:])])
    if method == "items":
        return Items(tuple(Items(pair) for pair in zip(table.keys, table.values, strict=True)))
    return Items(table.values) if method == "values" else Items(table.keys) if method == "keys" else Unknown()


def _below(flow: Flow, node: ast.Call, base: Value) -> Value:
    return texts.path(flow, node, [base, *(flow.value(each) for each in node.args)])


def _beside(flow: Flow, node: ast.Call, base: Value) -> Value:
    if isinstance(base, Temporary) or not node.args:
        return base
    return texts.path(flow, node, [Unknown("…"), flow.value(node.args[0])])


_PATHS: dict[str, Callable[[Flow, ast.Call, Value], Value]] = {
    "joinpath": _below,
    "with_name": _beside,
    "with_suffix": _beside,
    "mktemp": lambda flow, node, base: Temporary(),
}


def _is_mapping(flow: Flow, node: ast.expr) -> bool:
    return isinstance(flow.value(node), Mapping)


def _keyword(node: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in node.keywords if each.arg == name), None)


def _constant(node: ast.expr) -> object:
    return node.value if isinstance(node, ast.Constant) else None
