"""DuckDB's plan of a statement in plain words, from what ``EXPLAIN (FORMAT json)`` gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final


def sentences(plan: str) -> list[str]:
    """Put a plan into sentences, in the order in which its steps run.

    Parameters
    ----------
    plan
        JSON: a list of nodes with ``name``, ``children`` and ``extra_info``.
    """
    return [each for node in json.loads(plan) for each in _told(node)]


def _told(node: Mapping[str, Any]) -> Iterator[str]:
    for child in node["children"]:
        yield from _told(child)
    name = str(node["name"]).strip()
    say = _RULES.get(name) or (_scan if "SCAN" in name or "SQLITE" in name else None)
    if say is None:
        yield f"does {name.lower().replace('_', ' ')}"
    elif sentence := say(node["extra_info"]):
        yield sentence


def _scan(info: Mapping[str, Any]) -> str:
    place = str(info.get("Table", ""))
    table = place.rsplit(".", 1)[-1] if place else "a table through SQLite"
    columns = _listed(info, "Projections")
    filters = " and ".join(_listed(info, "Filters"))
    number = len(columns)
    read = f"{number} column{'s' * (number != 1)} of {table}" if columns else table
    kept = f", keeping rows with {filters}" if filters else ""
    return f"reads {read}{kept}{_estimated(info)}"


def _join(info: Mapping[str, Any]) -> str:
    conditions = " and ".join(_listed(info, "Conditions"))
    return f"joins both on {conditions}{_estimated(info)}" if conditions else f"joins both{_estimated(info)}"


def _nested(info: Mapping[str, Any]) -> str:
    return f"{_join(info)}, comparing every row with every other; a condition with = would spare that"


def _product(info: Mapping[str, Any]) -> str:
    return f"pairs every row with every row{_estimated(info)}: is a join condition missing?"


def _filter(info: Mapping[str, Any]) -> str:
    conditions = " and ".join(_listed(info, "Expression"))
    return f"keeps rows with {conditions}{_estimated(info)}" if conditions else f"filters{_estimated(info)}"


def _group(info: Mapping[str, Any]) -> str:
    aggregates = ", ".join(each for each in _listed(info, "Aggregates") if each)
    return f"groups{f', computing {aggregates}' if aggregates else ''}{_estimated(info)}"


def _top(info: Mapping[str, Any]) -> str:
    return f"keeps the first {info.get('Top', 'rows')} by {', '.join(_listed(info, 'Order By'))}"


def _constant(text: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda info: f"{text}{_estimated(info)}" if text else ""


def _listed(info: Mapping[str, Any], key: str) -> list[str]:
    value = info.get(key) or []
    return [value] if isinstance(value, str) else [str(each) for each in value]


def _estimated(info: Mapping[str, Any]) -> str:
    number = str(info.get("Estimated Cardinality", ""))
    return f" (about {int(number):,} rows)" if number.isdecimal() else ""


_RULES: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "PROJECTION": _constant(""),
    "DUMMY_SCAN": _constant(""),
    "EMPTY_RESULT": _constant("sees that no row can match, and reads nothing"),
    "FILTER": _filter,
    "HASH_JOIN": _join,
    "PIECEWISE_MERGE_JOIN": _join,
    "IE_JOIN": _join,
    "ASOF_JOIN": _join,
    "NESTED_LOOP_JOIN": _nested,
    "BLOCKWISE_NL_JOIN": _nested,
    "CROSS_PRODUCT": _product,
    "HASH_GROUP_BY": _group,
    "PERFECT_HASH_GROUP_BY": _group,
    "PARTITIONED_AGGREGATE": _group,
    "UNGROUPED_AGGREGATE": _group,
    "SIMPLE_AGGREGATE": _group,
    "WINDOW": _constant("sorts the rows into partitions for window functions"),
    "STREAMING_WINDOW": _constant("computes window functions as the rows pass"),
    "ORDER_BY": _constant("sorts all rows"),
    "TOP_N": _top,
    "LIMIT": _constant("keeps the first rows"),
    "STREAMING_LIMIT": _constant("keeps the first rows, and stops reading then"),
    "UNION": _constant("puts both one after the other"),
    "UNNEST": _constant("makes a row of each item of a list"),
    "CTE": _constant("keeps the rows of a WITH to read them again"),
    "CTE_SCAN": _constant("reads the rows of a WITH again"),
    "DELIM_SCAN": _constant(""),
}
