"""What routing answers: which file or server serves a role, and who said so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from greynb.errors import RoutingError
from greynb.routing.envfile import chosen_by
from greynb.routing.servers import Server
from greynb.routing.targets import file_of

Role = Literal["staging", "analytics"]
Source = Literal["environment", ".env", "default"]
Mode = Literal["dual", "single", "legacy"]


@dataclass(frozen=True, slots=True)
class Route:
    """The file or server that serves one role.

    Attributes
    ----------
    role
        ``"staging"`` (takes the writes) or ``"analytics"`` (serves the reads).
    place
        The file, absolute, with symlinks kept as they are; or the server.
    variable
        The variable that chose it; None where a default file did.
    source
        Where that variable was set: the process's environment, a ``.env`` file, or a default.
    env_file
        The ``.env`` file, where the source is one.
    mode
        ``"dual"``: the two roles have two files (or servers). ``"single"``: both resolve to one (also through
        symlinks and hard links). ``"legacy"``: one, chosen by a legacy variable or file name.
    options
        Query parameters of a URL that are kept (``timeout``), as strings.
    """

    role: Role
    place: Path | Server
    variable: str | None
    source: Source
    env_file: Path | None
    mode: Mode
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The file, for what only files have.

        Raises
        ------
        RoutingError
            The role is served by a server.
        """
        if isinstance(self.place, Path):
            return self.place
        try:
            return file_of(self.place, self.role)
        except RoutingError as error:
            raise error.at(role=self.role, chosen_by=self.chosen_by) from None

    @property
    def server(self) -> Server | None:
        """The server; None where a file serves the role."""
        return self.place if isinstance(self.place, Server) else None

    @property
    def postgres(self) -> Server | None:
        """The PostgreSQL that serves the role; None where it does not."""
        server = self.server
        return server if server is not None and server.kind == "postgresql" else None

    @property
    def lake(self) -> Server | None:
        """The DuckLake that holds analytics, also where Spark computes over it; None where none does."""
        server = self.server
        if server is not None and server.kind == "spark":
            server = server.over if isinstance(server.over, Server) else None
        return server if server is not None and server.kind == "ducklake" else None

    @property
    def name(self) -> str:
        """The file's name, or the server's database: short, for a caption."""
        return self.place.name if isinstance(self.place, Path) else self.place.database

    @property
    def dialect(self) -> Literal["sqlite", "duckdb", "postgresql"]:
        """The SQL that the cells of the role are written in."""
        if self.role == "analytics":
            return "duckdb"
        return "sqlite" if self.server is None else "postgresql"

    @property
    def shared(self) -> bool:
        """Whether both roles are one file."""
        return self.mode != "dual"

    @property
    def chosen_by(self) -> str:
        """What chose the file, in words for an error or a status line."""
        if self.variable is None:
            return f"the default name {self.name}"
        return chosen_by(self.variable, self.env_file)
