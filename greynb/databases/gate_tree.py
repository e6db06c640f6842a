"""A look at every node of a parsed SELECT: what it calls, and what it reads from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from greynb.databases.gate_functions import (
    FILE_ENDINGS,
    NAMED_TABLE_FUNCTIONS,
    READS_FILES,
    REFUSED_PREFIXES,
    RUNS_SQL,
    SCALAR_FUNCTIONS_REFUSED,
    TABLE_FUNCTIONS,
)
from greynb.databases.gate_parser import builtin_functions
from greynb.databases.identifiers import fold
from greynb.errors import WriteRefused

INTERNAL: Final = "__greynb"
"""How the names of greynb's own databases inside the engine begin."""
_INTERNAL: Final = (INTERNAL, "__ducklake")  # DuckLake attaches its catalogue by itself

_TABLE_HINT: Final = "query the tables of the analytics file, or a DataFrame of the notebook by its name"

_EXPRESSIONS: Final = frozenset(
    """BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT DEFAULT FUNCTION LAMBDA
    LAMBDA_REF OPERATOR PARAMETER POSITIONAL_REFERENCE STAR SUBQUERY TYPE WINDOW""".split()
)
_NODES: Final = frozenset(
    """SELECT_NODE SET_OPERATION_NODE RECURSIVE_CTE_NODE CTE_NODE
    BASE_TABLE EMPTY EXPRESSION_LIST JOIN PIVOT SHOW_REF SUBQUERY TABLE_FUNCTION
    DISTINCT_MODIFIER LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER ORDER_MODIFIER
    ASCENDING DESCENDING ORDER_DEFAULT INVALID""".split()
)

_COLUMN_LISTS: Final = frozenset({"information_schema.columns", "duckdb_columns", "pg_attribute"})
"""Where the engine tells the types of every table's columns."""


@dataclass
class Found:
    """What a statement refers to, collected while its tree is walked."""

    tables: dict[str, None] = field(default_factory=dict)
    parameters: dict[str, None] = field(default_factory=dict)
    describes: bool = False


@dataclass(frozen=True)
class _Place:
    """A node still to be looked at, and the CTE names that are visible there (lower case)."""

    node: Any
    visible: frozenset[str]


def inspect(tree: Any, found: Found) -> None:
    """Look at every node below one of a parsed SELECT.

    Raises
    ------
    WriteRefused
        A node that reads or runs something beyond the session, or one of a kind not known here.
    """
    pending = [_Place(tree, frozenset())]
    while pending:
        place = pending.pop()
        if isinstance(place.node, dict):
            pending.extend(_look(place.node, place.visible, found))
        elif isinstance(place.node, list):
            pending.extend(_Place(each, place.visible) for each in reversed(place.node))
        elif isinstance(place.node, str):
            refuse_internal(place.node)


def refuse_internal(name: str) -> None:
    """Refuse a name of greynb's own databases inside the engine."""
    if _folded(name).lstrip('"').startswith(_INTERNAL):
        raise WriteRefused(
            f"names that begin with {' or '.join(_INTERNAL)} are greynb's own and cannot be used",
            hint=_TABLE_HINT,
        )


def refuse_file(name: str) -> None:
    """Refuse a table's name that would be taken for a file."""
    lowered = name.lower()
    if lowered.endswith(FILE_ENDINGS) or any(mark in name for mark in ("/", "\\", "*", "://")):
        raise WriteRefused(
            f"{name!r} looks like a file, and %%analytics reads only the analytics file",
            hint=f'for a table of that name write main."{name}"; for a file use pandas.read_csv or the like',
        )


def _look(node: dict[str, Any], visible: frozenset[str], found: Found) -> list[_Place]:
    _refuse_unknown(node)
    kind = node.get("class") or node.get("type")
    if kind == "CONSTANT":
        return []
    if kind == "BASE_TABLE":
        _base_table(node, visible, found)
    elif kind == "SHOW_REF":
        found.describes |= "__show_tables_expanded" in node["table_name"]  # SHOW ALL TABLES
    elif kind == "TABLE_FUNCTION":
        _table_function(node["function"], found)
        # Its arguments are looked at like any others, the function itself not once more as a scalar one.
        node = {**node, "function": _without(node["function"], "class", "type")}
    elif kind == "FUNCTION":
        _scalar_function(node["function_name"])
    elif kind == "PARAMETER":
        found.parameters[node["identifier"]] = None
    return list(_children(node, visible))[::-1]


