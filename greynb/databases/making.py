"""Which statements of a session made the temporary tables, views and macros that a query reads.

A result is made again in another session, which has none of them. So each statement that makes or drops one
is kept, and a query is given those that it depends on, in the order in which they ran.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from greynb.databases.identifiers import fold, quote
from greynb.databases.typedjson import encode

if TYPE_CHECKING:
    from greynb.databases.gate import Passed


@dataclass(frozen=True, slots=True)
class Making:
    """A statement that made or dropped something temporary.

    Attributes
    ----------
    name
        What it made, folded.
    sql, parameters
        The statement, and the values bound to it in typed JSON.
    version
        The version of analytics that it read.
    reads
        Names that it refers to, folded.
    frames
        DataFrames of the notebook that it read.
    kind
        ``"TABLE"``, ``"VIEW"``, ``"MACRO"`` or ``"MACRO TABLE"``.
    drops
        Whether it dropped it.
    """

    name: str
    sql: str
    parameters: Mapping[str, Any]
    version: str
    reads: frozenset[str]
    frames: tuple[str, ...]
    kind: str
    drops: bool

    def as_dict(self) -> dict[str, Any]:
        """What is needed to run it again, as JSON."""
        return {"sql": self.sql, "parameters": dict(self.parameters), "version": self.version}


class Makings:
    """The statements of one session that made what is temporary, in the order in which they ran."""

    def __init__(self) -> None:
        self._log: list[Making] = []

    def note(
        self, passed: Passed, parameters: Mapping[str, object], version: str, frames: Sequence[str]
    ) -> None:
        """Take note of a CREATE or DROP that has run."""
        if passed.target is None:
            return
        kind, name = passed.target
        made = Making(
            name=fold(name),
            sql=passed.sql,
            parameters={each: encode(parameters[each]) for each in passed.parameters if each in parameters},
            version=version,
            reads=frozenset(self._named(passed) - ({fold(name)} if "MACRO" in kind else set())),
            frames=tuple(frames),
            kind=kind,
            drops=passed.kind == "drop",
        )
        if made.drops:
            made = replace(made, sql=f"DROP {kind} IF EXISTS temp.main.{quote(name)}")
        elif self._there(made.name) and re.match(rf"CREATE TEMP {kind} IF NOT EXISTS ", made.sql):
            return
        self._log = [*self._still_read(made), made]

    def needed(self, passed: Passed) -> list[Making]:
        """The statements that a query depends on, in their order; none is what most queries need."""
        if not self._log:
            return []
        wanted = self._through(self._named(passed))
        found: list[Making] = []
        for made in reversed(self._log):
            if made.name in wanted:
                found.append(made)
                wanted = (wanted - {made.name}) | self._through(made.reads)
        return list(_without_idle_drops(reversed(found)))

    def _named(self, passed: Passed) -> set[str]:
        """What a statement refers to: tables and views by its tree, macros by their names in its text."""
        macros = {made.name for made in self._log if "MACRO" in made.kind}
        text = fold(passed.sql) if macros else ""
        return {fold(name) for name in passed.tables} | {
            name for name in macros if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
        }

    def _through(self, names: Iterable[str]) -> set[str]:
        """The names, and what the views and macros among them read whenever they are used."""
        reached, coming = set[str](), set(names)
        while coming:
            reached |= coming
            late = (made for made in self._log if made.name in coming and made.kind != "TABLE")
            coming = {name for made in late for name in made.reads} - reached
        return reached

    def _there(self, name: str) -> bool:
        last = next((made for made in reversed(self._log) if made.name == name), None)
        return last is not None and not last.drops

    def _still_read(self, newest: Making) -> list[Making]:
        """The log without statements whose outcome is replaced now and was read by none after them."""
        if newest.name in newest.reads:
            return self._log
        return [
            made
            for number, made in enumerate(self._log)
            if made.name != newest.name or any(made.name in later.reads for later in self._log[number + 1 :])
        ]


def _without_idle_drops(found: Iterable[Making]) -> Iterable[Making]:
    there: set[str] = set()
    for made in found:
        if made.drops and made.name not in there:
            continue
        (there.discard if made.drops else there.add)(made.name)
        yield made
