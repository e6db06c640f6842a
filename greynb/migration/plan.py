"""What a migration would do, and what forbids it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from greynb.databases.copying import check_space, size_with_log
from greynb.databases.generations import generation_at
from greynb.errors import DatabaseError, MissingDatabase, UnreadableDatabase, UsageError
from greynb.migration.switching import beside_the_file, switched
from greynb.routing import Settings
from greynb.routing.settings import DEFAULT_FILES, ROLE_VARIABLES, same_file


@dataclass(frozen=True, slots=True)
class Plan:
    """A migration to be; prints as a few lines.

    Attributes
    ----------
    source
        The database that is copied, and stays as it is.
    target
        The database that is made: staging, or the one for both roles.
    analytics
        Where staging is published to; None on the way to one database.
    env_file
        The file that names them to programs.
    settings
        What the environment says now.
    """

    source: Path
    target: Path
    analytics: Path | None
    env_file: Path
    settings: Settings

    @property
    def variables(self) -> Mapping[str, str]:
        """What the ``.env`` file is to say."""
        return {
            ROLE_VARIABLES["staging"]: str(self.target),
            ROLE_VARIABLES["analytics"]: str(self.analytics or self.target),
        }

    @property
    def ends(self) -> tuple[Path, Path]:
        """What is copied, and what is made."""
        return self.source, self.target

    def switched(self) -> bool:
        """Whether the ``.env`` file says so already."""
        return switched(self.env_file, self.target, self.analytics or self.target)

    def notices(self) -> Iterator[str]:
        """What the ``.env`` file cannot change."""
        if self.analytics is None:
            yield "the files of both roles stay; nothing reads them any more once programs were started anew"
        yield from beside_the_file(self.settings, self.variables)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        size = size_with_log(self.source.resolve()) / 1e6
        yield f"copy      {self.source} ({size:,.1f} MB), which stays as it is"
        yield f"to        {self.target}, in WAL, compared table by table"
        if self.analytics:
            yield f"publish   {self.analytics}, compared too"
        yield f"write     {self.env_file}" + (
            ", the old one kept beside it" if self.env_file.exists() else ""
        )
        yield from (f"            {name}={value}" for name, value in self.variables.items())
        yield from (f"note      {notice}" for notice in self.notices())


def plan_two(source: Path, staging: Path | None, analytics: Path | None, settings: Settings) -> Plan:
    """Plan the way from one database to two.

    Parameters
    ----------
    source
        The one database.
    staging, analytics
        Where the two are to be; by default where the role's own variable says, unless that is the source,
        else beside the source under the usual names.
    settings
        What the environment says now.

    Raises
    ------
    MissingDatabase, UnreadableDatabase, UsageError
        There is no such database, or two of the three are one file.
    """
    source = source.absolute()
    return _checked(
        Plan(
            source,
            (staging or _usual("staging", source, settings)).absolute(),
            (analytics or _usual("analytics", source, settings)).absolute(),
            settings.env_file or settings.cwd / ".env",
            settings,
        )
    )


def plan_single(target: Path, settings: Settings) -> Plan:
    """Plan the way back to one database; the parameters and errors are those of `plan_two`."""
    source = settings.route("staging").path
    env_file = settings.env_file or settings.cwd / ".env"
    return _checked(Plan(source, target.absolute(), None, env_file, settings))


def check_room(plan: Plan) -> None:
    """Refuse to begin what would fill a disk."""
    size = size_with_log(plan.source.resolve())
    # A publication takes its copy of staging and the columnar mirror, which is smaller.
    needed = [(plan.target.parent, size)] + ([(plan.analytics.parent, 2 * size)] if plan.analytics else [])
    for folder, _ in needed:
        device = folder.stat().st_dev
        total = sum(part for other, part in needed if other.stat().st_dev == device)
        try:
            check_space(folder, total)
        except DatabaseError as error:
            raise DatabaseError(error.message, hint="make room there, then run it again") from error


def _usual(role: str, source: Path, settings: Settings) -> Path:
    assert role in ("staging", "analytics")
    route = settings.route("staging" if role == "staging" else "analytics")
    if route.variable in ROLE_VARIABLES.values() and not same_file(route.path, source):
        return route.path
    return source.with_name(DEFAULT_FILES[route.role])


def _checked(plan: Plan) -> Plan:
    if not plan.source.exists():
        raise MissingDatabase(
            "the database to migrate does not exist",
            path=plan.source,
            hint="--from names the file that serves both roles now; `greynb status` tells which one that is",
        )
    if not plan.source.is_file():
        raise UnreadableDatabase("the path to migrate is not a file", path=plan.source)
    if generation_at(plan.source) is not None:
        raise UsageError("that is a published version", path=plan.source, hint="migrate from staging")
    for folder in {plan.target.parent, (plan.analytics or plan.target).parent}:
        if not folder.is_dir():
            raise UsageError("the folder does not exist", path=folder, hint=f"create it: mkdir -p {folder}")
    if plan.analytics is None:
        return plan
    if same_file(plan.source, plan.target):
        raise UsageError(
            "the database to migrate and the new staging are one file",
            path=plan.source,
            hint="if that is staging already, there is nothing to migrate: `greynb sync` publishes it, and"
            " --to-servers moves it to PostgreSQL; else choose another file with --staging",
        )
    for one, what in ((plan.source, "the database to migrate"), (plan.target, "the new staging")):
        if same_file(one, plan.analytics):
            raise UsageError(
                f"{what} and the new analytics are one file", path=one, hint="choose another with --analytics"
            )
    return plan
