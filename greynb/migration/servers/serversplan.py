"""What a migration to servers would do, tried out on the server itself and undone there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from greynb import published
from greynb.databases.copying import size_with_log
from greynb.databases.generations import generation_at
from greynb.errors import GreynbError, MissingDatabase, UsageError
from greynb.migration.servers.census import held
from greynb.migration.servers.making import Making
from greynb.migration.servers.record import read_record, there
from greynb.migration.servers.session import writing
from greynb.migration.servers.sqliteschema import Schema, read_schema
from greynb.migration.switching import beside_the_file
from greynb.postgres.connecting import connect
from greynb.publish.source import FileSource
from greynb.publish.steps import Progress, Steps
from greynb.routing import Route, Server, Settings
from greynb.routing.servers import without_password
from greynb.routing.settings import ROLE_VARIABLES, Setting, same_place

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of trying it out.

    Attributes
    ----------
    tables, rows
        How many there are.
    lefts
        What is not carried over, with the reason.
    notices
        What is kept otherwise than it is declared.
    repeated
        Whether an earlier run has brought the tables already; then nothing else is known.
    """

    tables: int = 0
    rows: int = 0
    lefts: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class ToServers:
    """A migration to be; prints as a few lines.

    Attributes
    ----------
    source
        The SQLite file of staging, which stays as it is.
    staging, analytics
        Where the two roles are to be.
    env_file
        The file that names them to programs.
    settings
        What the environment says now.
    already
        Whether staging is that server now.
    trial
        What came of trying it out.
    """

    source: Path
    staging: Route
    analytics: Route
    env_file: Path
    settings: Settings
    already: bool
    trial: Trial = Trial()

    @property
    def server(self) -> Server:
        """The PostgreSQL that staging is to be."""
        assert self.staging.postgres is not None
        return self.staging.postgres

    @property
    def variables(self) -> Mapping[str, str]:
        """What the ``.env`` file is to say; no password is in it."""
        places = self.staging.place, self.analytics.lake or self.analytics.place
        texts = [without_password(each) if isinstance(each, Server) else str(each) for each in places]
        return {ROLE_VARIABLES["staging"]: texts[0], ROLE_VARIABLES["analytics"]: texts[1]}

    @property
    def ends(self) -> tuple[Path, Server]:
        """What is copied, and what is made."""
        return self.source, self.server

    def notices(self) -> Iterator[str]:
        """What the user has to see to."""
        if without_password(self.server) != self.server.address:
            yield (
                "the password is not written into the file: programs find it in PGPASSWORD, ~/.pgpass or a"
                " service file"
            )
        yield from beside_the_file(self.settings, self.variables)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        trial = self.trial
        if self.already:
            yield f"staging is {self.server} already"
            return
        if trial.repeated:
            yield f"copy      {self.source}: an earlier run did, which is compared with it as it is now"
        else:
            size = size_with_log(self.source.resolve()) / 1e6
            yield f"copy      {self.source} ({size:,.1f} MB), which stays as it is"
            yield f"to        {self.server}: {trial.tables} tables, {trial.rows:,} rows, compared one by one"
        yield from (f"not there {each}" for each in trial.lefts[:_SHOWN])
        if len(trial.lefts) > _SHOWN:
            yield f"not there {', '.join(each.partition(':')[0] for each in trial.lefts[_SHOWN:])}"
        yield f"publish   {self.analytics.place}, compared too"
        yield f"write     {self.env_file}" + (
            ", the old one kept beside it" if self.env_file.exists() else ""
        )
        yield from (f"            {name}={value}" for name, value in self.variables.items())
        yield from (f"note      {notice}" for notice in (*trial.notices, *self.notices()))


