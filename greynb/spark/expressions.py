"""From the expressions of DuckDB's SQL to Spark's: an allow-list, node by node, with the kinds of values.

A node that is not in the list, or has a part that its rule does not know, is refused. Each rule here was
compared with DuckDB by the tests of ``tests/scale``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from greynb.spark.hints import INSTEAD
from greynb.spark.typed import (
    INFINITY,
    NUMBERS,
    Typed,
    common,
    comparable,
    dated,
    double,
    exact,
    in_halves,
    quoted,
    refuse,
    text_literal,
)

if TYPE_CHECKING:
    from greynb.spark.scopes import Scope

Rule = Callable[["Expressions", exp.Expression], Typed]
_IGNORED: Final = frozenset({"safe", "typed", "coalesce", "big_int", "ignore_nulls", "copy", "meta"})
"""Parts that only say how other dialects read a node."""


class Expressions:
    """Translates the expressions of one SELECT.

    Parameters
    ----------
    scope
        The columns that they may name.
    rules
        A rule, and the parts of the node that it knows, for each kind of node.
    """

    def __init__(
        self, scope: Scope, rules: Mapping[type[exp.Expression], tuple[Rule, frozenset[str]]]
    ) -> None:
        self.scope = scope
        self._rules = rules

    def of(self, node: exp.Expression) -> Typed:
        """Translate one expression.

        Raises
        ------
        Unsupported
            It is not known to give the same on Spark.
        """
        found = self._rules.get(type(node))
        if found is None:
            refuse(described(node), instead(node))
        rule, known = found
        check_parts(node, known)
        return rule(self, node)

    def all(self, nodes: list[exp.Expression]) -> list[Typed]:
        """Translate several."""
        return [self.of(each) for each in nodes]

    def condition(self, node: exp.Expression) -> str:
        """Translate what must be true or false."""
        value = self.of(node)
        if value.kind not in ("bool", "null"):
            refuse(f"{value.kind} as a condition", "write a comparison, such as x <> 0")
        return value.sql


def check_parts(node: exp.Expression, known: frozenset[str]) -> None:
    """Refuse a node that has a part which its rule does not know."""
    for name, value in node.args.items():
        if value not in (None, False, []) and name not in known and name not in _IGNORED:
            refuse(f"{described(node)} with {name.replace('_', ' ')}", instead(node))


def described(node: exp.Expression) -> str:
    """What a node is called, for a sentence."""
    if isinstance(node, exp.Anonymous):
        return f"{node.name}()"
    if isinstance(node, exp.Func):
        return f"{node.sql_name().lower()}()"
    return type(node).__name__.upper()


def instead(node: exp.Expression) -> str | None:
    """What to write in place of a node."""
    return INSTEAD.get(node.name.lower() if isinstance(node, exp.Anonymous) else type(node).__name__)


def _column(into: Expressions, node: exp.Expression) -> Typed:
    assert isinstance(node, exp.Column)
    return into.scope.column(node.table, node.name)


def _literal(_into: Expressions, node: exp.Expression) -> Typed:
    assert isinstance(node, exp.Literal)
    text = str(node.this)
    if node.is_string:
        return Typed(text_literal(text), "text", text)
    if text.isdigit():
        if int(text) >= 1 << 63:
            refuse(f"the number {text}", "write a double")
        return Typed(text, "int", text)
    if "e" in text.lower():
        return Typed(f"CAST('{text}' AS DOUBLE)", "double")
    return Typed(text if not text.startswith(".") else f"0{text}", "decimal", text)


def _paren(into: Expressions, node: exp.Expression) -> Typed:
    inner = into.of(node.this)
    return inner if inner.text is not None else Typed(f"({inner.sql})", inner.kind)


def _negated(into: Expressions, node: exp.Expression) -> Typed:
    value = into.of(node.this)
    if value.kind == "decimal":
        return Typed(f"-{value.sql}", "decimal", f"-{value.text}")
    if value.kind not in ("int", "double", "halves"):
        refuse(f"- before {value.kind}")
    return Typed(f"(- {value.sql})", value.kind)


def _arithmetic(sign: str) -> Rule:
    def rule(into: Expressions, node: exp.Expression) -> Typed:
        left, right = into.of(node.this), into.of(node.expression)
        kinds = {left.kind, right.kind}
        numbers = kinds <= NUMBERS | {"null"}
        if numbers and "double" in kinds:
            return Typed(f"({double(left)} {sign} {double(right)})", "double")
        if numbers and kinds & {"decimal", "halves"} and in_halves([left, right]):
            return Typed(f"({double(left)} {sign} {double(right)})", "halves")
        exact(left, "arithmetic"), exact(right, "arithmetic")
        if kinds <= {"int", "null"}:
            return Typed(f"({left.sql} {sign} {right.sql})", "int")
        return _of_dates(left, sign, right)

    return rule


def _of_dates(left: Typed, sign: str, right: Typed) -> Typed:
    kinds = left.kind, right.kind
    if right.kind == "interval" and left.kind in ("date", "stamp") and sign in "+-":
        return Typed(f"({dated(left, 'stamp')} {sign} {right.sql})", "stamp")
    if kinds == ("date", "int") and sign in "+-":
        return Typed(f"date_add({left.sql}, {'-' if sign == '-' else ''}CAST({right.sql} AS INT))", "date")
    if kinds == ("int", "date") and sign == "+":
        return Typed(f"date_add({right.sql}, CAST({left.sql} AS INT))", "date")
    if kinds == ("date", "date") and sign == "-":
        return Typed(f"CAST(datediff({left.sql}, {right.sql}) AS BIGINT)", "int")
    return refuse(f"{left.kind} {sign} {right.kind}", "write date_diff('day', a, b), or a CAST")


def _divided(into: Expressions, node: exp.Expression) -> Typed:
    """DuckDB divides doubles, also by zero: https://duckdb.org/docs/stable/sql/functions/numeric."""
    left, right = into.of(node.this), into.of(node.expression)
    above, below = double(left), double(right)
    if right.text is not None and float(right.text) != 0:
        return Typed(f"({above} / {below})", "double")
    endless = INFINITY
    if right.kind == "double":
        endless = f"IF(CAST({below} AS STRING) = '-0.0', -{INFINITY}, {INFINITY})"
    return Typed(f"(CASE WHEN {below} = 0 THEN {above} * {endless} ELSE {above} / {below} END)", "double")


