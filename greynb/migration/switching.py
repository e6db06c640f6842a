"""What the ``.env`` file says of the two roles, and what goes before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from greynb.errors import RoutingError, UsageError
from greynb.migration.envlines import write
from greynb.routing import Server, Settings
from greynb.routing.settings import SHARED_VARIABLES, same_place


def switched(env_file: Path, staging: Path | Server, analytics: Path | Server) -> bool:
    """Whether the file names these two already."""
    if not env_file.exists():
        return False
    written = Settings.from_environ({}, env_file.parent)
    try:
        return same_place(written.route("staging").place, staging) and same_place(
            written.route("analytics").place, analytics
        )
    except RoutingError:
        return False


def switch(env_file: Path, variables: Mapping[str, str]) -> Path | None:
    """Set the variables in the file; gives where the old one is kept, None where there was nothing to change.

    Raises
    ------
    UsageError
        It cannot be written, or not safely.
    """
    try:
        return write(env_file, variables)
    except OSError as error:
        raise UsageError(
            f"the file cannot be written ({error.strerror})", path=env_file, hint="run it again then"
        ) from error


def beside_the_file(settings: Settings, variables: Mapping[str, str]) -> Iterator[str]:
    """What the file cannot change: variables that are set in the environment itself, or shared ones."""
    for name, value in variables.items():
        found = settings.variables.get(name)
        if found is not None and found.source == "environment" and found.text != value:
            yield f"{name} is set in this environment, which goes before the file: unset it there"
    for name in SHARED_VARIABLES:
        if name in settings.variables:
            yield (
                f"{name} stays as it is: programs that read it go past the two roles;"
                " `greynb audit` finds them"
            )