def plan_servers(
    staging: str,
    analytics: str | None,
    settings: Settings,
    progress: Progress | None = None,
) -> ToServers:
    """Plan the way from the file that is staging now, and try it out: make all tables there, and undo that.

    Parameters
    ----------
    staging
        The address of the PostgreSQL.
    analytics
        That of the DuckLake, or a file; None where analytics stays where it is.
    settings
        What the environment says now.
    progress
        Called with the step's name and the fraction of it that is done; may raise to stop.

    Raises
    ------
    UsageError
        The addresses do not fit, PostgreSQL cannot hold what is in the file, or has such tables already.
    RoutingError
        An address is not understood.
    DatabaseError
        A database cannot be reached or read.
    """
    now = settings.route("staging")
    to = _routes(staging, analytics, settings)
    plan = ToServers(
        source=now.place.absolute() if isinstance(now.place, Path) else Path(),
        staging=to[0],
        analytics=to[1],
        env_file=settings.env_file or settings.cwd / ".env",
        settings=settings,
        already=now.server is not None and same_place(now.place, to[0].place),
    )
    if plan.already:
        return plan
    _check(plan, now)
    try:
        connect(plan.server).close()  # it says at once what is wrong with it
        published.check_target(to[1])
    except GreynbError as error:
        given = error.path == plan.server.name or analytics is not None
        option = "--staging" if error.path == plan.server.name else "--analytics"
        raise error.at(chosen_by=(option if given else to[1].chosen_by) if error.path else None) from None
    return replace(plan, trial=_tried(plan, Steps(progress)))


def _routes(staging: str, analytics: str | None, settings: Settings) -> tuple[Route, Route]:
    named = {ROLE_VARIABLES["staging"]: Setting(staging, "environment")}
    if analytics is not None:
        named[ROLE_VARIABLES["analytics"]] = Setting(analytics, "environment")
    elif isinstance(place := settings.route("analytics").place, Path):
        named[ROLE_VARIABLES["analytics"]] = Setting(str(place), "environment")
    target = replace(settings, variables={**settings.variables, **named})
    with _named("--staging"):
        to = target.route("staging")
    with _named("--analytics" if analytics is not None else None):
        return to, target.route("analytics")


@contextmanager
def _named(option: str | None) -> Iterator[None]:
    """Say of an error that an option chose the place, and no variable."""
    try:
        yield
    except GreynbError as error:
        error.chosen_by = option or error.chosen_by
        raise


def _check(plan: ToServers, now: Route) -> None:
    if plan.staging.postgres is None:
        raise UsageError(
            "--staging names no PostgreSQL", hint="write --staging postgresql://user@host/database"
        )
    if now.server is not None:
        raise UsageError(
            f"staging is a server now: {now.server}",
            hint="pg_dump copies one server's database to another; `greynb migrate --to-files` makes files",
        )
    if not plan.source.is_file():
        raise MissingDatabase(
            "the staging file to migrate does not exist", role="staging", path=plan.source
        ).at(chosen_by=now.chosen_by)
    if generation_at(plan.source) is not None:
        raise UsageError("that is a published version", path=plan.source, hint="migrate from staging")
    to, lake = plan.analytics, plan.analytics.lake
    if lake is None and to.server is not None and not same_place(to.place, plan.staging.place):
        raise UsageError(
            f"{to.server} cannot be published to", hint="--analytics is a ducklake: address, or a file"
        )
    if lake is not None and isinstance(lake.over, Server) and same_place(lake.over, plan.staging.place):
        raise UsageError(
            "the catalogue of the lake would lie among the tables of staging, and be published with them",
            hint="give it a database of its own: createdb catalogue",
        )
    if to.server is None and same_place(to.place, plan.source):
        raise UsageError(
            "analytics is the same file as staging now", hint="choose its new place with --analytics"
        )


def _tried(plan: ToServers, steps: Steps) -> Trial:
    with FileSource(plan.source).held() as path, closing(sqlite3.connect(path)) as lite:
        schema = read_schema(lite)
        with steps.step("census") as told:
            found = held(lite, schema, told)
        with steps.step("try"), writing(plan.server) as con:
            record = read_record(con)
            if record is not None and record.source == str(plan.source) and there(con, record):
                return Trial(repeated=True)
            making = Making(con, schema, found)
            making.tables()
            making.rest(None)
    return Trial(
        tables=len(schema.tables),
        rows=sum(found.rows.values()),
        lefts=tuple(map(str, making.lefts)),
        notices=(*found.notices, *_spelled(schema)),
    )


def _spelled(schema: Schema) -> Iterator[str]:
    """Say which names PostgreSQL takes for others when they are written without quotes."""
    names = [
        name for spelled in schema.spellings.values() for name in sorted(spelled) if name != name.lower()
    ]
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        yield f"names with capitals need double quotes there: {', '.join(names[:_SHOWN])}{more}"
