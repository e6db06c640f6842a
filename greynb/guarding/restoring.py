"""Putting a backup back into the live file, in one transaction that open connections see.

The file is never replaced: connections that have it open would go on with the old one, and SQLite would apply
the old file's ``-wal`` to the new one. Instead SQLite's backup API (https://www.sqlite.org/backup.html)
writes the backup's pages into the live file inside one write transaction. In WAL readers go on with what they
had, until they begin anew; in a rollback mode they wait. A writer at work is never pushed aside: whoever
restores waits a little for its transaction to end, and else names it; and where commits go on coming, by
whomever, nothing is restored.

What was there before is kept as a backup of its own, while writers may go on. A commit that came between that
copy and the restoration is noticed under the write lock, and all begins again: in WAL in the first step of
the backup API, which takes the lock; in a rollback mode, where nobody else can look then, before it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from greynb.databases.copying import (
    connect,
    copy_database,
    data_version,
    mapped,
    reading,
    remove_database,
    size_with_log,
)
from greynb.databases.filehash import sha256_of
from greynb.databases.fingerprint import SIDE_FILES
from greynb.databases.lockers import open_for_writing
from greynb.databases.locks import is_busy, locked_error, wait_for_lock
from greynb.errors import DatabaseError, DatabaseLocked, UnreadableDatabase, UsageError
from greynb.guarding.backups import Backup, in_use, remove
from greynb.guarding.making import check_room, check_staging, keep
from greynb.publish.durable import sync_file, sync_folder
from greynb.publish.outside import look
from greynb.publish.steps import Progress

TIMEOUT: Final = 10.0
"""Seconds to wait for a writer to end."""

_QUIET: Final = 0.5
"""Seconds without a commit, after which nobody is taken to be writing."""
_STEP_PAGES: Final = 2048
_TRIES: Final = 5


class _Overtaken(Exception):
    """Somebody committed between the copy of what was there and the restoration."""


def restore(
    backup: Backup, *, timeout: float = TIMEOUT, told: Progress = lambda _step, _part: None
) -> Backup | None:
    """Put a backup back into the file that it is of.

    Parameters
    ----------
    backup
        The backup.
    timeout
        Seconds to wait for a writer.
    told
        Told the step and the part done; may raise to stop, and then nothing has changed.

    Returns
    -------
    Backup or None
        What was there before; None where the file was gone.

    Raises
    ------
    DatabaseLocked
        A writer is at work; says who.
    DatabaseError
        The backup is damaged, there is no space for it, or the live file cannot take it. Nothing has changed.
    """
    target = backup.target
    with in_use(backup):
        told("check the backup", 0.0)
        if sha256_of(backup.file) != backup.sha256:
            raise UnreadableDatabase(
                "the backup is not what was written (sha256), so it is not restored",
                path=backup.file,
                hint="take another one: `greynb guard list`",
            )
        if not target.exists():
            _create(backup, target, told)
            return None
        check_staging(target)
        _check_quiet(target)
        check_room(target, size_with_log(target) + 2 * backup.size)
        for _ in range(_TRIES):
            try:
                return _written(backup, target, timeout, told)
            except _Overtaken:
                continue
            except UnreadableDatabase as error:
                error.hint = f"move {target} and its -wal away, then restore again: it is made anew"
                raise
    raise locked_error(target, timeout)


def _check_quiet(target: Path) -> None:
    """Refuse where commits keep coming: the writer would go on in the middle of what was taken back."""
    before = look(target)
    time.sleep(_QUIET)
    if look(target) != before:
        writers = ", ".join(map(str, open_for_writing(target.resolve())))
        raise DatabaseLocked(
            f"a program is writing to the database{f': {writers}' if writers else ''}",
            path=target,
            hint="let that program finish, then restore again",
        )


def _written(backup: Backup, target: Path, timeout: float, told: Progress) -> Backup:
    with closing(connect(target, "rw")) as live, closing(connect(target, "rw")) as other:

        def begin() -> None:
            live.execute("BEGIN IMMEDIATE")

        with mapped(target, timeout):
            in_wal, page_size = wait_for_lock(lambda: _kind(live), path=target, timeout=timeout)
            _check_pages(page_size, backup, target, in_wal)
            wait_for_lock(begin, path=target, timeout=timeout)
            live.execute("ROLLBACK")  # a writer at work is named before anything is copied
            seen = wait_for_lock(lambda: data_version(other), path=target, timeout=timeout)
        before = keep(other, target, f"before {backup.id}", "restore", told)
        try:
            if not in_wal:
                live.execute("PRAGMA locking_mode = EXCLUSIVE")  # the lock outlives its transaction
                wait_for_lock(begin, path=target, timeout=timeout)
                if data_version(other) != seen:
                    raise _Overtaken
                live.execute("ROLLBACK")
            _copy_back(backup, live, target, timeout, told, lambda: not in_wal or data_version(other) == seen)
        except _Overtaken:
            remove(before)
            raise
        if in_wal:
            _empty_log(live)
    return before


def _copy_back(
    backup: Backup,
    live: sqlite3.Connection,
    target: Path,
    timeout: float,
    told: Progress,
    undisturbed: Callable[[], bool],
) -> None:
    """Write the backup's pages in one transaction, unless somebody has been quicker."""
    deadline = time.monotonic() + timeout
    asked = False

    def step(status: int, remaining: int, total: int) -> None:
        nonlocal asked
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            if time.monotonic() > deadline:
                raise locked_error(target, timeout)
            return
        if not asked and not undisturbed():
            raise _Overtaken
        asked = True
        told("restore", 1 - remaining / total if total else 1.0)

    with mapped(target, timeout), closing(connect(backup.file)) as source:
        pages = int(source.execute("PRAGMA page_count").fetchone()[0])
        # At least two steps, so that `step` is asked before the commit, which the last one makes.
        source.backup(live, pages=max(1, min(_STEP_PAGES, pages // 2)), progress=step, sleep=0.05)


def _kind(con: sqlite3.Connection) -> tuple[bool, int]:
    """Whether a database is in WAL, and the bytes of its pages."""
    mode, size = (con.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "page_size"))
    return mode == "wal", int(size)


def _check_pages(page_size: int, backup: Backup, target: Path, in_wal: bool) -> None:
    with closing(connect(backup.file)) as con, mapped(backup.file):
        _, own = _kind(con)
    if in_wal and own != page_size:
        raise UsageError(
            f"the backup's pages have {own} bytes, those of the file have {page_size} now",
            path=target,
            hint="when no program uses it, run `PRAGMA journal_mode = DELETE` on it, then restore again",
        )


def _empty_log(live: sqlite3.Connection) -> None:
    """Take the pages from the log into the file where nobody is in the way; else the next writer does."""
    try:
        live.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        live.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as error:
        if not is_busy(error):
            raise


def _create(backup: Backup, target: Path, told: Progress) -> None:
    """Make the file anew where there is none."""
    stale = [each for ending in (*SIDE_FILES, "-shm") if (each := Path(f"{target}{ending}")).exists()]
    if stale:
        raise DatabaseError(
            f"the file is gone, but its {stale[0].name} is there, which SQLite would apply to the new one",
            path=target,
            hint=f"move {stale[0]} away, then restore again",
        )
    check_room(target, backup.size)
    aside = target.with_name(f".{target.name}.restoring")
    remove_database(aside)
    try:
        with closing(connect(backup.file)) as con, reading(con, backup.file):
            copy_database(con, aside, path=backup.file, progress=lambda part: told("restore", part))
        with mapped(aside), closing(connect(aside, "rw")) as con:
            con.execute("PRAGMA journal_mode = WAL").fetchone()
        aside.chmod(backup.file.stat().st_mode | 0o200)
        sync_file(aside)
        target.hardlink_to(aside)  # fails where somebody has made a file meanwhile
        sync_folder(target.parent)
    except FileExistsError as error:
        raise DatabaseError("somebody made the file meanwhile", path=target, hint="restore again") from error
    finally:
        remove_database(aside)
