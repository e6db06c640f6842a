"""Statements that write, on connections that only read or that belong to analytics."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from greynb.audit.families.script import Script
from greynb.audit.findings import Found
from greynb.audit.sql import first_word, known_text, writing
from greynb.audit.values import Connection, Unknown, alternatives


def check(script: Script) -> Iterator[Found]:
    """Find the writes, in source order."""
    for call in script.module.calls():
        if isinstance(call.func, ast.Attribute) and call.func.attr == "to_sql":
            yield from _frame(script, call)
    for call, node in script.executed:
        if not isinstance(call.func, ast.Attribute):
            continue
        opened = _readonly(script, call.func.value)
        if opened is None:
            continue
        for statement in writing(known_text(script.flow.value(node)) or ""):
            yield _found(script, call, opened, first_word(statement.text))
            break


def _frame(script: Script, call: ast.Call) -> Iterator[Found]:
    node = (
        call.args[1] if len(call.args) > 1 else next((e.value for e in call.keywords if e.arg == "con"), None)
    )
    opened = _readonly(script, node) if node is not None else None
    if opened is not None:
        yield _found(script, call, opened, "to_sql")


def _found(script: Script, call: ast.Call, opened: Connection, what: str) -> Found:
    why = "can only read" if opened.readonly else "is to analytics, which the next publication overwrites"
    return Found(
        "readonly-write",
        script.module.place(call),
        f"{what} runs on the connection of {opened.how} in line {opened.place.line}, which {why}",
        'greynb.get_conn("staging") or greynb.db_utils.open_sqlite_writable(); greynb.load() for a DataFrame',
    )


def _readonly(script: Script, node: ast.expr) -> Connection | None:
    """The connection of an expression, if every one that it can be only reads or is analytics."""
    found = [each for each in alternatives(script.flow.value(node)) if not isinstance(each, Unknown)]
    connections = [each for each in found if isinstance(each, Connection)]
    if not connections or len(connections) != len(found):
        return None
    fits = all(each.readonly or each.role == "analytics" for each in connections)
    return connections[0] if fits else None
