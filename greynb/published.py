"""Publishing, and the versions of analytics, by what holds the two: a file, a server or a lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greynb.errors import GreynbError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from greynb.publish import SyncResult
    from greynb.publish.changeset import Changes
    from greynb.publish.etl import Plan
    from greynb.publish.history import Version
    from greynb.publish.result import Mode
    from greynb.publish.steps import Progress
    from greynb.publish.verifying import Verification
    from greynb.routing import Route


def sync(
    source: Route,
    target: Route,
    *,
    mode: Mode = "incremental",
    plan: Plan | None = None,
    keep: int = 2,
    verify: bool = False,
    mirror: bool = True,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SyncResult:
    """Publish staging to analytics; see `greynb.sync`."""
    from greynb.publish.result import SyncResult

    if target.server is not None and target.place == source.place:
        where = target.server
        return SyncResult("", "none", where, where, where, asked=mode, dry_run=dry_run)
    if target.lake is not None:
        from greynb.lake.publishing import publish

        if not mirror:
            raise UsageError("a DuckLake is filled from a columnar mirror", hint="leave out --no-mirror")
        return publish(
            source.place,
            target.lake,
            mode=mode,
            keep=keep,
            plan=plan,
            verify=verify,
            dry_run=dry_run,
            data_path=target.options.get("data_path"),
            compacted=target.server is not target.lake,  # Spark reads its files
            progress=progress,
        )
    from greynb import publish as files

    return files.sync(
        source.place,
        target.path,
        mode=mode,
        plan=plan,
        keep=keep,
        verify=verify,
        mirror=mirror,
        dry_run=dry_run,
        progress=progress,
    )


def check_target(target: Route) -> None:
    """Raise what would stop a publication to a lake, as far as that shows without making anything."""
    if target.lake is not None:
        from greynb.lake.attaching import check_ready

        check_ready(target.lake, target.options.get("data_path"))


def history(target: Route) -> list[Version]:
    """The versions of analytics, newest first."""
    if target.lake is not None:
        from greynb.lake import versions

        return versions.history(target.lake)
    from greynb.publish.history import history as of_file

    return of_file(_versioned(target))


def rollback(target: Route, version: str | int | None, progress: Progress | None) -> SyncResult:
    """Publish the content of an older version again."""
    if target.lake is not None:
        from greynb.lake import versions

        return versions.rollback(target.lake, version, progress=progress)
    from greynb.publish.versions import rollback as of_file

    return of_file(_versioned(target), version, progress=progress)


def changes(target: Route, old: str | int | None, new: str | int | None) -> Changes:
    """What changed between two versions."""
    if target.lake is not None:
        from greynb.lake.changes import changes as of_lake

        return of_lake(target.lake, old, new)
    from greynb.publish.changes import changes as of_files
    from greynb.publish.changes import two_versions

    before, after = two_versions(_versioned(target), old, new)
    return of_files(before.database, after.database)


def changed_rows(
    target: Route, table: str, old: str | int | None, new: str | int | None, limit: int | None
) -> pd.DataFrame:
    """The rows of a table that differ between two versions."""
    if target.lake is not None:
        from greynb.lake.changes import changed_rows as of_lake

        return of_lake(target.lake, table, old, new, limit)
    from greynb.publish.changes import changed_rows as of_files
    from greynb.publish.changes import two_versions

    before, after = two_versions(_versioned(target), old, new)
    return of_files(before.database, after.database, table, limit)


def verify(source: Route, target: Route, progress: Progress | None) -> Verification:
    """Compare analytics with staging as both are now."""
    if source.server is not None and target.place == source.place:
        from greynb.publish.verification import Verification as Found

        one = ("staging and analytics are one database",)
        return Found(source.server, source.server, "", (), notices=one)
    if target.lake is not None:
        from greynb.lake import verifying

        return verifying.verify(source.place, target.lake, progress=progress)
    from greynb.publish.verifying import compare

    return compare(source.place, target.path, progress=progress)


def meant(error: GreynbError, source: Route, target: Route) -> Route:
    """Which of the two an error is about: a server's error names the server, and no role."""
    server = source.server if source.place != target.place else None
    on_server = server is not None and error.path == server.name
    return source if error.role == "staging" or on_server else target


def _versioned(target: Route) -> Path:
    """The file that keeps versions."""
    if target.server is not None:
        from greynb.postgres.analytics import no_versions

        raise no_versions()
    return target.path
