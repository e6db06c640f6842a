"""Keeping as a version what somebody else put where greynb publishes to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from greynb.databases.copying import connect
from greynb.databases.generations import DATABASE, Generation, Layout, generation_at, home_of
from greynb.databases.locks import is_busy, lock_holders
from greynb.errors import DatabaseError, PublishError
from greynb.publish.durable import link_or_copy, remove
from greynb.publish.generation import seal
from greynb.publish.home import build_folder

_WAIT_MS: Final = 5000


def adopt(target: Path, layout: Layout) -> Generation | None:
    """Keep the file that users read now as a generation of its own, unless it is one already.

    That is a plain file from before the first publication, or a generation that a `cp` has written into
    through the symbolic link. No byte is copied where the file system has hard links.

    Raises
    ------
    PublishError
        The file is in use by a program that writes to it, or is no SQLite file.
    """
    try:
        size = target.stat().st_size
    except OSError:
        return None
    current = generation_at(target)
    if not size or (current is not None and current.is_intact()):
        return None
    path = target.resolve()
    build = build_folder(home_of(target))
    try:
        with _at_rest(path, strict=current is None):
            link_or_copy(path, build / DATABASE)
        found = path.stat()
        source = {"path": str(target), "size": found.st_size, "mtime_ns": found.st_mtime_ns}
        return seal(build, target=target, mode="adopted", layout=layout, second_name=True, source=source)
    except BaseException:
        remove(build)
        raise


@contextmanager
def _at_rest(path: Path, *, strict: bool) -> Iterator[None]:
    """Keep writers out during the block, with everything of the database in its main file.

    Parameters
    ----------
    path
        The file.
    strict
        Whether a file that is no database is refused. Not so inside a generation: a torn copy there must
        not stop the next publication.
    """
    try:
        opened = connect(path, "rw")
    except DatabaseError as error:
        raise error.at(role="analytics") from error.__cause__
    with closing(opened) as con:
        try:
            con.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
            con.execute("PRAGMA journal_mode = DELETE").fetchone()
            con.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if is_busy(error):
                raise _in_use(path) from error
            if strict and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_NOTADB:
                raise PublishError(
                    "there is a file that is not a SQLite database where analytics would be published",
                    path=path,
                    hint="move it away, then run `greynb sync` again",
                ) from error
        yield


def _in_use(path: Path) -> PublishError:
    holders = ", ".join(f"process {pid} ({command})" for pid, command in lock_holders(path).items())
    return PublishError(
        "the analytics file is in use by a program that may write to it"
        + (f": {holders}" if holders else ""),
        path=path,
        hint="close it there, then run `greynb sync` again; later publications do not need that",
    )
