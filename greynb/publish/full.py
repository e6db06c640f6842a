"""A full publication: a consistent copy of staging, checked and described, then switched to in one step."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, Literal

from greynb.databases.copying import (
    LOCK_TIMEOUT,
    check_space,
    connect,
    copy_database,
    mapped,
    reading,
    size_with_log,
)
from greynb.databases.generations import DATABASE, Generation, own_target
from greynb.errors import DatabaseError, MissingDatabase, PublishError, UnreadableDatabase
from greynb.publish.adopt import adopt
from greynb.publish.confirmed import confirming
from greynb.publish.describe import describe
from greynb.publish.durable import remove
from greynb.publish.generation import seal, switch, usable_layout
from greynb.publish.home import build_folder, clean_up, publishing
from greynb.publish.result import SyncResult
from greynb.publish.steps import Steps

KEPT: Final = 2
"""Old generations that stay, besides those that a reader holds."""


def sync(
    source: Path,
    target: Path,
    *,
    mode: Literal["full"] = "full",
    layout: Literal["auto", "generations", "plain"] = "auto",
    progress: Callable[[str, float], None] | None = None,
) -> SyncResult:
    """Publish `source` to `target` while writers and readers go on.

    A kill at any instant leaves the old or the new version, whole; what it leaves behind is removed by the
    next publication. An error or Ctrl-C leaves the old version.

    Parameters
    ----------
    source
        The SQLite database to copy. In WAL its writers never wait; else they wait while it is copied.
    target
        The path that users open.
    mode
        ``"full"``: the whole database.
    layout
        ``"generations"`` keeps versions behind a symbolic link, ``"plain"`` keeps a real file at `target`;
        ``"auto"`` is the first where links can be made.
    progress
        Called with the step's name and the fraction of it that is done; may raise to stop.

    Raises
    ------
    MissingDatabase, UnreadableDatabase, DatabaseLocked
        The source is not there, is damaged, or stays locked.
    PublishError
        The publication could not be made.
    """
    source = source.absolute()
    try:
        _check_source(source)
        if target.exists() and source.samefile(target):
            return SyncResult(id="", mode="none", source=source, target=target, path=source.resolve())
        target = own_target(target)
        if target.is_dir():
            raise PublishError("the analytics path is a folder")
        with publishing(target) as home, confirming(source, target):
            return _publish(source, target, home, mode, layout, Steps(progress))
    except PublishError as error:
        raise error.at(role="analytics", path=target) from error.__cause__
    except OSError as error:
        raise PublishError(
            f"the publication could not be written ({error.strerror})", role="analytics", path=target
        ) from error


def _publish(
    source: Path,
    target: Path,
    home: Path,
    mode: Literal["full"],
    wanted: Literal["auto", "generations", "plain"],
    steps: Steps,
) -> SyncResult:
    layout = usable_layout(home, wanted)
    build = build_folder(home)
    try:
        state = _copy(source, build / DATABASE, steps)
        facts = describe(build / DATABASE, steps)
        adopted = adopt(target, layout)
        with steps.step("hash") as told:
            new = seal(
                build,
                target=target,
                mode=mode,
                layout=layout,
                source=state,
                schema=facts.schema,
                rows=facts.rows,
                census=facts.census,
                progress=told,
            )
        with steps.step("switch"):
            switch(target, new, layout)
            clean_up(target, KEPT)
    except BaseException:
        remove(build)
        raise
    notices = (*facts.notices, *_kept(adopted))
    size = new.database.stat().st_size
    return SyncResult(
        new.folder.name, mode, source, target, new.database, facts.rows, size, steps.seconds, notices
    )


def _check_source(source: Path) -> None:
    if not source.exists():
        raise MissingDatabase("the database to publish does not exist", role="staging", path=source)
    if not source.is_file():
        raise UnreadableDatabase("the path to publish is not a file", role="staging", path=source)


def _copy(source: Path, database: Path, steps: Steps) -> dict[str, object]:
    """Copy the source as of now; returns its state for the manifest."""
    try:
        check_space(database.parent, size_with_log(source))
    except DatabaseError as error:
        raise PublishError(error.message, hint="make room there, then run it again") from error
    try:
        # "rw": SQLite repairs a hot journal and tidies up a WAL, as at any other opening of staging.
        with (
            steps.step("copy") as told,
            closing(connect(source, "rw")) as con,
            reading(con, source, timeout=LOCK_TIMEOUT),
        ):
            state = _state(con, source)
            copy_database(con, database, path=source, progress=told)
            return state
    except DatabaseError as error:
        raise error.at(role="staging", path=source) from error.__cause__


def _state(con: sqlite3.Connection, source: Path) -> dict[str, object]:
    names = ("journal_mode", "page_count", "page_size", "schema_version", "user_version", "encoding")
    with mapped(source):
        values = {name: con.execute(f"PRAGMA {name}").fetchone()[0] for name in names}
    found = source.stat()
    return {"path": str(source), "size": found.st_size, "mtime_ns": found.st_mtime_ns, **values}


def _kept(adopted: Generation | None) -> tuple[str, ...]:
    if adopted is None:
        return ()
    return (f"the analytics file that was there is kept as {adopted.folder.name}",)
