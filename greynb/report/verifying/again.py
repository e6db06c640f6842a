"""Running the query of a record again, behind the same fences as a cell, and within bounds.

The file that the record came from is not trusted: its SQL passes the gate of ``%%analytics`` (for staging,
fences that let a SELECT read tables and nothing else), a result is cut where it has many more rows
than recorded, and the engine may use neither the disk nor more than 2 GB.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, TypeVar

import duckdb

from greynb.databases.analytics import AnalyticsSession
from greynb.databases.executing import checked
from greynb.databases.generations import Generation, generations, home_of, own_target
from greynb.databases.parameters import bind
from greynb.databases.reading import CellSession
from greynb.databases.snapshot import SnapshotSource
from greynb.databases.typedjson import decode
from greynb.errors import GreynbError, MissingDatabase, QueryError, QueryInterrupted, UsageError, WriteRefused
from greynb.locating import located
from greynb.report.verifying.selecting import Select, SelectOnly
from greynb.routing import Route, Settings

if TYPE_CHECKING:
    import pandas as pd

    from greynb.evaluation import Evaluation
    from greynb.report.recording import Source

Opened = TypeVar("Opened", CellSession, Select)

_MEMORY: Final = "2GB"
_MOST: Final = 20_000_000
_SPARE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Again:
    """What a query gives now.

    Attributes
    ----------
    frame
        The rows.
    on
        What was read, in words: ``gen-000042``, ``staging as it is now``.
    same
        Whether that is the very version that the record names.
    """

    frame: pd.DataFrame
    on: str
    same: bool


class Reader:
    """Runs recorded queries, one after the other; `interrupt` may be called from another thread meanwhile."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._running: CellSession | Select | None = None
        self._evaluations: dict[str, tuple[Evaluation, bool]] = {}
        self._stop = threading.Event()

    def run(self, source: Source) -> Again:
        """Run a query on the version that its record names, or on the current one.

        Raises
        ------
        UsageError
            The record cannot be run: another database, frames of a notebook, no query at all.
        QueryInterrupted
            `interrupt` was called.
        GreynbError
            The engine or the gate refused it.
        """
        if self._stop.is_set():
            raise QueryInterrupted("verify: interrupted")
        if source.frames:
            names = ", ".join(map(str, source.frames))
            raise UsageError(f"it reads a DataFrame of the notebook ({names}), which is not in the file")
        if source.role not in ("analytics", "staging"):
            raise UsageError(f"no query can be run for the role {source.role!r}")
        route = self._settings.route("analytics" if source.role == "analytics" else "staging")
        if source.file != route.name:
            raise UsageError(
                f"it was made from {source.file}, but {source.role} is {route.name} here",
                hint=f"set {route.variable or 'the environment'} to what it was made from",
            )
        try:
            if source.kind == "evaluation":
                return self._evaluation(source, route)
            return (self._on_analytics if source.role == "analytics" else self._on_staging)(source, route)
        except GreynbError as error:
            raise located(error, route) from error.__cause__

    def interrupt(self) -> None:
        """Stop the running query, and let no other begin."""
        self._stop.set()
        if (running := self._running) is not None:
            with suppress(sqlite3.ProgrammingError, duckdb.Error):  # it has just been closed
                running.interrupt()

    @contextmanager
    def _open(self, opened: Opened) -> Iterator[Opened]:
        """Have a session at work in the block, and close it after."""
        self._running = opened
        try:
            yield opened
        finally:
            self._running = None
            opened.close()

    def _evaluation(self, source: Source, route: Route) -> Again:
        """Evaluate again; the frames of one evaluation are made together, and kept for the next record."""
        arguments = _values(source.arguments)
        part = str(arguments.pop("part", "table"))
        setup = [_text(made, "sql") for made in source.setup]
        key = json.dumps([arguments, source.version, setup], sort_keys=True, default=str)
        if key not in self._evaluations:
            self._evaluations[key] = self._evaluated(arguments, source, route)
        found, same = self._evaluations[key]
        frame = getattr(found, part) if part in _frames(found) else None
        if frame is None:
            raise UsageError(f"an evaluation has no {part}")
        return Again(frame, str(found.version), same)

    def _evaluated(
        self, given: Mapping[str, object], source: Source, route: Route
    ) -> tuple[Evaluation, bool]:
        from greynb.evaluation import evaluate_on
        from greynb.evaluation.arguments import FRAME, Arguments

        asked = Arguments.from_dict(given)
        if asked.predictions == FRAME:
            raise UsageError("the predictions were a DataFrame of the notebook, which is not in the file")
        with self._open(_session(route)) as session:
            kept = _prepare(session, route, source)
            found = evaluate_on(session, asked, str(route.place))
            return found, kept or _is_file(session, source)

    def _on_analytics(self, source: Source, route: Route) -> Again:
        # A session for each: temporary tables of one query must not be there for the next.
        with self._open(_session(route)) as session:
            kept = _prepare(session, route, source)
            frame = _run(session, source.sql, _values(source.parameters), limit=_limit(source.rows))
            frame = _named(session, frame, source)
            return Again(frame, session.snapshot.id, kept or _is_file(session, source))

    def _on_staging(self, source: Source, route: Route) -> Again:
        if source.setup:
            raise UsageError("it reads temporary tables of a staging session, which is over")
        bound = bind(source.sql, _values(source.parameters), dialect=route.dialect)
        with self._open(_staging(route)) as staging:
            frame = staging.fetch(bound.sql, bound.parameters, limit=_limit(source.rows))
        return Again(frame, "staging as it is now", same=False)


