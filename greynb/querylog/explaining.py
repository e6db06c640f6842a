"""The plan of a logged statement in plain words, as its database would run it now."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from greynb.connections import analytics_session
from greynb.databases.parameters import bind
from greynb.databases.sqlite import open_readonly
from greynb.databases.sqltext import parameter_names
from greynb.databases.typedjson import decode
from greynb.errors import GreynbError, ParameterError, QueryError, UsageError
from greynb.querylog.entries import Entry
from greynb.querylog.slow import Group
from greynb.querylog.sqliteplan import SqlitePlan
from greynb.routing import Settings

_STAND_INS: Final = ("2025-01-01", 1, 0.5)
"""Tried for parameters whose values the log does not hold: a text first, which is cast to what it meets."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What takes the time in a statement; prints as text.

    Attributes
    ----------
    group
        The statements it is about; the newest was explained.
    steps
        Sentences, in the order of the plan.
    mend
        Statements that would make it quicker, if any is known.
    """

    group: Group
    steps: tuple[str, ...]
    mend: tuple[str, ...] = ()

    def __str__(self) -> str:
        group = self.group
        head = f"{len(group.entries):,}×, median {group.median:.3f} s, {group.total:.1f} s in all"
        lines = [f"{group.newest.role} · {head}", *(f"    {line}" for line in group.newest.sql.splitlines())]
        lines += ["what it does:", *(f"  {number}. {each}" for number, each in enumerate(self.steps, 1))]
        lines += [f"  do: %staging {each}" for each in self.mend]
        return "\n".join(lines)

    __repr__ = __str__


def explained(group: Group) -> Explanation:
    """Explain the newest statement of a group; it is planned, not run.

    Raises
    ------
    QueryError
        Its database cannot plan it now: a table is gone, or was a temporary one.
    UsageError
        It ran on an analytics file that is not the one of now.
    """
    return _analytics(group) if group.newest.role == "analytics" else _staging(group)


def _staging(group: Group) -> Explanation:
    with closing(open_readonly(Path(group.newest.file))) as con:
        plan = SqlitePlan(con, group.newest.sql)
        return Explanation(group, tuple(plan.sentences()), tuple(each.sql for each in plan.missing()))


def _analytics(group: Group) -> Explanation:
    from greynb.querylog.duckdbplan import sentences

    route = Settings.current().route("analytics")
    if str(route.place) != group.newest.file:
        raise UsageError(
            f"this statement ran on {group.newest.file}", hint="set ANALYTICS_DB_PATH to it, and ask again"
        )
    session = analytics_session(route)
    for values in _values(group.newest):
        try:
            bound = bind(f"EXPLAIN (FORMAT JSON) {group.newest.sql}", values, dialect="duckdb")
            (result,) = session.run(bound.sql, bound.parameters)
        except (QueryError, ParameterError) as error:
            trouble: GreynbError = error
        else:
            assert result.frame is not None
            return Explanation(group, tuple(sentences(str(result.frame.iloc[0, -1]))))
    raise QueryError(f"DuckDB cannot plan this statement now: {trouble.message}", hint=trouble.hint)


def _values(entry: Entry) -> list[dict[str, object]]:
    """What to bind: the values of the log, or else stand-ins, one kind after the other."""
    names = parameter_names(entry.sql, "duckdb")
    if all(entry.parameters.get(name) is not None for name in names):
        return [{name: decode(entry.parameters[name]) for name in names}]
    return [dict.fromkeys(names, value) for value in _STAND_INS]
