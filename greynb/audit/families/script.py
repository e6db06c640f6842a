"""What the families know of a script: its flow, its name, its category."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath

from greynb.audit.findings import Place
from greynb.audit.python.flow import Flow
from greynb.audit.python.module import Module
from greynb.audit.python.opening import Opening, category, opening_of
from greynb.routing.route import Role


@dataclass
class Script:
    """One Python source.

    Attributes
    ----------
    path
        Its path, for its name.
    module, flow
        Its tree and the values in it.
    text
        Its source.
    told
        Lines whose path was told already.
    defaults
        Where the last defaults of copied routing are written: they are told with the copy.
    """

    path: str
    module: Module
    text: str
    told: set[int] = field(default_factory=set)
    defaults: set[Place] = field(default_factory=set)
    flow: Flow = field(init=False)

    def __post_init__(self) -> None:
        self.flow = Flow(self.module)

    @cached_property
    def role(self) -> Role | None:
        """The role of its category."""
        return category(self.path)

    @cached_property
    def is_test(self) -> bool:
        """Whether it is a test, which opens files that it made itself."""
        path = PurePath(self.path)
        name = path.stem.lower()
        return (
            name.startswith("test_")
            or name.endswith("_test")
            or name == "conftest"
            or "tests" in path.parts[:-1]
        )

    @cached_property
    def openings(self) -> list[tuple[ast.Call, Opening]]:
        """The calls that open a database, in source order."""
        found = [(call, opening_of(self.flow, call)) for call in self.module.calls()]
        return [(call, opened) for call, opened in found if opened is not None]

    @cached_property
    def executed(self) -> list[tuple[ast.Call, ast.expr]]:
        """The calls that run SQL, with the expression of the SQL, in source order."""
        found = [(call, sql_of(self.module, call)) for call in self.module.calls()]
        return [(call, sql) for call, sql in found if sql is not None]


_METHODS = {"execute": 0, "executemany": 0, "executescript": 0, "sql": 0, "execute_batch": 1}
_READERS = {"read_sql", "read_sql_query"}


def sql_of(module: Module, call: ast.Call) -> ast.expr | None:
    """The SQL that a call runs, None where it runs none."""
    name = module.dotted(call.func).rpartition(".")[2]
    method = call.func.attr if isinstance(call.func, ast.Attribute) else name
    place = _METHODS.get(method) if isinstance(call.func, ast.Attribute) else None
    if place is None and (name or method) in _READERS:
        place = 0
    if method in ("run_cell_magic", "run_line_magic"):
        return _magic(call, -1)
    if place is None:
        return None
    if len(call.args) > place and not isinstance(call.args[place], ast.Starred):
        return call.args[place]
    return next((each.value for each in call.keywords if each.arg in ("sql", "query")), None)


def _magic(call: ast.Call, place: int) -> ast.expr | None:
    name = call.args[0] if call.args else None
    if isinstance(name, ast.Constant) and name.value in ("analytics", "staging") and len(call.args) > 1:
        return call.args[place]
    return None
