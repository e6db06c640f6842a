"""From a query in DuckDB's SQL to one in Spark's: SELECT, joins, WITH, UNION and their like.

sqlglot parses the text and says which relation each column belongs to; the text for Spark is put together
here, from parts that are known to mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from greynb.spark.aggregates import AGGREGATES, direction, ordered
from greynb.spark.casts import CASTS
from greynb.spark.conditions import CONDITIONS
from greynb.spark.dates import DATES
from greynb.spark.expressions import EXPRESSIONS, Expressions, check_parts, described
from greynb.spark.functions import FUNCTIONS
from greynb.spark.scopes import Kinds, Scope
from greynb.spark.typed import exact, quoted, refuse

RULES: Final = {**EXPRESSIONS, **CONDITIONS, **FUNCTIONS, **DATES, **CASTS, **AGGREGATES}

_SELECT: Final = frozenset(
    "expressions from_ joins where group having qualify order limit offset distinct with_ windows".split()
)
_SETS: Final[dict[type[exp.Expression], str]] = {
    exp.Union: "UNION",
    exp.Except: "EXCEPT",
    exp.Intersect: "INTERSECT",
}
_SET: Final = frozenset("this expression distinct order limit offset with_".split())
_JOINS: Final = {
    ("", ""): "JOIN",
    ("", "INNER"): "JOIN",
    ("", "CROSS"): "CROSS JOIN",
    ("LEFT", ""): "LEFT JOIN",
    ("LEFT", "OUTER"): "LEFT JOIN",
    ("RIGHT", ""): "RIGHT JOIN",
    ("RIGHT", "OUTER"): "RIGHT JOIN",
    ("FULL", ""): "FULL JOIN",
    ("FULL", "OUTER"): "FULL JOIN",
    ("", "SEMI"): "LEFT SEMI JOIN",
    ("", "ANTI"): "LEFT ANTI JOIN",
}


@dataclass(frozen=True, slots=True)
class Query:
    """A query for Spark.

    Attributes
    ----------
    sql
        Its text.
    columns
        The kinds of its columns, by name, in order.
    """

    sql: str
    columns: Kinds


class Queries:
    """Translates one statement.

    Parameters
    ----------
    tables
        The kinds of the columns of the tables that it names, by name in lower case.
    views
        What each is called in Spark.
    parameters
        The kinds of bound values.
    """

    def __init__(
        self, tables: Mapping[str, Kinds], views: Mapping[str, str], parameters: Mapping[str, str]
    ) -> None:
        self._tables = tables
        self._views = views
        self._parameters = parameters
        self._named: list[dict[str, Kinds]] = []
        self._aliases = 0

    def of(self, node: exp.Expression, outer: Scope | None = None, *, top: bool = False) -> Query:
        """Translate a query; a `top` one may leave open which rows its LIMIT takes."""
        if isinstance(node, exp.Subquery):
            check_parts(node, frozenset({"this"}))
            return self.of(node.this, outer, top=top)
        with_ = node.args.get("with_")
        self._named.append({})
        try:
            prefix = self._with(with_, outer) if with_ is not None else ""
            if isinstance(node, exp.Select):
                found = self._select(node, outer, top)
            elif type(node) in _SETS:
                found = self._set(node, outer, top)
            else:
                refuse(described(node), "write a SELECT")
            return Query(prefix + found.sql, found.columns)
        finally:
            self._named.pop()

    def _with(self, with_: exp.Expression, outer: Scope | None) -> str:
        check_parts(with_, frozenset({"expressions"}))
        parts = []
        for each in with_.expressions:
            check_parts(each, frozenset({"this", "alias", "materialized"}))
            query = self.of(each.this, outer)
            names = [column.name for column in each.args["alias"].args.get("columns") or []]
            columns = _renamed(query.columns, names)
            self._named[-1][each.alias] = columns
            listed = f"({', '.join(map(quoted, columns))})"
            parts.append(f"{quoted(each.alias)}{listed} AS ({query.sql})")
        return f"WITH {', '.join(parts)} "

    def _set(self, node: exp.Expression, outer: Scope | None, top: bool) -> Query:
        check_parts(node, _SET)
        left, right = self.of(node.this, outer), self.of(node.expression, outer)
        kinds = [
            _agreed(one, two) for one, two in zip(left.columns.values(), right.columns.values(), strict=False)
        ]
        if len(left.columns) != len(right.columns):
            refuse("a UNION of different numbers of columns")
        word = _SETS[type(node)] + (" DISTINCT" if node.args.get("distinct") else " ALL")
        columns = dict(zip(left.columns, kinds, strict=True))
        sql = f"({left.sql}) {word} ({right.sql})"
        scope = Scope({}, self._parameters, self._inner, outer, dict(columns))
        into = Expressions(scope, RULES)
        return Query(sql + self._order(into, node) + self._limit(node, top), columns)

    def _select(self, node: exp.Select, outer: Scope | None, top: bool) -> Query:
        check_parts(node, _SELECT)
        scope = Scope({}, self._parameters, self._inner, outer)
        scope.windows = {each.name: each for each in node.args.get("windows") or []}
        into = Expressions(scope, RULES)
        source = self._from(into, node)
        listed, columns = [], {}
        for number, each in enumerate(node.expressions):
            own = each.alias_or_name or f"column{number}"
            name = own if own not in columns else f"{own}_{number}"
            value = into.of(each)
            if value.kind == "decimal":
                exact(value, f"the column {name}")
            listed.append(f"{value.sql} AS {quoted(name)}")
            columns[name] = value.kind
        scope.outputs = columns
        qualify = node.args.get("qualify")
        if qualify is not None:
            listed.append(f"{into.condition(qualify.this)} AS `greynb qualify`")
        distinct = node.args.get("distinct")
        if distinct is not None:
            check_parts(distinct, frozenset())
        sql = f"SELECT {'DISTINCT ' if distinct is not None else ''}{', '.join(listed)}{source}"
        if (where := node.args.get("where")) is not None:
            sql += f" WHERE {into.condition(where.this)}"
        sql += self._group(into, node)
        if (having := node.args.get("having")) is not None:
            sql += f" HAVING {into.condition(having.this)}"
        if qualify is not None:
            if distinct is not None or node.args.get("order") is not None:
                refuse("QUALIFY with DISTINCT or ORDER BY", "put the QUALIFY into a subquery")
            sql = f"SELECT {', '.join(map(quoted, columns))} FROM ({sql}) WHERE `greynb qualify`"
        return Query(sql + self._order(into, node) + self._limit(node, top), columns)

    def _from(self, into: Expressions, node: exp.Select) -> str:
        from_ = node.args.get("from_")
        if from_ is None:
            return ""
        check_parts(from_, frozenset({"this"}))
        sql = f" FROM {self._relation(into, from_.this)}"
        for join in node.args.get("joins") or []:
            check_parts(join, frozenset({"this", "side", "kind", "on"}))
            side, kind = str(join.args.get("side") or "").upper(), str(join.args.get("kind") or "").upper()
            on = join.args.get("on")
            word = _JOINS.get((side, kind))
            if word is None:
                refuse(f"a {side} {kind} JOIN")
            if on is None:
                word = "CROSS JOIN"
            sql += f" {word} {self._relation(into, join.this)}"
            if on is not None:
                sql += f" ON {into.condition(on)}"
        return sql

    def _relation(self, into: Expressions, node: exp.Expression) -> str:
        alias = node.alias_or_name
        names = (
            [each.name for each in (node.args["alias"].args.get("columns") or [])]
            if node.args.get("alias")
            else []
        )
        if isinstance(node, exp.Table):
            check_parts(node, frozenset({"this", "alias"}))
            sql, columns = self._table(node)
        elif isinstance(node, exp.Subquery):
            check_parts(node, frozenset({"this", "alias"}))
            query = self.of(node.this, into.scope.outer)
            sql, columns = f"({query.sql})", query.columns
        else:
            refuse(described(node), "name a table, or write a subquery")
        if not alias:
            self._aliases += 1
            alias = f"greynb_{self._aliases}"
        columns = _renamed(columns, names)
        into.scope.sources[alias] = columns
        listed = f"({', '.join(map(quoted, columns))})" if names else ""
        return f"{sql} AS {quoted(alias)}{listed}"

    def _table(self, node: exp.Table) -> tuple[str, Kinds]:
        if not isinstance(node.this, exp.Identifier):
            refuse(f"{described(node.this)} in FROM", "name a table")
        name = node.name
        for named in reversed(self._named):
            if name in named:
                return quoted(name), named[name]
        if name not in self._tables:
            refuse(f"the table {name}")
        return quoted(self._views[name]), self._tables[name]

    def _group(self, into: Expressions, node: exp.Select) -> str:
        group = node.args.get("group")
        if group is None:
            return ""
        if group.args.get("all"):
            check_parts(group, frozenset({"all"}))
            keys = [each for each in node.expressions if not _aggregates(each)]
            items = [into.of(each) for each in keys]
        else:
            check_parts(group, frozenset({"expressions"}))
            items = [into.of(each) for each in group.expressions]
        return f" GROUP BY {', '.join(exact(each, 'GROUP BY').sql for each in items)}" if items else ""

    def _order(self, into: Expressions, node: exp.Expression) -> str:
        order = node.args.get("order")
        if order is None:
            return ""
        parts = []
        check_parts(order, frozenset({"expressions"}))
        for each in order.expressions:
            check_parts(each, frozenset({"this", "desc", "nulls_first"}))
            this = each.this
            if isinstance(this, exp.Var) and this.name.upper() == "ALL":
                parts += [direction(quoted(name), each) for name in into.scope.outputs]
            elif isinstance(this, exp.Column) and not this.table and this.name in into.scope.outputs:
                parts.append(direction(quoted(this.name), each))
            elif isinstance(this, exp.Literal):
                parts.append(direction(quoted(list(into.scope.outputs)[int(str(this.this)) - 1]), each))
            else:
                parts.append(ordered(into, each))
        return f" ORDER BY {', '.join(parts)}"

    def _limit(self, node: exp.Expression, top: bool) -> str:
        sql = ""
        for part in ("limit", "offset"):
            found = node.args.get(part)
            if found is None:
                continue
            check_parts(found, frozenset({"expression"}))
            number = found.expression
            if not isinstance(number, exp.Literal) or not str(number.this).isdigit():
                refuse(f"that {part.upper()}", "write the number out")
            if node.args.get("order") is None and not top:
                refuse(f"{part.upper()} without ORDER BY inside a query", "add an ORDER BY")
            sql += f" {part.upper()} {number.this}"
        return sql

    def _inner(self, node: exp.Expression, scope: Scope) -> tuple[str, list[str]]:
        query = self.of(node, scope)
        return query.sql, list(query.columns.values())


def _renamed(columns: Kinds, names: list[str]) -> Kinds:
    return dict(zip([*names, *list(columns)[len(names) :]], columns.values(), strict=True))


def _agreed(one: str, two: str) -> str:
    if one == two or two == "null":
        return one
    if one == "null":
        return two
    if {one, two} == {"int", "double"}:
        return "double"
    return refuse(f"a UNION of {one} and {two}", "write a CAST on one side")


def _aggregates(node: exp.Expression) -> bool:
    """Whether an expression holds an aggregate that is not a window's, nor of a subquery."""
    if isinstance(node, exp.AggFunc):
        return not isinstance(node.parent, exp.Window)
    if isinstance(node, exp.Window):
        inner = node.this.this if isinstance(node.this, exp.Filter) else node.this
        return any(_aggregates(each) for each in inner.iter_expressions())
    if isinstance(node, exp.Subquery):
        return False
    return any(_aggregates(each) for each in node.iter_expressions())
