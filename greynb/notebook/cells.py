"""Running one SQL cell: parameters, the role's session, the worker thread, the results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from greynb.connections import analytics_session, staging_session
from greynb.databases.diagnose import explain_error
from greynb.databases.parameters import Bound, bind
from greynb.databases.staging import StagingSession, StatementFailed
from greynb.errors import GreynbError, telling_interrupts
from greynb.locating import located
from greynb.notebook import execution, recent
from greynb.notebook.logged import logged
from greynb.routing import Role, Route, Settings

if TYPE_CHECKING:
    from greynb.databases.mirroring import Mode
    from greynb.databases.result import Result
    from greynb.databases.resultcache import ResultCache
    from greynb.notebook.config import Greynb
    from greynb.notebook.options import CellOptions


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a cell gave, and what it was run on.

    Attributes
    ----------
    route
        The role and its file.
    sql
        The text of the cell as written.
    results
        One for each statement, in order.
    parameters
        The variables that the cell names, with their values.
    snapshot
        The version of the analytics file that all statements read; None for staging.
    dry_run
        Whether everything was rolled back at the end.
    reading
        What was read where it was not the columnar mirror; empty for that, and for staging.
    """

    route: Route
    sql: str
    results: list[Result]
    parameters: Mapping[str, object]
    snapshot: str | None = None
    dry_run: bool = False
    reading: str = ""


def run(
    role: Role, sql: str, variables: Mapping[str, object], options: CellOptions, config: Greynb
) -> Outcome:
    """Run the statements of a cell on the file that serves a role now.

    Parameters
    ----------
    role
        Whose file.
    sql
        The text of the cell; its first line is the magic's own, so that lines count as in the editor.
    variables
        The notebook's variables, for ``:name`` and for DataFrames named like tables.
    options
        The magic's line.
    config
        The notebook's settings.

    Raises
    ------
    GreynbError
        Whatever went wrong, with role, file and the variable that chose it.
    """
    route = Settings.current().route(role)
    try:
        ran = partial(_RUNNERS[role], route, sql, variables, options, config)
        return logged(route, sql, config, lambda: recent.noted(role, sql, ran))
    except GreynbError as error:
        raise located(error, route) from error.__cause__


def _analytics(
    route: Route, sql: str, variables: Mapping[str, object], options: CellOptions, config: Greynb
) -> Outcome:
    with telling_interrupts(f"{route.role}: interrupted before anything was run"):
        bound = bind(sql, variables, dialect="duckdb")
        session = analytics_session(route)
        session.recall.cache = cache = _cache(options, config)
        session.mirroring.mode = cast("Mode", config.mirror)
    ran = execution.run(
        lambda: session.fetch(bound.sql, bound.parameters, variables=variables),
        interrupt=session.interrupt,
        progress=session.progress,
        show_progress=config.progress,
        interruptible=config.interrupt,
        label=route.role,
    )
    if cache is not None:
        ran = cache.keep(ran)
    with telling_interrupts(f"{route.role}: interrupted while the rows were made a DataFrame"):
        results = [each.finished() for each in ran]
    if not results:
        return Outcome(route, sql, results, _named(bound, variables))
    snapshot, reading = session.snapshot.id, session.mirroring.note
    return Outcome(route, sql, results, _named(bound, variables), snapshot, reading=reading)


def _cache(options: CellOptions, config: Greynb) -> ResultCache | None:
    if options.no_cache or not config.cache_mb:
        return None
    from greynb.databases.resultcache import result_cache

    return result_cache(config.cache_folder, config.cache_mb)


def _staging(
    route: Route, sql: str, variables: Mapping[str, object], options: CellOptions, config: Greynb
) -> Outcome:
    with telling_interrupts(f"{route.role}: interrupted before anything was run"):
        bound = bind(sql, variables, dialect=route.dialect)
        session = staging_session(route)
        session.timeout = float(route.options.get("timeout", config.timeout))
    try:
        results = execution.run(
            lambda: session.run(bound.sql, bound.parameters, dry_run=options.dry_run),
            interrupt=session.interrupt,
            progress=session.progress,
            show_progress=config.progress,
            interruptible=config.interrupt,
            label=route.role,
        )
    except StatementFailed as failed:
        assert isinstance(session, StagingSession)
        raise _explained(failed, session) from failed.__cause__
    return Outcome(route, sql, results, _named(bound, variables), dry_run=options.dry_run)


def _explained(failed: StatementFailed, session: StagingSession) -> GreynbError:
    """Say what SQLite's error means, and which statement of the cell it was."""
    assert isinstance(failed.__cause__, Exception)
    error = explain_error(
        failed.__cause__,
        failed.sql,
        role="staging",
        tables=session.columns,
        line_offset=failed.line - 1,
    )
    error.message = f"statement {failed.number}: {error.message}; nothing was written"
    error.detail = error.detail or failed.detail
    return error


def _named(bound: Bound, variables: Mapping[str, object]) -> dict[str, object]:
    return {name: variables[name] for name in bound.names}


_RUNNERS = {"analytics": _analytics, "staging": _staging}
