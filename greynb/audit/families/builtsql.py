"""SQL that is built from strings on its way to a database."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from greynb.audit.families.script import Script
from greynb.audit.findings import Found, Level, Place
from greynb.audit.sql import Hole, holes, is_sql, known_text
from greynb.audit.values import Text, alternatives


def check(script: Script) -> Iterator[Found]:
    """Find built SQL, told where it is put together, in source order."""
    told: set[Place] = set()
    for call, node in script.executed:
        for value in alternatives(script.flow.value(node)):
            if not isinstance(value, Text) or value.known is not None or value.place in told:
                continue
            if not is_sql(known_text(value) or ""):
                continue
            found = holes(value)
            if found:
                told.add(value.place)
                yield _found(script, call, value, found)


def _found(script: Script, call: ast.Call, text: Text, found: list[Hole]) -> Found:
    line = script.module.place(call).line
    where = "" if text.place.line <= line <= text.place.last_line else f", run in line {line},"
    names = [each for each in found if each.use == "name"]
    spliced = ", ".join(dict.fromkeys(each.code for each in found))
    if len(names) == len(found):
        level: Level | None = "note"
        suggestion = (
            'a name from a list of allowed ones, quoted: greynb\'s identifiers.quote(), or "…" with "" for "'
        )
        what = f"the name of a table or column ({spliced})"
    else:
        level = "note" if script.is_test else None
        values = ", ".join(dict.fromkeys(each.code for each in found if each.use != "name"))
        suggestion = f'a parameter: execute("… = ?", [{values}])'
        what = (
            f"a value ({values})" if all(each.use != "unknown" for each in found) else f"a piece ({spliced})"
        )
    return Found("built-sql", text.place, f"this SQL{where} has {what} spliced in", suggestion, level)
