"""DuckDB's own parser, on a private connection that holds nothing and can reach nothing."""

from __future__ import annotations

import json
import threading
from functools import lru_cache
from typing import Any, NamedTuple

import duckdb

_lock = threading.RLock()
_connection: duckdb.DuckDBPyConnection | None = None
_builtins: frozenset[str] | None = None


class Function(NamedTuple):
    """What the engine says of the functions of one name.

    Attributes
    ----------
    steady
        Whether those that are no macros depend on their arguments alone and change nothing.
    macros
        The definitions of those that are macros.
    """

    steady: bool
    macros: tuple[str, ...]


def syntax_tree(sql: str) -> dict[str, Any]:
    """What ``json_serialize_sql`` says about a text: its statements as trees, or why there are none."""
    with _lock:
        # Fetched to the end: a transaction left open would make extract_statements answer differently.
        ((text,),) = _parser().execute("SELECT json_serialize_sql($1)", [sql]).fetchall()
    tree: dict[str, Any] = json.loads(text)
    return tree


def statement_types(sql: str) -> list[str]:
    """The engine's classes of the statements in a text, for example ``["CREATE", "SELECT"]``.

    Raises
    ------
    duckdb.Error
        The text does not parse.
    """
    with _lock:
        return [statement.type.name for statement in _parser().extract_statements(sql)]


def builtin_functions() -> frozenset[str]:
    """The names of all functions that come with the engine, in lower case."""
    global _builtins
    with _lock:
        if _builtins is None:
            rows = (
                _parser().execute("SELECT DISTINCT lower(function_name) FROM duckdb_functions()").fetchall()
            )
            _builtins = frozenset(row[0] for row in rows)
        return _builtins


@lru_cache(maxsize=1)
def functions() -> dict[str, Function]:
    """The scalar and aggregate functions and macros that come with the engine, by name in lower case."""
    with _lock:
        rows = _parser().execute(
            "SELECT lower(function_name),"
            " coalesce(bool_and(stability = 'CONSISTENT' AND NOT has_side_effects)"
            " FILTER (function_type <> 'macro'), true),"
            " list(DISTINCT macro_definition) FILTER (function_type = 'macro')"
            " FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate', 'macro') GROUP BY 1"
        )
        return {name: Function(steady, tuple(macros or ())) for name, steady, macros in rows.fetchall()}


def _parser() -> duckdb.DuckDBPyConnection:
    global _connection
    if _connection is None:
        _connection = duckdb.connect(
            ":memory:",
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "enable_external_access": "false",
                "threads": "1",
            },
        )
        _connection.execute("SET lock_configuration = true")
    return _connection
