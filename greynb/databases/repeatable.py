"""Whether a SELECT gives the same rows whenever it runs on the same tables, so that a result may be kept.

Asked of statements that passed the gate. Everything is told from DuckDB's own parse tree and from its list
of functions; what is not known to be steady counts as volatile: a function that the engine does not list
(a macro of the user's), a table function, a sample, another schema, a list of the engine's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import duckdb

from greynb.databases.gate_parser import functions, syntax_tree

VOLATILE: Final = frozenset(
    """
    age current_localtime current_localtimestamp current_setting getvariable reservoir_quantile version
    """.split()
)
"""What the engine calls steady although a clock, a setting, the version or a random sample decides."""

WORDS: Final = frozenset(
    """
    current_catalog current_date current_role current_schema current_time current_timestamp current_user
    localtime localtimestamp session_user user
    """.split()
)
"""What the engine takes for a call although it is written like a column."""

TABLE_FUNCTIONS: Final = frozenset(
    "generate_series json_each json_tree range repeat repeat_row unnest".split()
)
"""Functions in FROM that compute from their arguments alone."""

_OWN: Final = {"catalog_name": ("", "analytics"), "schema_name": ("", "main", "analytics", "recurring")}


@lru_cache(maxsize=256)
def is_repeatable(sql: str) -> bool:
    """Whether one statement is such a SELECT, but for the tables that it names."""
    try:
        tree = syntax_tree(sql)
    except (duckdb.Error, RecursionError):
        return False
    return not tree["error"] and len(tree["statements"]) == 1 and _is_steady(tree["statements"])


def _is_steady(tree: Any) -> bool:
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            kind = node.get("class") or node.get("type")
            if node.get("sample") or not _CHECKS.get(str(kind), _passes)(node):
                return False
            if kind != "CONSTANT":
                pending.extend(node.values())
    return True


def _passes(_node: Mapping[str, Any]) -> bool:
    return True


def _fails(_node: Mapping[str, Any]) -> bool:
    return False


def _column(node: Mapping[str, Any]) -> bool:
    names = node["column_names"]
    return len(names) > 1 or names[0].lower() not in WORDS


def _table(node: Mapping[str, Any]) -> bool:
    own = all(node[part].lower() in names for part, names in _OWN.items())
    return own and not node["at_clause"]


def _table_function(node: Mapping[str, Any]) -> bool:
    return node["function"]["function_name"].lower() in TABLE_FUNCTIONS


def _function(node: Mapping[str, Any]) -> bool:
    name = node["function_name"].lower()
    if name in TABLE_FUNCTIONS:
        return True
    known = functions().get(name)
    if known is None or name in VOLATILE or not known.steady:
        return False
    return all(is_repeatable(f"SELECT ({body})") for body in known.macros)


_CHECKS: Final[Mapping[str, Callable[[Mapping[str, Any]], bool]]] = {
    "BASE_TABLE": _table,
    "COLUMN_REF": _column,
    "DEFAULT": _fails,
    "FUNCTION": _function,
    "SHOW_REF": _fails,
    "TABLE_FUNCTION": _table_function,
    "WINDOW": _function,
}
"""By kind of node, other than those that are steady if all below them is."""
