"""Conditions: comparisons in one type, AND, OR, IN, BETWEEN and their like."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from greynb.spark.expressions import Expressions, Rule
from greynb.spark.typed import Typed, comparable, refuse


def _compared(sign: str) -> Rule:
    def rule(into: Expressions, node: exp.Expression) -> Typed:
        left, right = comparable([into.of(node.this), into.of(node.expression)])
        return Typed(f"({left} {sign} {right})", "bool")

    return rule


def _distinct_from(into: Expressions, node: exp.Expression) -> Typed:
    left, right = comparable([into.of(node.this), into.of(node.expression)])
    return Typed(f"(NOT ({left} <=> {right}))", "bool")


def _joined(word: str) -> Rule:
    def rule(into: Expressions, node: exp.Expression) -> Typed:
        return Typed(f"({into.condition(node.this)} {word} {into.condition(node.expression)})", "bool")

    return rule


def _not(into: Expressions, node: exp.Expression) -> Typed:
    return Typed(f"(NOT {into.condition(node.this)})", "bool")


def _is(into: Expressions, node: exp.Expression) -> Typed:
    value, other = into.of(node.this), node.expression
    word = "IS NOT" if node.args.get("negate") else "IS"
    if isinstance(other, exp.Null):
        return Typed(f"({value.sql} {word} NULL)", "bool")
    if isinstance(other, exp.Boolean) and value.kind == "bool":
        return Typed(f"({value.sql} {word} {'TRUE' if other.this else 'FALSE'})", "bool")
    return refuse("IS with that", "write IS NULL, IS NOT NULL or IS NOT DISTINCT FROM")


def _between(into: Expressions, node: exp.Expression) -> Typed:
    value, low, high = comparable([into.of(node.args[part]) for part in ("this", "low", "high")])
    word = "NOT BETWEEN" if node.args.get("negate") else "BETWEEN"
    return Typed(f"({value} {word} {low} AND {high})", "bool")


def _in(into: Expressions, node: exp.Expression) -> Typed:
    value = into.of(node.this)
    word = "NOT IN" if node.args.get("negate") else "IN"
    query = node.args.get("query")
    if query is not None:
        select, kinds = into.scope.subquery(query.this if isinstance(query, exp.Subquery) else query)
        if len(kinds) != 1 or kinds[0] != value.kind:
            refuse(f"{word} of {value.kind} in {', '.join(kinds)}", "write a CAST on one side")
        return Typed(f"({value.sql} {word} ({select}))", "bool")
    first, *others = comparable([value, *into.all(node.expressions)])
    return Typed(f"({first} {word} ({', '.join(others)}))", "bool")


def _exists(into: Expressions, node: exp.Expression) -> Typed:
    query = node.this.this if isinstance(node.this, exp.Subquery) else node.this
    select, _ = into.scope.subquery(query)
    return Typed(f"EXISTS ({select})", "bool")


_TWO: Final = frozenset({"this", "expression"})

CONDITIONS: Final[dict[type[exp.Expression], tuple[Rule, frozenset[str]]]] = {
    exp.EQ: (_compared("="), _TWO),
    exp.NEQ: (_compared("<>"), _TWO),
    exp.GT: (_compared(">"), _TWO),
    exp.GTE: (_compared(">="), _TWO),
    exp.LT: (_compared("<"), _TWO),
    exp.LTE: (_compared("<="), _TWO),
    exp.NullSafeEQ: (_compared("<=>"), _TWO),
    exp.NullSafeNEQ: (_distinct_from, _TWO),
    exp.And: (_joined("AND"), _TWO),
    exp.Or: (_joined("OR"), _TWO),
    exp.Not: (_not, frozenset({"this"})),
    exp.Is: (_is, frozenset({"this", "expression", "negate"})),
    exp.Between: (_between, frozenset({"this", "low", "high", "negate"})),
    exp.In: (_in, frozenset({"this", "expressions", "query", "negate"})),
    exp.Exists: (_exists, frozenset({"this"})),
}
"""Rules, and the parts of the node that each knows."""
