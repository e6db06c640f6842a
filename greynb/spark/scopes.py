"""Which columns a SELECT can name, of which kinds, and what it asks of the queries inside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from greynb.spark.typed import Typed, quoted, refuse

Kinds = Mapping[str, str]
"""Kinds of a relation's columns, by name in lower case, in order."""
Inner = Callable[[exp.Expression, "Scope"], tuple[str, list[str]]]


@dataclass(slots=True)
class Scope:
    """What one SELECT sees.

    Attributes
    ----------
    sources
        The kinds of the columns of each relation in FROM, by its alias.
    parameters
        Values that are bound, by name: their kinds.
    inner
        Translates a query inside this one; gives its text and the kinds of its columns.
    outer
        The SELECT around this one, for correlated columns.
    outputs
        The kinds of the output columns, by alias, once they are known.
    windows
        The windows that the SELECT names.
    """

    sources: dict[str, Kinds]
    parameters: Mapping[str, str]
    inner: Inner
    outer: Scope | None = None
    outputs: dict[str, str] = field(default_factory=dict)
    windows: dict[str, exp.Expression] = field(default_factory=dict)

    def column(self, table: str, name: str) -> Typed:
        """A column, by the alias of its relation and its name; without an alias if only one has it."""
        if table:
            scope: Scope | None = self
            while scope is not None:
                if table in scope.sources:
                    return _typed(table, name, scope.sources[table])
                scope = scope.outer
            return refuse(f"the column {table}.{name}")
        found = [alias for alias, kinds in self.sources.items() if name in kinds]
        if len(found) != 1:
            refuse(f"the column {name} there", "write the relation's name before it")
        return _typed(found[0], name, self.sources[found[0]])

    def parameter(self, name: str) -> Typed:
        """A bound value."""
        if name not in self.parameters:
            refuse(f"the parameter ${name}")
        return Typed(f":{name}", self.parameters[name])

    def subquery(self, node: exp.Expression) -> tuple[str, list[str]]:
        """The text of a query inside this one, and the kinds of its columns."""
        return self.inner(node, self)

    def named_window(self, node: exp.Expression) -> exp.Expression:
        """A window with what its name stands for in place of the name."""
        name = node.args.get("alias")
        if name is None:
            return node
        known = self.windows.get(name.name)
        if known is None or any(node.args.get(part) for part in ("partition_by", "order", "spec")):
            refuse("a window that builds on another", "write the window out")
        whole = known.copy()
        whole.set("this", node.this.copy())
        whole.set("alias", None)
        whole.parent = node.parent
        return whole


def _typed(table: str, name: str, kinds: Kinds) -> Typed:
    if name not in kinds:
        refuse(f"the column {table}.{name}")
    kind = kinds[name]
    if kind.startswith("?"):
        refuse(f"the column {name}, which is of type {kind[1:]}", "publish it as another type")
    return Typed(f"{quoted(table)}.{quoted(name)}", kind)
