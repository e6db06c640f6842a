"""Giving a finished copy its name, where nothing is in the way."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from greynb.databases.copying import mapped, remove_database
from greynb.databases.fingerprint import SIDE_FILES
from greynb.databases.generations import generation_at
from greynb.databases.lockers import open_for_writing
from greynb.errors import UsageError
from greynb.migration.contents import Content, differing
from greynb.migration.journal import State
from greynb.publish.durable import sync_file, sync_folder

MOVE: Final = "move it away, or choose another file"


def check_analytics(staging: Path, analytics: Path | None) -> None:
    """Refuse an analytics file that is not a publication of this staging; raises `UsageError`."""
    if analytics is None or not (analytics.exists() or analytics.is_symlink()):
        return
    generation = generation_at(analytics)
    if generation and generation.manifest and generation.manifest.source.get("path") == str(staging):
        return
    raise UsageError("the analytics file is there already", path=analytics, hint=MOVE)


def check_side_files(target: Path) -> None:
    """Refuse a name beside which a log lies; raises `UsageError`."""
    for ending in (*SIDE_FILES, "-shm"):
        if Path(f"{target}{ending}").exists():
            raise UsageError(
                f"{target.name}{ending} is there without its database: SQLite would apply it to the new one",
                path=target,
                hint=f"move {target}{ending} away",
            )


def will_do(target: Path, there: Content, wanted: Content, before: State | None) -> bool:
    """Whether a file that is there holds what would be copied.

    An unfinished copy of an earlier run, which nobody has used, of what went on since is removed.

    Parameters
    ----------
    target
        The file.
    there, wanted
        What it holds, and what it is to hold.
    before
        How far the earlier run came.

    Raises
    ------
    UsageError
        It holds something else.
    """
    if there == wanted:
        return True
    ours = before is not None and before.stage != "done" and before.made(target)
    if ours and before and not differing(there, before.content) and not open_for_writing(target):
        remove_database(target)
        return False
    raise UsageError(
        "the file is there already, and holds something else than what would be copied",
        detail=f"differing: {', '.join(differing(there, wanted)[:5])}",
        path=target,
        hint=MOVE,
    )


def finish(copy: Path, mode: int) -> None:
    """Make the copy a database in WAL that its owner may write to, all of it on the disk."""
    with mapped(copy), closing(sqlite3.connect(copy, isolation_level=None)) as con:
        con.execute("PRAGMA journal_mode = WAL").fetchone()
    copy.chmod(mode & 0o777 | 0o200)
    sync_file(copy)


def place(copy: Path, target: Path) -> None:
    """Give the copy its name, unless somebody has made such a file meanwhile; raises `UsageError`."""
    try:
        target.hardlink_to(copy)
    except FileExistsError as error:
        raise UsageError("somebody made the file meanwhile", path=target, hint=MOVE) from error
    except OSError:  # a file system without hard links
        if target.exists():
            raise
        copy.rename(target)
    sync_folder(target.parent)
