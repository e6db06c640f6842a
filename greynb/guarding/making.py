"""Making a backup: online, written aside, checked, hashed, and given its name in one step."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from greynb.databases.copying import check_space, connect, copy_database, reading, size_with_log
from greynb.databases.filehash import sha256_of
from greynb.databases.generations import generation_at
from greynb.databases.private import PrivateFolder
from greynb.errors import DatabaseError, MissingDatabase, UnreadableDatabase, WriteRefused
from greynb.guarding.backups import DATABASE, FORMAT, MANIFEST, Backup, home_of, read
from greynb.guarding.inspecting import inspect_still
from greynb.publish.durable import sync_file, sync_folder, write_text

if TYPE_CHECKING:
    from greynb.publish.steps import Progress

Kind = Literal["guard", "restore"]

_LABEL: Final = 40
_MOST: Final = 1000


def make(staging: Path, label: str, told: Progress = lambda _step, _part: None) -> Backup:
    """Make a backup of a file while its writers go on.

    Parameters
    ----------
    staging
        The file.
    label
        What it is made before.
    told
        Told the step and the part done; may raise to stop, and then nothing stays.

    Raises
    ------
    MissingDatabase, UnreadableDatabase
        The file is not there, or damaged already.
    WriteRefused
        It is a published version.
    DatabaseLocked
        In a rollback mode: somebody was writing for too long.
    DatabaseError
        There is too little space.
    """
    check_staging(staging)
    check_room(staging, size_with_log(staging.resolve()))
    with closing(connect(staging.resolve(), "rw")) as con:
        return keep(con, staging, label, "guard", told)


def keep(
    con: sqlite3.Connection, staging: Path, label: str, kind: Kind, told: Progress = lambda _s, _p: None
) -> Backup:
    """`make` with an open connection, which begins its own read transaction; damage stops a guard only."""
    real = staging.resolve()
    home = home_of(real)
    private = None
    try:
        home.mkdir(exist_ok=True)
        private = PrivateFolder(home)
        work = private.path / "backup"
        work.mkdir()
        with reading(con, real):
            copy_database(con, work / DATABASE, path=real, progress=lambda part: told("backup", part))
        return _finished(work, real, label, kind, told)
    except OSError as error:
        raise DatabaseError(
            f"the backup could not be written ({error.strerror or error})",
            path=home,
            hint="check the space and the permissions there; nothing was changed",
        ) from error
    finally:
        if private is not None:
            private.close()


def _finished(work: Path, real: Path, label: str, kind: Kind, told: Progress) -> Backup:
    file = work / DATABASE
    told("check the backup", 0.0)
    found = inspect_still(file, lambda part: told("check the backup", part))
    if found.damage and kind == "guard":
        raise UnreadableDatabase(
            "the database is damaged already, so it was not backed up, and nothing was run",
            detail="\n".join(found.damage),
            path=real,
            hint="run `greynb doctor`",
        )
    made = datetime.now(UTC)
    name = _name(made, label or kind)
    backup = Backup(
        *(work, real.name, made.isoformat(timespec="milliseconds"), label, kind),
        *(file.stat().st_size, sha256_of(file), found.rows),
    )
    sync_file(file)
    file.chmod(real.stat().st_mode & 0o444 | 0o400)  # no more readable than the file itself
    parts = {key: value for key, value in asdict(backup).items() if key != "folder"}
    write_text(work / MANIFEST, json.dumps({"format": FORMAT, **parts}, indent=1, ensure_ascii=False))
    told("check the backup", 1.0)
    return _placed(work, home_of(real), name)


def _placed(work: Path, home: Path, name: str) -> Backup:
    """Give a finished backup its name, or that name and a number."""
    for number in range(1, _MOST):
        folder = home / (name if number == 1 else f"{name}-{number}")
        with suppress(OSError):
            if not folder.exists():
                work.rename(folder)  # never onto another: that one is not empty
                sync_folder(home)
                found = read(folder)
                assert found is not None
                return found
    raise DatabaseError("the backup could not be named", path=home)


def _name(made: datetime, label: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", label).strip("-")[:_LABEL] or "backup"
    return f"{made:%Y%m%d-%H%M%S}-{plain}"


def check_staging(staging: Path) -> None:
    """Refuse what cannot be guarded."""
    if not staging.exists():
        raise MissingDatabase("the database does not exist", path=staging)
    if not staging.is_file():
        raise UnreadableDatabase("the path is not a file", path=staging)
    if generation_at(staging) is not None:
        raise WriteRefused(
            "that is a published version, which nothing may write to",
            path=staging,
            hint="its versions are kept already: `greynb history`, `greynb rollback`",
        )


def check_room(staging: Path, needed: int) -> None:
    """Refuse to begin what would fill the disk; `needed` in bytes."""
    folder = staging.resolve().parent
    try:
        check_space(folder, needed)
    except DatabaseError as error:
        raise DatabaseError(
            error.message, hint="make room there; `greynb guard list` shows what backups take"
        ) from error
