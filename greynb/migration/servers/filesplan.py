"""What the way back from a server to two files would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from greynb.errors import UsageError
from greynb.migration.switching import beside_the_file
from greynb.postgres.connecting import connect
from greynb.routing import Route, Server, Settings
from greynb.routing.settings import DEFAULT_FILES, ROLE_VARIABLES, same_file


@dataclass(frozen=True, slots=True)
class ToFiles:
    """A migration to be; prints as a few lines.

    Attributes
    ----------
    source, lake
        What serves the two roles now.
    staging, analytics
        The files that are to.
    env_file
        The file that names them to programs.
    settings
        What the environment says now.
    already
        Whether staging is that file now.
    """

    source: Route
    lake: Route
    staging: Path
    analytics: Path
    env_file: Path
    settings: Settings
    already: bool

    @property
    def server(self) -> Server:
        """The PostgreSQL that staging is."""
        assert self.source.postgres is not None
        return self.source.postgres

    @property
    def variables(self) -> Mapping[str, str]:
        """What the ``.env`` file is to say."""
        places = str(self.staging), str(self.analytics)
        return dict(zip((ROLE_VARIABLES["staging"], ROLE_VARIABLES["analytics"]), places, strict=True))

    @property
    def ends(self) -> tuple[Server, Path]:
        """What is copied, and what is made."""
        return self.server, self.staging

    def notices(self) -> Iterator[str]:
        """What the ``.env`` file cannot change."""
        if not self.already and self.staging.exists():
            yield f"{self.staging} is there already: it is used if it holds the same, else nothing is done"
        yield "the databases of both roles stay; nothing reads them any more once programs were started anew"
        if "ANALYTICS_ENGINE" in self.settings.variables:
            yield "ANALYTICS_ENGINE is set, and DuckDB reads the files: unset it"
        yield from beside_the_file(self.settings, self.variables)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        if self.already:
            yield f"staging is {self.staging} already"
            return
        yield f"copy      {self.server}, which stays as it is"
        yield f"to        {self.staging}, in WAL, compared table by table"
        yield f"publish   {self.analytics}, compared too"
        yield f"write     {self.env_file}" + (
            ", the old one kept beside it" if self.env_file.exists() else ""
        )
        yield from (f"            {name}={value}" for name, value in self.variables.items())
        yield from (f"note      {notice}" for notice in self.notices())


def plan_files(staging: Path | None, analytics: Path | None, settings: Settings) -> ToFiles:
    """Plan the way from the server that is staging now to two files.

    Parameters
    ----------
    staging, analytics
        The files; by default of the usual names, in the folder of the ``.env`` file.
    settings
        What the environment says now.

    Raises
    ------
    UsageError
        Staging is no server, or the files are one.
    DatabaseError
        The server cannot be reached.
    """
    source = settings.route("staging")
    env_file = settings.env_file or settings.cwd / ".env"
    files = {
        "staging": (staging or env_file.parent / DEFAULT_FILES["staging"]).absolute(),
        "analytics": (analytics or env_file.parent / DEFAULT_FILES["analytics"]).absolute(),
    }
    plan = ToFiles(
        source=source,
        lake=settings.route("analytics"),
        staging=files["staging"],
        analytics=files["analytics"],
        env_file=env_file,
        settings=settings,
        already=source.server is None and same_file(source.path, files["staging"]),
    )
    if not plan.already and source.postgres is None:
        raise UsageError(f"staging is no server, but {source.place}", hint="there is nothing to bring back")
    if same_file(plan.staging, plan.analytics):
        raise UsageError(
            f"{plan.staging} cannot be both", hint="choose two files with --staging and --analytics"
        )
    for folder in {plan.staging.parent, plan.analytics.parent}:
        if not folder.is_dir():
            raise UsageError("the folder does not exist", path=folder, hint=f"create it: mkdir -p {folder}")
    if not plan.already:
        connect(plan.server).close()
    return plan