def _whole(form: str) -> Rule:
    def rule(into: Expressions, node: exp.Expression) -> Typed:
        left, right = into.of(node.this), into.of(node.expression)
        if not {left.kind, right.kind} <= {"int", "null"}:
            refuse(
                f"{described(node)} of {left.kind} and {right.kind}", "write CAST(x AS BIGINT) on both sides"
            )
        return Typed(form.format(a=left.sql, b=right.sql), "int")

    return rule


def _case(into: Expressions, node: exp.Expression) -> Typed:
    subject = node.args.get("this")
    branches = node.args["ifs"]
    if subject is None:
        tests = [into.condition(each.this) for each in branches]
    else:
        tests = []
        for each in branches:
            left, right = comparable([into.of(subject), into.of(each.this)])
            tests.append(f"{left} = {right}")
    values = [into.of(each.args["true"]) for each in branches]
    default = node.args.get("default")
    values.append(into.of(default) if default is not None else Typed("NULL", "null"))
    results, kind = common(values, "CASE")
    parts = " ".join(f"WHEN {test} THEN {value}" for test, value in zip(tests, results[:-1], strict=True))
    return Typed(f"(CASE {parts} ELSE {results[-1]} END)", kind)


def _if(into: Expressions, node: exp.Expression) -> Typed:
    false = node.args.get("false")
    values = [into.of(node.args["true"]), into.of(false) if false is not None else Typed("NULL", "null")]
    (one, two), kind = common(values, "IF")
    return Typed(f"IF({into.condition(node.this)}, {one}, {two})", kind)


def _one_of(function: str) -> Rule:
    def rule(into: Expressions, node: exp.Expression) -> Typed:
        values, kind = common(into.all([node.this, *node.expressions]), f"{function}()")
        return Typed(f"{function}({', '.join(values)})", kind)

    return rule


def _nullif(into: Expressions, node: exp.Expression) -> Typed:
    value, other = exact(into.of(node.this), "nullif()"), into.of(node.expression)
    left, right = comparable([value, other])
    return Typed(f"(CASE WHEN {left} = {right} THEN NULL ELSE {value.sql} END)", value.kind)


def _subquery(into: Expressions, node: exp.Expression) -> Typed:
    select, kinds = into.scope.subquery(node.this)
    if len(kinds) != 1:
        refuse("a subquery of several columns")
    return Typed(f"({select})", kinds[0])


def _placeholder(into: Expressions, node: exp.Expression) -> Typed:
    return into.scope.parameter(node.name)


def _alias(into: Expressions, node: exp.Expression) -> Typed:
    return into.of(node.this)


def _interval(_into: Expressions, node: exp.Expression) -> Typed:
    number, unit = node.this, str(node.args["unit"].name).upper().rstrip("S")
    if not isinstance(number, exp.Literal) or not str(number.this).isdigit() or unit not in _UNITS:
        refuse("that interval", "write INTERVAL 7 DAY")
    return Typed(f"INTERVAL '{number.this}' {unit}", "interval")


_UNITS: Final = ("YEAR", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND")
_TWO: Final = frozenset({"this", "expression"})

EXPRESSIONS: Final[dict[type[exp.Expression], tuple[Rule, frozenset[str]]]] = {
    exp.Column: (_column, frozenset({"this", "table"})),
    exp.Literal: (_literal, frozenset({"this", "is_string"})),
    exp.Null: (lambda _into, _node: Typed("NULL", "null"), frozenset()),
    exp.Boolean: (lambda _into, node: Typed("TRUE" if node.this else "FALSE", "bool"), frozenset({"this"})),
    exp.Paren: (_paren, frozenset({"this"})),
    exp.Alias: (_alias, frozenset({"this", "alias"})),
    exp.Neg: (_negated, frozenset({"this"})),
    exp.Add: (_arithmetic("+"), _TWO),
    exp.Sub: (_arithmetic("-"), _TWO),
    exp.Mul: (_arithmetic("*"), _TWO),
    exp.Div: (_divided, _TWO),
    exp.IntDiv: (_whole("(CASE WHEN {b} <> 0 THEN {a} div {b} END)"), _TWO),
    exp.Mod: (_whole("(CASE WHEN {b} <> 0 THEN {a} % {b} END)"), _TWO),
    exp.Case: (_case, frozenset({"this", "ifs", "default"})),
    exp.If: (_if, frozenset({"this", "true", "false"})),
    exp.Coalesce: (_one_of("coalesce"), frozenset({"this", "expressions"})),
    exp.Greatest: (_one_of("greatest"), frozenset({"this", "expressions"})),
    exp.Least: (_one_of("least"), frozenset({"this", "expressions"})),
    exp.Nullif: (_nullif, _TWO),
    exp.Subquery: (_subquery, frozenset({"this"})),
    exp.Placeholder: (_placeholder, frozenset({"this"})),
    exp.Interval: (_interval, frozenset({"this", "unit"})),
}
"""Rules, and the parts of the node that each knows."""

__all__ = ["EXPRESSIONS", "Expressions", "Rule", "check_parts", "described", "quoted"]
