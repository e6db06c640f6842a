"""Everything that the environment and the ``.env`` file say about the roles, also what does not count."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from greynb.errors import RoutingError
from greynb.routing import envfile
from greynb.routing.envfile import chosen_by
from greynb.routing.route import Source
from greynb.routing.servers import Server
from greynb.routing.settings import ROLE_VARIABLES, SHARED_VARIABLES, Settings
from greynb.routing.targets import parse_target

_ELSEWHERE = Path(os.sep, "another", "folder")


@dataclass(frozen=True, slots=True)
class Spoken:
    """One variable in one place.

    Attributes
    ----------
    variable, source, env_file
        Which, and where it is set.
    place
        The file or server that it means there.
    relative
        Whether that depends on the folder: the working one, or that of the ``.env`` file.
    heard
        Whether it counts: the environment's value comes before that of the ``.env`` file.
    """

    variable: str
    source: Source
    env_file: Path | None
    place: Path | Server
    relative: bool
    heard: bool

    @property
    def where(self) -> str:
        """The variable and its place, in words."""
        return chosen_by(self.variable, self.env_file)


def spoken(settings: Settings, environ: Mapping[str, str] | None = None) -> list[Spoken]:
    """List the routing variables of the environment and of the ``.env`` file that name what can be used.

    Parameters
    ----------
    settings
        What they were made to.
    environ
        Default: the process's environment.

    Raises
    ------
    RoutingError
        The ``.env`` file cannot be read.
    """
    environ = os.environ if environ is None else environ
    file = settings.env_file
    written = envfile.read(file, environ) if file else {}
    found: list[Spoken] = []
    for variable in (*ROLE_VARIABLES.values(), *SHARED_VARIABLES):
        text = environ.get(variable, "").strip()
        found += _said(variable, text, "environment", None, settings.cwd, True)
        if file is not None and (value := written.get(variable)) and not value.undefined:
            found += _said(variable, value.text.strip(), ".env", file, file.parent, not text)
    return found


def _said(
    variable: str, text: str, source: Source, env_file: Path | None, base: Path, heard: bool
) -> Iterator[Spoken]:
    if not text:
        return
    try:
        place = parse_target(text, base=base).place
        relative = parse_target(text, base=_ELSEWHERE).place != place
    except RoutingError:
        return
    yield Spoken(variable, source, env_file, place, relative, heard)
