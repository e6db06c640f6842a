"""Aggregates and window functions whose results do not depend on the order in which rows come."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from greynb.spark.expressions import Expressions, Rule, check_parts, described, instead
from greynb.spark.functions import _number as number
from greynb.spark.typed import Typed, common, double, exact, refuse


def _argument(into: Expressions, node: exp.Expression) -> tuple[str, Typed]:
    """``DISTINCT`` where it is asked for, and what is aggregated."""
    inner = node.this
    if isinstance(inner, exp.Distinct):
        check_parts(inner, frozenset({"expressions"}))
        if len(inner.expressions) != 1:
            refuse(f"{described(node)} of several columns", "count the groups of a subquery")
        return "DISTINCT ", exact(into.of(inner.expressions[0]), described(node))
    value = into.of(inner)
    if isinstance(node, exp.Avg | exp.Sum) and value.kind == "halves":
        return "", value
    return "", exact(value, described(node))


def _count(into: Expressions, node: exp.Expression) -> Typed:
    if isinstance(node.this, exp.Star):
        check_parts(node.this, frozenset())
        return Typed("count(*)", "int")
    distinct, value = _argument(into, node)
    return Typed(f"count({distinct}{value.sql})", "int")


def _sum(into: Expressions, node: exp.Expression) -> Typed:
    distinct, value = _argument(into, node)
    if value.kind in ("bool", "int"):
        return Typed(f"sum({distinct}CAST({value.sql} AS BIGINT))", "int")
    if value.kind not in ("double", "halves"):
        refuse(f"sum() of {value.kind}")
    return Typed(f"sum({distinct}{value.sql})", value.kind)


def _avg(into: Expressions, node: exp.Expression) -> Typed:
    distinct, value = _argument(into, node)
    if value.kind in ("double", "halves"):
        return Typed(f"avg({distinct}{value.sql})", "double")
    if value.kind != "int":
        refuse(f"avg() of {value.kind}", "write avg(CAST(x AS DOUBLE))")
    # Spark adds whole numbers up as doubles, DuckDB exactly.
    total, count = f"sum({distinct}CAST({value.sql} AS BIGINT))", f"count({distinct}{value.sql})"
    if isinstance(node.parent, exp.Filter | exp.Window):
        return Typed(f"avg({distinct}{value.sql})", "double")
    return Typed(f"(CAST({total} AS DOUBLE) / nullif({count}, 0))", "double")


def _extreme(function: str) -> Rule:
    def rule(into: Expressions, node: exp.Expression) -> Typed:
        _, value = _argument(into, node)
        return Typed(f"{function}({value.sql})", value.kind)

    return rule


def _spread(function: str) -> Rule:
    def rule(into: Expressions, node: exp.Expression) -> Typed:
        return Typed(f"{function}({double(into.of(node.this))})", "double")

    return rule


def _count_if(into: Expressions, node: exp.Expression) -> Typed:
    return Typed(f"count_if({into.condition(node.this)})", "int")


def _all_or_any(function: str) -> Rule:
    def rule(into: Expressions, node: exp.Expression) -> Typed:
        return Typed(f"{function}({into.condition(node.this)})", "bool")

    return rule


def _median(into: Expressions, node: exp.Expression) -> Typed:
    return Typed(f"percentile({double(into.of(node.this))}, 0.5D)", "double")


def _quantile(into: Expressions, node: exp.Expression) -> Typed:
    part = into.of(node.expression)
    if part.kind not in ("decimal", "int") or part.text is None or not 0 <= float(part.text) <= 1:
        refuse("that quantile_cont()", "write the part out: quantile_cont(x, 0.25)")
    return Typed(f"percentile({double(into.of(node.this))}, {double(part)})", "double")


def _filtered(into: Expressions, node: exp.Expression) -> Typed:
    value = into.of(node.this)
    return Typed(f"{value.sql} FILTER (WHERE {into.condition(node.expression.this)})", value.kind)


def _ranking(function: str, kind: str = "int") -> Rule:
    def rule(_into: Expressions, node: exp.Expression) -> Typed:
        if not isinstance(node.parent, exp.Window):
            refuse(f"{function}() without OVER", f"write {function}() OVER (ORDER BY …)")
        return Typed(f"{function}()", kind)

    return rule


def _ntile(_into: Expressions, node: exp.Expression) -> Typed:
    return Typed(f"ntile({number(node.this, 'ntile()')})", "int")


def _shifted(function: str) -> Rule:
    def rule(into: Expressions, node: exp.Expression) -> Typed:
        value = exact(into.of(node.this), f"{function}()")
        offset = number(node.args.get("offset"), f"{function}()", 1)
        default = node.args.get("default")
        if default is None:
            return Typed(f"{function}({value.sql}, {offset})", value.kind)
        (one, other), kind = common([value, into.of(default)], f"{function}()")
        return Typed(f"{function}({one}, {offset}, {other})", kind)

    return rule


def _end(function: str) -> Rule:
    def rule(into: Expressions, node: exp.Expression) -> Typed:
        if not isinstance(node.parent, exp.Window):
            refuse(f"{function}() without OVER", "write min(x) or max(x)")
        value = exact(into.of(node.this), f"{function}()")
        return Typed(f"{function}({value.sql})", value.kind)

    return rule


_RANKED: Final = (
    exp.RowNumber,
    exp.Rank,
    exp.DenseRank,
    exp.PercentRank,
    exp.CumeDist,
    exp.Ntile,
    exp.Lag,
    exp.Lead,
)
_NEEDS_ORDER: Final = (*_RANKED, exp.FirstValue, exp.LastValue)


def _window(into: Expressions, node: exp.Expression) -> Typed:
    node = into.scope.named_window(node)
    check_parts(node, frozenset({"this", "partition_by", "order", "spec", "over"}))
    value = into.of(node.this)
    parts = []
    if partition := node.args.get("partition_by"):
        parts.append(
            "PARTITION BY " + ", ".join(exact(each, "PARTITION BY").sql for each in into.all(partition))
        )
    order = node.args.get("order")
    if order is not None:
        check_parts(order, frozenset({"expressions"}))
        parts.append("ORDER BY " + ", ".join(ordered(into, each) for each in order.expressions))
    inner = node.this.this if isinstance(node.this, exp.Filter) else node.this
    if order is None and isinstance(inner, _NEEDS_ORDER):
        refuse(f"{described(inner)} without ORDER BY", "write OVER (ORDER BY …)")
    spec = node.args.get("spec")
    if spec is not None:
        parts.append(_frame(spec))
    sql = f"{value.sql} OVER ({' '.join(parts)})"
    wide = isinstance(inner, _RANKED) and value.kind == "int" and not isinstance(inner, exp.Lag | exp.Lead)
    return Typed(f"CAST({sql} AS BIGINT)" if wide else sql, value.kind)


def ordered(into: Expressions, node: exp.Expression) -> str:
    """One expression of an ORDER BY, with the place of NULLs written out, as the engines differ in it."""
    if not isinstance(node, exp.Ordered):
        refuse("that ORDER BY")
    check_parts(node, frozenset({"this", "desc", "nulls_first"}))
    value = exact(into.of(node.this), "ORDER BY")
    return direction(value.sql, node)


def direction(sql: str, node: exp.Ordered) -> str:
    """The same with its direction."""
    way = "DESC" if node.args.get("desc") else "ASC"
    return f"{sql} {way} NULLS {'FIRST' if node.args.get('nulls_first') else 'LAST'}"


def _frame(spec: exp.Expression) -> str:
    check_parts(spec, frozenset({"kind", "start", "start_side", "end", "end_side"}))
    if str(spec.args["kind"]).upper() != "ROWS":
        refuse(f"a window of {spec.args['kind']}", "write ROWS BETWEEN … AND …")
    start = _bound(spec.args["start"], spec.args.get("start_side"))
    end = _bound(spec.args.get("end") or "CURRENT ROW", spec.args.get("end_side"))
    return f"ROWS BETWEEN {start} AND {end}"


def _bound(value: object, side: object) -> str:
    if isinstance(value, exp.Expression):
        return f"{number(value, 'a window')} {side}"
    return f"{value} {side}" if side else str(value)


_X: Final = frozenset({"this"})
_NONE: Final[frozenset[str]] = frozenset()

AGGREGATES: Final[dict[type[exp.Expression], tuple[Rule, frozenset[str]]]] = {
    exp.Count: (_count, _X),
    exp.Sum: (_sum, _X),
    exp.Avg: (_avg, _X),
    exp.Min: (_extreme("min"), _X),
    exp.Max: (_extreme("max"), _X),
    exp.Stddev: (_spread("stddev_samp"), _X),
    exp.StddevSamp: (_spread("stddev_samp"), _X),
    exp.StddevPop: (_spread("stddev_pop"), _X),
    exp.Variance: (_spread("var_samp"), _X),
    exp.VariancePop: (_spread("var_pop"), _X),
    exp.CountIf: (_count_if, _X),
    exp.LogicalAnd: (_all_or_any("bool_and"), _X),
    exp.LogicalOr: (_all_or_any("bool_or"), _X),
    exp.Median: (_median, _X),
    exp.PercentileCont: (_quantile, frozenset({"this", "expression"})),
    exp.Filter: (_filtered, frozenset({"this", "expression"})),
    exp.RowNumber: (_ranking("row_number"), _NONE),
    exp.Rank: (_ranking("rank"), _NONE),
    exp.DenseRank: (_ranking("dense_rank"), _NONE),
    exp.PercentRank: (_ranking("percent_rank", "double"), _NONE),
    exp.CumeDist: (_ranking("cume_dist", "double"), _NONE),
    exp.Ntile: (_ntile, _X),
    exp.Lag: (_shifted("lag"), frozenset({"this", "offset", "default"})),
    exp.Lead: (_shifted("lead"), frozenset({"this", "offset", "default"})),
    exp.FirstValue: (_end("first_value"), _X),
    exp.LastValue: (_end("last_value"), _X),
    exp.Window: (_window, frozenset({"this", "partition_by", "order", "spec", "alias", "over"})),
}
"""Rules, and the parts of the node that each knows."""

__all__ = ["AGGREGATES", "direction", "instead", "ordered"]
