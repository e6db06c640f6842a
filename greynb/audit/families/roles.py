"""Scripts whose name says one role and whose code opens the other's database."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from greynb.audit.families.script import Script
from greynb.audit.findings import Found, Level, Place
from greynb.audit.python.calls import GETTERS
from greynb.audit.values import Helper, alternatives
from greynb.routing.route import Role


class Use(NamedTuple):
    """One use of a role's database."""

    role: Role
    readonly: bool
    how: str
    place: Place


def check(script: Script) -> Iterator[Found]:
    """Find the databases of the wrong role."""
    if script.is_test:
        return
    uses = sorted(set(_uses(script)), key=lambda each: each.place)
    right = any(each.role == script.role for each in uses)
    for use in uses:
        if use.role == script.role:
            continue
        level: Level = "warning" if right else "error"
        if use.role == "analytics" and script.role == "staging":
            yield writer(use, level)
        elif use.role == "staging" and script.role == "analytics":
            yield reader(use, "warning" if use.readonly else level)
        elif (
            use.role == "analytics"
            and script.role is None
            and not use.readonly
            and use.how.endswith("writable()")
        ):
            yield Found(
                "writer-opens-analytics",
                use.place,
                f"{use.how} opens analytics for writing; the next publication overwrites what it writes",
                'greynb.get_conn("staging"), then greynb sync',
            )


def writer(use: Use, level: Level) -> Found:
    """A script that writes, and a use of analytics."""
    return Found(
        "writer-opens-analytics",
        use.place,
        f"by its name this script writes, and {use.how} gives it analytics",
        'greynb.get_conn("staging") or greynb.get_conn(for_script=__file__); or a name that says it reads',
        level,
    )


def reader(use: Use, level: Level) -> Found:
    """A script that reads, and a use of staging."""
    return Found(
        "reader-opens-staging",
        use.place,
        f"by its name this script only reads, and {use.how} gives it staging",
        "greynb.get_conn() or greynb.get_conn(for_script=__file__); or a name that says it writes",
        level,
    )


def _uses(script: Script) -> Iterator[Use]:
    inside: set[ast.AST] = set()
    for call, opened in script.openings:
        inside |= set(ast.walk(call))
        if opened.target.kind == "ours" and opened.target.role is not None:
            yield Use(opened.target.role, opened.readonly, opened.how, script.module.place(call))
    for call in script.module.calls():
        name = script.module.dotted(call.func).rpartition(".")[2]
        if name not in GETTERS or call in inside or _defines(script, call):
            continue
        value = script.flow.value(call)
        if isinstance(value, Helper) and not _opened_later(script, call):
            yield Use(value.role, False, f"{name}()", script.module.place(call))


def _opened_later(script: Script, call: ast.Call) -> bool:
    """Whether the path goes to a call that opens it, which is told there."""
    place = script.module.place(call)
    return any(
        isinstance(each, Helper) and each.place == place
        for _, opened in script.openings
        if opened.path is not None
        for each in alternatives(opened.path)
    )


def _defines(script: Script, call: ast.Call) -> bool:
    function = script.module.scope(call)
    return isinstance(function, ast.FunctionDef) and function.name.startswith(("get_", "open_sqlite_"))
