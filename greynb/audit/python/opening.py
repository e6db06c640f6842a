"""Calls that open a database: drivers, greynb's own functions, and the collector's helpers."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from greynb.audit.targets import Target, readonly_address, target_of
from greynb.audit.values import NOTHING, Connection, Temporary, Text, Value
from greynb.errors import RoutingError
from greynb.routing import role_of
from greynb.routing.route import Role

if TYPE_CHECKING:
    from greynb.audit.python.flow import Flow

# Functions that open a SQLite file by its path, and the keyword that names it.
_DRIVERS = {
    "sqlite3.connect": "database",
    "sqlite3.Connection": "database",
    "sqlite3.dbapi2.connect": "database",
    "pysqlite3.connect": "database",
    "aiosqlite.connect": "database",
    "apsw.Connection": "filename",
    "duckdb.connect": "database",
    "sqlalchemy.create_engine": "url",
    "sqlalchemy.engine.create_engine": "url",
    "create_engine": "url",
}
_MAYBE_OTHERS = (
    "duckdb.connect",
    "create_engine",
    "sqlalchemy.create_engine",
    "sqlalchemy.engine.create_engine",
)
_HELPERS: dict[str, Role] = {"open_sqlite_readonly": "analytics", "open_sqlite_writable": "staging"}


@dataclass(frozen=True, slots=True)
class Opening:
    """A call that opens a database.

    Attributes
    ----------
    kind
        ``"raw"``: a driver; ``"helper"``: greynb's functions or the collector's.
    how
        The name of what opens it.
    target
        The file.
    path
        The value that names it; None where the helper does.
    readonly
        Whether the connection can only read.
    """

    kind: Literal["raw", "helper"]
    how: str
    target: Target
    path: Value | None
    readonly: bool


def connection_of(flow: Flow, node: ast.Call) -> Value | None:
    """The connection that a call gives, None where it opens nothing."""
    opened = opening_of(flow, node)
    if opened is None:
        return None
    if opened.target.kind == "temporary":
        return Temporary()
    return Connection(flow.module.place(node), opened.readonly, opened.target.role, opened.how)


def opening_of(flow: Flow, node: ast.Call) -> Opening | None:
    """What a call opens, None where it opens nothing."""
    name = flow.module.dotted(node.func)
    short = name.rpartition(".")[2]
    if short in _HELPERS:
        return _by_helper(flow, node, short)
    if short == "get_conn" and _greynb(flow, node, name):
        return _by_greynb(flow, node)
    if name in _DRIVERS:
        return _raw(flow, node, name)
    return None


def _by_helper(flow: Flow, node: ast.Call, short: str) -> Opening:
    role = _HELPERS[short]
    path = _argument(flow, node, "db_path")
    readonly = role == "analytics"
    if path is None or path == NOTHING:
        return Opening("helper", f"{short}()", Target("ours", role), None, readonly)
    return Opening("helper", f"{short}()", target_of(path), path, readonly)


def _greynb(flow: Flow, node: ast.Call, name: str) -> bool:
    """Whether a ``get_conn`` is greynb's: called with its arguments, or imported from it."""
    if name == "greynb.get_conn" or name.startswith("greynb."):
        return True
    role = _argument(flow, node, "role")
    return isinstance(role, Text) and role.known in ("analytics", "staging")


def _by_greynb(flow: Flow, node: ast.Call) -> Opening:
    role: Role | None = "analytics"
    if any(each.arg == "for_script" for each in node.keywords):
        role = None  # by its category: always the right one
    elif isinstance(given := _argument(flow, node, "role"), Text):
        role = "staging" if given.known == "staging" else "analytics" if given.known == "analytics" else None
    elif given is not None:
        role = None
    return Opening("helper", "get_conn()", Target("ours", role), None, role == "analytics")


def _raw(flow: Flow, node: ast.Call, name: str) -> Opening | None:
    path = _argument(flow, node, _DRIVERS[name])
    short = name.rpartition(".")[2]
    how = short if short == "create_engine" else name
    if path is None:
        temporary = not any(isinstance(each, ast.Starred) for each in node.args) and not node.keywords
        return Opening("raw", how, Target("temporary" if temporary else "unknown"), None, False)
    target = target_of(path)
    if name in _MAYBE_OTHERS and not target.sqlite:
        return None
    readonly = readonly_address(path) or _is_true(node, "read_only")
    return Opening("raw", how, target, path, readonly)


def _argument(flow: Flow, node: ast.Call, keyword: str) -> Value | None:
    if node.args and not isinstance(node.args[0], ast.Starred):
        return flow.value(node.args[0])
    return next((flow.value(each.value) for each in node.keywords if each.arg == keyword), None)


def _is_true(node: ast.Call, keyword: str) -> bool:
    return any(
        each.arg == keyword and isinstance(each.value, ast.Constant) and each.value.value is True
        for each in node.keywords
    )


def category(path: str) -> Role | None:
    """The role of a script by its name, None where the name does not say."""
    try:
        return role_of(path)
    except RoutingError:
        return None