def _children(node: dict[str, Any], visible: frozenset[str]) -> Iterator[_Place]:
    if "cte_name" in node:
        visible |= {fold(node["cte_name"])}
    for entry in node.get("cte_map", {}).get("map", []):
        yield _Place(entry["key"], visible)
        yield _Place(entry["value"], visible)
        visible |= {fold(entry["key"])}
    for value in _without(node, "cte_map", "class", "type").values():
        yield _Place(value, visible)
    if isinstance(node.get("type"), dict):
        yield _Place(node["type"], visible)


def _without(node: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in keys}


def _refuse_unknown(node: dict[str, Any]) -> None:
    kind, known = node.get("class"), _EXPRESSIONS
    if kind is None:
        kind, known = node.get("type"), _NODES
    if isinstance(kind, str) and kind not in known and not kind.endswith("_TYPE_INFO"):
        raise WriteRefused(f"the check does not know what DuckDB calls {kind}, and so refuses it")


_CATALOGS: Final = frozenset({"", "analytics", "temp", "system"})
_SCHEMAS: Final = _CATALOGS | {"main", "information_schema", "pg_catalog"}


def _base_table(node: dict[str, Any], visible: frozenset[str], found: Found) -> None:
    name, schema, catalog = node["table_name"], node["schema_name"], node["catalog_name"]
    if schema.lower() == "recurring" or (not schema and fold(name) in visible):
        return
    if not schema:
        refuse_file(name)
    elif _folded(schema) not in _SCHEMAS or _folded(catalog) not in _CATALOGS:
        # Where no table has that name, the engine takes all of its parts together for a file's.
        raise WriteRefused(f"{schema}.{name} is no table of analytics", hint="`%greynb tables` lists them")
    found.tables[name] = None
    found.describes |= bool({name.lower(), f"{schema}.{name}".lower()} & _COLUMN_LISTS)


def _table_function(function: dict[str, Any], found: Found) -> None:
    name = _folded(function["function_name"])
    found.describes |= name in _COLUMN_LISTS
    if name in NAMED_TABLE_FUNCTIONS:
        found.tables[_named_table(name, function["children"])] = None
    elif name not in TABLE_FUNCTIONS and (name.startswith(REFUSED_PREFIXES) or name in builtin_functions()):
        raise _refused_function(name)


def _folded(name: str) -> str:
    """A name for comparing: in lower case, without Unicode blanks that DuckDB may leave on it."""
    return name.strip().lower()


def _named_table(function: str, arguments: list[dict[str, Any]]) -> str:
    first = arguments[0] if arguments else {}
    value = first.get("value", {}).get("value") if first.get("class") == "CONSTANT" else None
    if not isinstance(value, str):
        raise WriteRefused(
            f"{function}() takes the table's name as a plain string here, so that it can be checked"
        )
    for part in value.split("."):
        refuse_internal(part)
    refuse_file(value)
    return value.rpartition(".")[2].strip('"')


def _scalar_function(name: str) -> None:
    lowered = _folded(name)
    refused = lowered in SCALAR_FUNCTIONS_REFUSED or lowered in READS_FILES or lowered in RUNS_SQL
    if refused or lowered.startswith(REFUSED_PREFIXES):
        raise _refused_function(lowered)


def _refused_function(name: str) -> WriteRefused:
    if name in READS_FILES or name.startswith("sqlite_"):
        return WriteRefused(
            f"{name}() reads or opens files, and %%analytics reads only the analytics file", hint=_TABLE_HINT
        )
    if name in RUNS_SQL:
        return WriteRefused(
            f"{name}() runs SQL from a string, which the check cannot see", hint="write that SQL out"
        )
    reason = SCALAR_FUNCTIONS_REFUSED.get(name, "it is not among the functions that only read")
    return WriteRefused(f"{name}() is not allowed in %%analytics: {reason}")
