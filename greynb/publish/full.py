"""A full publication: a consistent copy of staging, checked and described, then switched to in one step."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

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
from greynb.publish.durable import remove
from greynb.publish.generation import seal, switch, usable_layout
from greynb.publish.home import build_folder, clean_up, publishing
from greynb.publish.result import SyncResult

KEPT: Final = 2
"""Old generations that stay, besides those that a reader holds."""

# Values that break a rule of their table, as `PRAGMA quick_check` words it: no damage to the file.
_BROKEN_RULE: Final = re.compile(r"(NULL|non-\w+|TEXT|NUMERIC) value in |CHECK constraint failed in ")
_SHOWN: Final = 5


@dataclass
class _Steps:
    """Times the steps and passes their progress on."""

    progress: Callable[[str, float], None] | None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[Callable[[float], None]]:
        def told(fraction: float) -> None:
            if self.progress is not None:
                self.progress(name, fraction)

        begun = time.perf_counter()
        told(0.0)
        yield told
        self.seconds[name] = time.perf_counter() - begun
        told(1.0)


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
        with publishing(target) as home:
            return _publish(source, target, home, mode, layout, _Steps(progress))
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
    steps: _Steps,
) -> SyncResult:
    layout = usable_layout(home, wanted)
    build = build_folder(home)
    try:
        state = _copy(source, build / DATABASE, steps)
        facts = _describe(build / DATABASE, steps)
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


def _copy(source: Path, database: Path, steps: _Steps) -> dict[str, object]:
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


@dataclass(frozen=True, slots=True)
class _Facts:
    schema: list[dict[str, str | None]]
    rows: dict[str, int | None]
    census: dict[str, Any]
    notices: tuple[str, ...]


def _describe(database: Path, steps: _Steps) -> _Facts:
    """Check the copy, gather its statistics, and note what it holds."""
    from greynb.databases.census import take_census

    with mapped(database), closing(connect(database, "rw")) as con:
        # Texts of other encodings must not stop the publication.
        con.text_factory = lambda text: text.decode("utf-8", "replace")
        con.execute("PRAGMA synchronous = OFF")
        with steps.step("check") as told, _watched(con, told):
            notices = _check(con)
        with steps.step("analyze") as told, _watched(con, told):
            notices += _analyze(con)
        with steps.step("census") as told, _watched(con, told):
            census = take_census(lambda sql: con.execute(sql).fetchall())
        names = ("type", "name", "table", "sql")
        objects = con.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid").fetchall()
    rows = {name: None if each.problem else each.rows for name, each in census.items() if each.kind != "view"}
    return _Facts(
        schema=[dict(zip(names, each, strict=True)) for each in objects],
        rows=rows,
        census={name: each.to_json() for name, each in census.items()},
        notices=notices,
    )


@contextmanager
def _watched(con: sqlite3.Connection, told: Callable[[float], None]) -> Iterator[None]:
    """Let `told` and Ctrl-C stop a long statement; sqlite3 itself swallows what its handlers raise."""
    raised: list[BaseException] = []

    def handler() -> int:
        try:
            told(0.0)
        except BaseException as error:
            raised.append(error)
        return len(raised)

    con.set_progress_handler(handler, 1_000_000)
    try:
        yield
    except Exception as error:
        if raised:
            raise raised[0] from error
        raise
    finally:
        con.set_progress_handler(None, 0)


def _check(con: sqlite3.Connection) -> tuple[str, ...]:
    """Refuse a damaged copy; values that break a rule of their table are only reported."""
    found = [str(row[0]) for row in con.execute("PRAGMA quick_check").fetchall()]
    damage = [line for line in found if line != "ok" and not _BROKEN_RULE.match(line)]
    if damage:
        raise PublishError(
            "staging is damaged, so it was not published",
            detail="\n".join(damage[:_SHOWN]),
            hint="run `PRAGMA integrity_check` on staging; analytics still has the last good version",
        )
    return tuple(line for line in found if line != "ok")[:_SHOWN]


def _analyze(con: sqlite3.Connection) -> tuple[str, ...]:
    """Give SQLite's planner its statistics; an unknown collation or module is no reason to stop."""
    try:
        con.execute("PRAGMA analysis_limit = 1000").fetchone()
        con.execute("ANALYZE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise
        return (f"no statistics for the query planner: {error}",)
    return ()


def _kept(adopted: Generation | None) -> tuple[str, ...]:
    if adopted is None:
        return ()
    return (f"the analytics file that was there is kept as {adopted.folder.name}",)
