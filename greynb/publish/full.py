"""The full steps of a publication: a consistent copy of staging, compared with it on request."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from greynb.databases.copying import (
    LOCK_TIMEOUT,
    check_space,
    connect,
    copy_database,
    mapped,
    reading,
    size_with_log,
)
from greynb.databases.frozen import frozen, tidied
from greynb.databases.relations import list_relations
from greynb.errors import DatabaseError, MissingDatabase, PublishError, UnreadableDatabase
from greynb.publish.content import content_hash
from greynb.publish.steps import Steps

_TRIES: Final = 3
_NOTED: Final = ("journal_mode", "page_count", "page_size", "schema_version", "user_version", "encoding")


def check_source(source: Path) -> None:
    """Refuse what is no file.

    Raises
    ------
    MissingDatabase, UnreadableDatabase
        With the role staging.
    """
    if not source.exists():
        raise MissingDatabase("the database to publish does not exist", role="staging", path=source)
    if not source.is_file():
        raise UnreadableDatabase("the path to publish is not a file", role="staging", path=source)


def check_room(source: Path, folder: Path) -> int:
    """Refuse to begin what would fill the disk; gives the bytes that a copy takes at most."""
    needed = size_with_log(source)
    try:
        check_space(folder, needed)
    except DatabaseError as error:
        raise PublishError(error.message, hint="make room there, then run it again") from error
    return needed


def copy_source(
    source: Path, database: Path, steps: Steps, *, verify: bool = False
) -> tuple[dict[str, object], dict[str, str | None]]:
    """Copy the source as of now, while writers go on.

    In one read transaction: byte by byte where the file holds all that it sees, else by SQLite's backup.

    Both copy pages as they are, so the copy holds what the transaction saw; `verify` makes sure by reading
    every row of both, which takes several times as long.

    Returns
    -------
    tuple
        The source's state for the manifest, and with `verify` the content hash of each of its tables.
    """
    check_room(source, database.parent)
    with _snapshot(source) as con:
        with steps.step("copy") as told:
            state = _state(con, source)
            copy_database(con, database, path=source, progress=told)
        if not verify:
            return state, {}
        with steps.step("verify") as told, mapped(source):
            return state, contents(con, told)


def contents(con: sqlite3.Connection, told: Callable[[float], None]) -> dict[str, str | None]:
    """The content hash of each table; None for one that cannot be read."""
    con.text_factory = lambda text: text.decode("utf-8", "replace")
    listed = list_relations(lambda sql: con.execute(sql).fetchall())
    names = [each.name for each in listed.values() if each.kind != "view"]
    found: dict[str, str | None] = {}
    for number, name in enumerate(names):
        part = number / len(names)
        told(part)
        try:
            found[name] = content_hash(con, name, lambda _rows, part=part: told(part))  # type: ignore[misc]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR:
                raise
            found[name] = None  # an unknown collation or module
    return found


def check_equal(staging: Mapping[str, str | None], copy: Mapping[str, str | None]) -> None:
    """Refuse a copy whose tables do not hold what staging's snapshot does.

    Raises
    ------
    PublishError
        Names the tables.
    """
    different = sorted(name for name in {*staging, *copy} if staging.get(name) != copy.get(name))
    if different:
        raise PublishError(
            f"the copy is not what staging holds: {', '.join(different[:5])} differ",
            hint="run `greynb sync --mode full --verify`; analytics still has the last good version",
        )


def tidy(source: Path) -> None:
    """Let what is in staging's log go into its file, as any program that opens it may.

    Done before staging is looked at, so that it looks afterwards as it did, unless something is committed.
    """
    with suppress(sqlite3.Error, DatabaseError), closing(connect(source, "rw")) as con:
        tidied(con, source)


@contextmanager
def _snapshot(source: Path) -> Iterator[sqlite3.Connection]:
    """A connection inside one read transaction; errors of the source say so."""
    try:
        # "rw": SQLite repairs a hot journal and tidies up a WAL, as at any other opening of staging.
        with closing(connect(source, "rw")) as con, ExitStack() as stack:
            for _ in range(_TRIES):
                stack.close()
                tidied(con, source)
                stack.enter_context(reading(con, source, timeout=LOCK_TIMEOUT))
                with mapped(source):
                    if frozen(con, source):
                        break
                # Something was committed since the log was tidied up, or a reader needs the log.
            yield con
    except DatabaseError as error:
        raise error.at(role="staging", path=source) from error.__cause__


def _state(con: sqlite3.Connection, source: Path) -> dict[str, object]:
    with mapped(source):
        values: dict[str, Any] = {name: con.execute(f"PRAGMA {name}").fetchone()[0] for name in _NOTED}
    found = source.stat()
    return {"path": str(source), "size": found.st_size, "mtime_ns": found.st_mtime_ns, **values}
