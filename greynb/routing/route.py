"""What routing answers: which file serves a role, and who said so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Role = Literal["staging", "analytics"]
Source = Literal["environment", ".env", "default"]
Mode = Literal["dual", "single", "legacy"]


@dataclass(frozen=True, slots=True)
class Route:
    """The file that serves one role.

    Attributes
    ----------
    role
        ``"staging"`` (takes the writes) or ``"analytics"`` (serves the reads).
    path
        The file, absolute, with symlinks kept as they are.
    variable
        The variable that chose it; None where a default file did.
    source
        Where that variable was set: the process's environment, a ``.env`` file, or a default.
    env_file
        The ``.env`` file, where the source is one.
    mode
        ``"dual"``: the two roles have two files. ``"single"``: both resolve to one file (also through
        symlinks and hard links). ``"legacy"``: one file, chosen by a legacy variable or file name.
    options
        Query parameters of a URL that are kept (``timeout``), as strings.
    """

    role: Role
    path: Path
    variable: str | None
    source: Source
    env_file: Path | None
    mode: Mode
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def shared(self) -> bool:
        """Whether both roles are one file."""
        return self.mode != "dual"

    @property
    def chosen_by(self) -> str:
        """What chose the file, in words for an error or a status line."""
        if self.variable is None:
            return f"the default name {self.path.name}"
        return chosen_by(self.variable, self.env_file)


def chosen_by(variable: str, env_file: Path | None) -> str:
    """Say where a variable was set, in words for an error or a status line."""
    return f"{variable} in {env_file}" if env_file else f"{variable} (environment)"
