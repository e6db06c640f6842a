"""On an error: which role and file it is about, who chose it, and what to do where the file is not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from greynb.errors import GreynbError, MissingDatabase, UnreadableDatabase
from greynb.routing import Route, Settings

_MAKING: Final = (
    "a new file is made by CREATE TABLE in %%staging, by load with create=True (--create), and by "
    'get_conn("staging", create=True)'
)


def located(error: GreynbError, route: Route) -> GreynbError:
    """Say on an error which role and file it is about, who chose it, and what mends a missing file."""
    if error.hint is None and route.server is None:
        if isinstance(error, MissingDatabase) and not route.path.exists():
            error.hint = _remedy(route)
        elif isinstance(error, UnreadableDatabase):
            error.hint = f"correct {_variable(route)} where another file is meant"
    return error.at(
        role=route.role, path=route.server.name if route.server else route.path, chosen_by=route.chosen_by
    )


@contextmanager
def locating(route: Route) -> Iterator[None]:
    """Let errors of the block say which role and file they are about, and who chose it."""
    try:
        yield
    except GreynbError as error:
        raise located(error, route) from error.__cause__


def _remedy(route: Route) -> str:
    """The variable to set, the name in the same folder that may be meant, and what makes a new file."""
    variable = _variable(route)
    near = _nearest(route)
    if route.variable is None:
        correct = f"set {variable}{f', to {near}' if near else ''}, or change to the file's folder"
    else:
        correct = f"set {variable} to {near} where that is meant" if near else f"correct {variable}"
    if route.role == "analytics":
        return f"run `greynb sync` to publish staging, or {correct}"
    return f"{correct}; {_MAKING}"


def _variable(route: Route) -> str:
    return route.variable or f"{route.role.upper()}_DB_PATH"


def _nearest(route: Route) -> str | None:
    """The file in the same folder whose name is nearest to the missing one's; never the other role's."""
    from difflib import get_close_matches

    path = route.path
    with suppress(OSError, GreynbError):
        other = Settings.current().route("analytics" if route.role == "staging" else "staging")
        there = (each for each in path.parent.iterdir() if each.suffix == path.suffix and each != other.place)
        names = [each.name for each in there if each.is_file()]
        return next(iter(get_close_matches(path.name, names, n=1, cutoff=0.75)), None)
    return None
