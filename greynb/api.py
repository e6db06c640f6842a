"""The public functions: the environment's routing applied to the packages below."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from greynb.connections import connect
from greynb.errors import GreynbError, UsageError
from greynb.locating import located, locating
from greynb.routing import Role, Settings, role_of

if TYPE_CHECKING:
    import sqlite3
    from os import PathLike

    import pandas as pd
    import psycopg

    from greynb.databases.load_request import LoadResult
    from greynb.databases.readonly import AnalyticsConnection
    from greynb.publish import SyncResult
    from greynb.publish.changeset import Changes
    from greynb.publish.history import Version
    from greynb.publish.verifying import Verification


@overload
def get_conn(
    role: Literal["analytics"] = ..., *, engine: Literal["duckdb"] | None = ...
) -> AnalyticsConnection: ...
@overload
def get_conn(
    role: Literal["staging"], *, engine: Literal["sqlite"] | None = ..., create: bool = ...
) -> sqlite3.Connection: ...
@overload
def get_conn(role: Role, *, engine: Literal["sqlite"]) -> sqlite3.Connection: ...
@overload
def get_conn(
    role: Literal["staging"], *, engine: Literal["postgresql"], create: bool = ...
) -> psycopg.Connection[Any]: ...
@overload
def get_conn(
    *, for_script: str | PathLike[str], engine: str | None = ..., create: bool = ...
) -> AnalyticsConnection | sqlite3.Connection | psycopg.Connection[Any]: ...
def get_conn(
    role: Role | None = None,
    *,
    engine: str | None = None,
    for_script: str | PathLike[str] | None = None,
    create: bool = False,
) -> AnalyticsConnection | sqlite3.Connection | psycopg.Connection[Any]:
    """Connect to the database that the environment names for a role.

    Parameters
    ----------
    role
        ``"analytics"`` (default): a read-only DuckDB connection over the analytics file, which keeps to the
        version that is newest now. ``"staging"``: a writable `sqlite3.Connection`; its ``with`` block
        commits (or rolls back after an error) and closes. Where a server is staging, a `psycopg.Connection`,
        whose ``with`` block does the same.
    engine
        ``"sqlite"`` gives a read-only SQLite connection to analytics instead of DuckDB. ``"postgresql"`` says
        to readers and type checkers what staging is.
    for_script
        Take the role from the script's category (see `role_of`), usually ``for_script=__file__``.
    create
        Make a staging file that is not there, empty. Without it no mistyped path becomes a database.

    Raises
    ------
    RoutingError
        The environment does not say which file, or the script's category is not known.
    MissingDatabase, UnreadableDatabase
        The file is not there, or is no SQLite database.
    UsageError
        The engine does not serve this role, or `create` is asked for analytics.
    """
    if role is not None and for_script is not None:
        raise UsageError("get_conn takes a role or for_script, not both")
    chosen: Role = role_of(for_script) if for_script is not None else role or "analytics"
    return connect(Settings.current().route(chosen), engine, create=create)


def load(
    df: Any,
    table: str,
    *,
    key: str | Sequence[str] | None = None,
    on_conflict: Literal["error", "ignore", "update"] = "error",
    create: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> LoadResult:
    """Load a DataFrame into a staging table, all rows or none.

    Parameters
    ----------
    df
        A DataFrame of pandas or polars, or an Arrow table. Its columns must be columns of the table.
    table
        The table in staging.
    key
        The column or columns that identify a row; needed for ``"update"``. Without one, ``"ignore"`` goes by
        every unique index.
    on_conflict
        What to do with a row whose key is there already.
    create
        Create the table from the frame's types if it is not there.
    progress
        Called with rows done and rows in total.

    Returns
    -------
    LoadResult
        Rows inserted, updated and ignored.

    Raises
    ------
    LoadError
        The frame does not fit the table; the message names the column and the row. Nothing was written.
    DatabaseLocked
        Another process kept staging locked for too long.
    """
    from greynb.loading import open_loader

    route = Settings.current().route("staging")
    with locating(route), closing(open_loader(route, timeout=10, create=create)) as loader:
        return loader.load(df, table, key=key, on_conflict=on_conflict, create=create, progress=progress)


def sync(
    mode: Literal["full", "incremental", "etl"] = "incremental",
    *,
    plan: str | PathLike[str] | None = None,
    keep: int = 2,
    verify: bool = False,
    mirror: bool = True,
    dry_run: bool = False,
    progress: Callable[[str, float], None] | None = None,
) -> SyncResult:
    """Publish staging to analytics: a consistent copy, checked, then switched to in one step.

    Parameters
    ----------
    mode
        ``"incremental"``: nothing if staging is unchanged, else a new version of which only what changed is
        counted and hashed again. ``"full"``: a new version in any case, all of it counted and hashed.
        ``"etl"``: a new version made by the plan in ``greynb.toml``.
    plan
        The folder from which the plan is looked for, upwards; default: the current one.
    keep
        Old versions that stay, besides those that a reader holds.
    verify
        Whether to compare every row of the copy with staging's snapshot.
    mirror
        Whether to publish a columnar mirror with the version, from which cells read many times faster; where
        both roles are one file, whether to build that of the file.
    dry_run
        Only say what would happen; nothing is written.
    progress
        Called with the step's name and the fraction of it that is done.

    Returns
    -------
    SyncResult
        The version published, with what changed per table, bytes and seconds per step.

    Raises
    ------
    PublishError
        The publication could not be made; the version published before is untouched.
    """
    from greynb import published
    from greynb.publish.planning import required_plan

    settings = Settings.current()
    source, target = settings.route("staging"), settings.route("analytics")
    try:
        done = published.sync(
            source,
            target,
            mode=mode,
            plan=required_plan(Path(plan or ".")) if mode == "etl" else None,
            keep=keep,
            verify=verify,
            mirror=mirror,
            dry_run=dry_run,
            progress=progress,
        )
    except GreynbError as error:
        raise located(error, published.meant(error, source, target)) from error.__cause__
    is_one_file = done.mode == "none" and isinstance(done.target, Path)
    return _mirrored_alone(done, progress) if is_one_file and mirror and not dry_run else done


def _mirrored_alone(done: SyncResult, progress: Callable[[str, float], None] | None) -> SyncResult:
    """Build the mirror where both roles are one file: there is nothing else to do."""
    from greynb import columnar

    begun = time.perf_counter()
    columnar.build(told=(lambda part: progress("mirror", part)) if progress else lambda _: None)
    notice = f"its columnar mirror is fresh ({time.perf_counter() - begun:.1f} s)"
    return replace(done, notices=(*done.notices, notice))


def history() -> list[Version]:
    """List the versions of analytics that are there, newest first."""
    from greynb import published

    route = Settings.current().route("analytics")
    with locating(route):
        return published.history(route)


def rollback(
    version: str | int | None = None, *, progress: Callable[[str, float], None] | None = None
) -> SyncResult:
    """Publish the content of an older version of analytics again, as a new version.

    `version` is its name or number, None for the one before the current. Raises PublishError where there is
    no such version, or it is not whole any more; analytics is then untouched.
    """
    from greynb import published

    route = Settings.current().route("analytics")
    with locating(route):
        return published.rollback(route, version, progress)


def verify(*, progress: Callable[[str, float], None] | None = None) -> Verification:
    """Compare analytics with staging as both are now, and its files with what was published.

    The result says per table whether it is equal, and names the first rows that are not; its ``equal`` says
    it for all. Raises DatabaseError where one of the two files cannot be read.
    """
    from greynb import published

    settings = Settings.current()
    source, target = settings.route("staging"), settings.route("analytics")
    try:
        return published.verify(source, target, progress)
    except GreynbError as error:
        raise located(error, published.meant(error, source, target)) from error.__cause__


def changes(old: str | int | None = None, new: str | int | None = None) -> Changes:
    """Count what changed between two versions of analytics: rows per table, and the schema.

    Parameters
    ----------
    old, new
        ``"gen-000042"``, of a lake ``"lake-000042"``, or 42; by default the version before the current one,
        and the current one.

    Raises
    ------
    PublishError
        There is no such version, or it cannot be read.
    """
    from greynb import published

    with locating(route := Settings.current().route("analytics")):
        return published.changes(route, old, new)


def changed_rows(
    table: str, old: str | int | None = None, new: str | int | None = None, *, limit: int | None = None
) -> pd.DataFrame:
    """The rows of a table that differ between two versions of analytics, before and after.

    Parameters
    ----------
    table
        Its name.
    old, new
        As in `changes`.
    limit
        At most so many changed rows.

    Returns
    -------
    DataFrame
        See `greynb.publish.changes.changed_rows`.

    Raises
    ------
    PublishError
        There is no such version or table, or its rows cannot be matched.
    """
    from greynb import published

    with locating(route := Settings.current().route("analytics")):
        return published.changed_rows(route, table, old, new, limit)
