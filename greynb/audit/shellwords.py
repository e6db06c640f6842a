"""What a word of a shell script means: ``$NAME`` and ``${NAME:-default}`` in it, and text."""

from __future__ import annotations

from typing import TypeAlias

from greynb.audit.findings import Place
from greynb.audit.values import Env, Unknown, Value, first, joined

Variables: TypeAlias = dict[str, Value]


def expanded(word: str, variables: Variables, place: Place) -> Value:
    """The value of a word.

    `variables` are those that the script has set so far; any other name is one of the environment.
    """
    parts: list[str | Value] = []
    rest = word
    while "$" in rest:
        before, _, rest = rest.partition("$")
        parts.append(before)
        if rest.startswith("{"):
            inner, rest = _braced(rest[1:])
            parts.append(_parameter(inner, variables, place))
        elif rest.startswith("("):
            parts.append(Unknown("$(…)"))
            rest = rest.partition(")")[2]
        else:
            name = _name(rest)
            parts.append(_variable(name, variables, place) if name else Unknown("$" + rest[:1]))
            rest = rest[len(name) or 1 :]
    parts.append(rest)
    parts = [part for part in parts if part != ""]
    if len(parts) == 1 and not isinstance(parts[0], str):
        return parts[0]
    return joined(parts, place)


def _braced(text: str) -> tuple[str, str]:
    depth = 1
    for place, sign in enumerate(text):
        depth += (sign == "{") - (sign == "}")
        if not depth:
            return text[:place], text[place + 1 :]
    return text, ""


def _parameter(inner: str, variables: Variables, place: Place) -> Value:
    name = _name(inner)
    after = inner[len(name) :]
    value = _variable(name, variables, place) if name else Unknown("${…}")
    for sign, keeps_empty in ((":-", False), (":=", False), ("-", True), ("=", True)):
        if after.startswith(sign):
            if isinstance(value, Env):
                value = Env(value.name, place, keeps_empty=keeps_empty)
            return first([value, expanded(after[len(sign) :], variables, place)])
    if after.startswith((":?", "?")) and isinstance(value, Env):
        return Env(value.name, place, required=True)
    return value


def _variable(name: str, variables: Variables, place: Place) -> Value:
    return variables[name] if name in variables else Env(name, place)


def _name(text: str) -> str:
    end = 0
    while end < len(text) and text[: end + 1].isidentifier():
        end += 1
    return text[:end]
