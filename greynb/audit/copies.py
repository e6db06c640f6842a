"""Routing that is copied by hand: the order in which it asks, compared with greynb's in every environment.

Each copy is a list of variables and a last default. The comparison goes through all 32 combinations of the
five variables being set, so that "differs" is no matter of opinion: there is an environment that shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from greynb.audit.findings import Found, Level, Place
from greynb.audit.targets import is_ours, looks_like_file
from greynb.audit.values import Env, Helper, Text, Unknown, Value
from greynb.routing.route import Role
from greynb.routing.settings import DEFAULT_FILES, ROLE_VARIABLES, SHARED_VARIABLES

OWN = (*ROLE_VARIABLES.values(), SHARED_VARIABLES[0])  # names that only this routing uses
VARIABLES = (*ROLE_VARIABLES.values(), *SHARED_VARIABLES)
_OTHER: dict[Role, Role] = {"staging": "analytics", "analytics": "staging"}


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the routing.

    Attributes
    ----------
    steps
        What is asked, in order.
    default
        The file that is taken where no variable is set, None where there is none.
    place
        Where that file is written.
    """

    steps: tuple[Env, ...]
    default: str | None
    place: Place | None = None

    @property
    def names(self) -> list[str]:
        """The variables, in order."""
        return [step.name for step in self.steps]


def copy_of(order: tuple[Value, ...]) -> Copy | None:
    """The copy of the routing that an order of values is, None where it is something else."""
    steps: list[Env] = []
    default: str | None = None
    place: Place | None = None
    for value in order:
        if isinstance(value, Env):
            steps.append(value)
        elif isinstance(value, Text | Helper) or (
            isinstance(value, Unknown) and value.code != "None" and steps
        ):
            default, place = _named(value), value.place if isinstance(value, Text) else None
            break
    names = {step.name for step in steps}
    if names & set(OWN):
        return Copy(tuple(steps), default, place)
    shared = names & set(SHARED_VARIABLES) and default is not None
    return (
        Copy(tuple(steps), default, place) if shared and is_ours((default or "").rpartition("/")[2]) else None
    )


def _named(value: Value) -> str | None:
    if isinstance(value, Text):
        written = "".join(part if isinstance(part, str) else "…" for part in value.parts)
        return written.removeprefix("sqlite:///")
    return None


def judged(copy: Copy, place: Place, script: Role | None) -> Found:
    """What is to be said of a copy.

    Parameters
    ----------
    copy
        The copy.
    place
        Where it is.
    script
        The role of the script that it is in, for copies that name no role.
    """
    role = _role(copy, script)
    found = list(_differences(copy, role))
    suggestion = _instead(role)
    asked = ", then ".join(copy.names)
    if not found:
        return Found("routing-copied", place, f"asks {asked} by hand, in greynb's order", suggestion)
    level: Level = "error" if any(level == "error" for level, _ in found) else "warning"
    return Found(
        "routing-differs",
        place,
        f"asks {asked} by hand, and not as greynb does: it {'; it '.join(text for _, text in found)}",
        suggestion,
        level,
    )


def _role(copy: Copy, script: Role | None) -> Role | None:
    for name in copy.names:
        for role, variable in ROLE_VARIABLES.items():
            if name == variable:
                return role
    return script


def _instead(role: Role | None) -> str:
    if role is None:
        return 'greynb.get_conn() for reading, greynb.get_conn("staging") for writing'
    call = "greynb.get_conn()" if role == "analytics" else 'greynb.get_conn("staging")'
    return f"{call}, or greynb.db_utils.get_{role}_db_path() where a path is needed"


def _differences(copy: Copy, role: Role | None) -> Iterator[tuple[Level, str]]:
    ours = _ours(role or "analytics")
    yield from _conflicts(copy, role, ours)
    missing = [name for name in ours if name not in copy.names]
    if role is None:  # it claims to serve both, so that it lacks both roles' variables
        missing = [
            *ROLE_VARIABLES.values(),
            *(name for name in missing if name not in ROLE_VARIABLES.values()),
        ]
    if missing:
        yield "warning", f"does not ask {_listed(missing)}"
    foreign = [name for name in copy.names if name not in VARIABLES]
    if foreign:
        yield "warning", f"also asks {_listed(foreign)}"
    yield from _ending(copy, role)


def _conflicts(copy: Copy, role: Role | None, ours: tuple[str, ...]) -> Iterator[tuple[Level, str]]:
    seen: set[tuple[str, str]] = set()
    known = [name for name in copy.names if name in VARIABLES]
    for size in range(1, len(VARIABLES) + 1):
        for chosen in combinations(VARIABLES, size):
            theirs = next((name for name in known if name in chosen), None)
            right = next((name for name in ours if name in chosen), None)
            if theirs is None or theirs == right or (theirs, right) in seen:
                continue
            if any(theirs == before for before, _ in seen):
                continue  # one environment that shows it is enough
            seen.add((theirs, str(right)))
            if right is None:
                yield "error", f"takes {theirs}, which belongs to {_OTHER[role or 'analytics']}"
            else:
                both = right if role else " or ".join(reversed(list(ROLE_VARIABLES.values())))
                yield "error", f"takes {theirs} where {both} is set, too"


def _ending(copy: Copy, role: Role | None) -> Iterator[tuple[Level, str]]:
    last = copy.steps[-1]
    if last.required and copy.default is None:
        yield "warning", f"fails where {last.name} is not set"
    elif copy.default is None:
        yield "warning", "knows no default file"
    elif looks_like_file(name := copy.default.rpartition("/")[2]) and (
        not role or name != DEFAULT_FILES[role]
    ):
        right = DEFAULT_FILES[role] if role else "a file for each role"
        yield "warning", f"falls back to {copy.default}, not to {right}"
    if last.keeps_empty:
        yield "warning", f"takes an empty {last.name} for a path"


def _ours(role: Role) -> tuple[str, ...]:
    return (ROLE_VARIABLES[role], *SHARED_VARIABLES)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