def _session(route: Route) -> CellSession:
    if route.lake is not None:
        from greynb.lake.session import LakeSession

        return LakeSession(route.lake, memory_limit=_MEMORY, temp_directory="")
    if route.postgres is not None:
        from greynb.postgres.analytics import PostgresAnalytics

        return PostgresAnalytics(route.postgres, memory_limit=_MEMORY, temp_directory="")
    snapshots = SnapshotSource(route.path, shared=route.shared)
    return AnalyticsSession(snapshots, memory_limit=_MEMORY, temp_directory="")


def _staging(route: Route) -> Select:
    if route.postgres is not None:
        from greynb.postgres.selecting import PostgresSelect

        return PostgresSelect(route.postgres)
    return SelectOnly(route.path)


def _frames(evaluation: Evaluation) -> set[str]:
    """The names of an evaluation's frames."""
    return {each.name for each in fields(evaluation) if hasattr(getattr(evaluation, each.name), "attrs")}


def _prepare(session: CellSession, route: Route, source: Source) -> bool:
    """Make its temporary tables, then go to its version; tells whether that is still there."""
    for made in source.setup:
        _go_to(session, route, _text(made, "version"), source.time)
        _run(session, _text(made, "sql"), _values(made.get("parameters")), setup=True)
    return _go_to(session, route, source.version, source.time)


def _go_to(session: CellSession, route: Route, version: str | None, time: str) -> bool:
    """Go to a version if it is still there; tells whether it is."""
    if route.lake is not None:
        return _go_to_lake(session, version, time)
    if route.server is not None:
        return False  # it is read as it is now
    kept = _kept(route, version, time)
    if kept is None:
        session.unpin()
        return False
    session.pin(kept.folder.name)
    return True


def _go_to_lake(session: CellSession, version: str | None, time: str) -> bool:
    """The same in a DuckLake."""
    with suppress(MissingDatabase):
        published = session.pin(version).published if version else None
        if published is not None and _second(published) <= time:
            return True
    session.unpin()
    return False


def _second(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds")


def _is_file(session: CellSession, source: Source) -> bool:
    """Whether a file that greynb did not publish is still what the record names, by its fingerprint."""
    return session.snapshot.kind in ("link", "copy") and session.snapshot.id == source.version


def _kept(route: Route, version: str | None, time: str) -> Generation | None:
    """The generation of that name, unless it was published after the record: numbers may come again."""
    for each in generations(home_of(own_target(route.path))):
        if each.folder.name == version and each.manifest is not None and each.is_intact():
            return each if _second(each.manifest.published) <= time else None
    return None


def _run(
    session: CellSession,
    sql: str,
    values: Mapping[str, object],
    *,
    setup: bool = False,
    limit: int | None = None,
) -> Any:
    bound = bind(sql, values, dialect="duckdb")
    passed = checked(bound.sql)
    if len(passed) != 1 or passed[0].kind not in ({"create", "drop"} if setup else {"select"}):
        raise WriteRefused("only SELECTs, and what made their temporary tables, are run again")
    statement = passed[0].sql  # without what comes after it, such as a semicolon and a comment
    text = statement if limit is None else f"SELECT * FROM (\n{statement}\n) LIMIT {limit}"
    result = session.run(text, bound.parameters)[-1]
    if limit is not None and result.frame is not None and len(result.frame) >= limit:
        raise QueryError(f"it gives {limit:,} rows or more, many more than were recorded")
    return result.frame


def _named(session: CellSession, frame: pd.DataFrame, source: Source) -> pd.DataFrame:
    """Name the columns as the statement itself does: a subquery renames repeated ones in its own way."""
    from greynb.databases.frames import unique_names

    if tuple(map(str, frame.columns)) == source.columns:
        return frame
    (passed,) = checked(bind(source.sql, _values(source.parameters), dialect="duckdb").sql)
    with suppress(QueryError):  # what cannot be described, such as PIVOT, has no repeated names
        described = _run(session, f"DESCRIBE {passed.sql}", _values(source.parameters))
        if len(described) == frame.shape[1]:
            return frame.set_axis(unique_names(list(described["column_name"])), axis=1)
    return frame


def _limit(rows: int) -> int:
    return min(2 * max(rows, 0) + _SPARE, _MOST)


def _text(made: Mapping[str, Any], name: str) -> str:
    found = made.get(name) if isinstance(made, Mapping) else None
    if not isinstance(found, str):
        raise UsageError("the record of a temporary table is damaged")
    return found


def _values(parameters: Any) -> dict[str, object]:
    try:
        return {str(name): decode(value) for name, value in dict(parameters or {}).items()}
    except (TypeError, ValueError) as error:
        raise UsageError(f"the recorded parameters are damaged: {error}") from error
