"""Commands that Python gives to a shell or a program: ``os.system("cp …")``, ``subprocess.run([…])``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace

from greynb.audit.families.script import Script
from greynb.audit.findings import Found
from greynb.audit.values import Items, Text, Value

_RUNNERS = {
    "os.system",
    "os.popen",
    *(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen", "getoutput")),
}


def check(script: Script) -> Iterator[Found]:
    """Audit the commands that are known, in source order."""
    from greynb.audit import shell  # which audits the Python in shell scripts

    for call in script.module.calls():
        if script.module.dotted(call.func) in _RUNNERS and call.args and not script.is_test:
            command = _command(script.flow.value(call.args[0]))
            place = script.module.place(call)
            for found in shell.check(command, script.path) if command else ():
                if found.rule != "not-checked":
                    script.told |= set(range(place.line, place.last_line + 1))
                    yield replace(found, place=place)


def _command(value: Value) -> str | None:
    """The command as a line of shell, None where its program is not known."""
    if isinstance(value, Text):
        return "".join(part if isinstance(part, str) else "…" for part in value.parts)
    if isinstance(value, Items) and value.items and not value.repeated:
        words = [
            each.known if isinstance(each, Text) and each.known is not None else "…" for each in value.items
        ]
        return shlex.join(words)
    return None
