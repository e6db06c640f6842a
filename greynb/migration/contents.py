"""What a database holds, as hashes: to tell that two files hold the same, and to copy one with certainty."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greynb.databases.copying import connect, copy_database, data_version, mapped, reading
from greynb.databases.descriptors import identity_of
from greynb.databases.fingerprint import SIDE_FILES
from greynb.errors import DatabaseLocked, PublishError, UnreadableDatabase
from greynb.publish.full import contents
from greynb.publish.outside import look

if TYPE_CHECKING:
    from greynb.publish.steps import Told

Content = Mapping[str, str | None]
"""The content hash of each table, None for one that cannot be read; the schema's under ``""``."""


_TRIES: Final = 3
_WAIT_MS: Final = 10_000


def content_of(path: Path, told: Told = lambda _: None) -> Content:
    """Hash what a file holds at one moment; the file is not changed by it.

    Raises
    ------
    DatabaseError
        It cannot be read, or somebody keeps writing to it.
    """
    return _held(path, None, told, told)


def copy(path: Path, target: Path, copied: Told, hashed: Told) -> Content:
    """Copy a file while its writers go on, and hash what was copied, read from the original once more.

    In WAL both is of one read transaction. In a rollback mode that would keep writers waiting for all of it,
    so each table is read on its own there, and all begins again where somebody wrote meanwhile.

    Parameters
    ----------
    path, target
        The original, which is not changed, and a file that does not exist yet.
    copied, hashed
        Told the part done of each; may raise to stop.
    """
    return _held(path, target, copied, hashed)


def _held(path: Path, target: Path | None, copied: Told, hashed: Told) -> Content:
    for _ in range(_TRIES):
        with closing(_opened(path)) as con, _half_written(path), mapped(path):
            if target is not None:
                target.unlink(missing_ok=True)
            with reading(con, path):
                version = data_version(con)
                if target is not None:
                    copy_database(con, target, path=path, progress=copied)
                if con.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
                    return _content(con, hashed)
            con.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
            found = _content(con, hashed)
            if data_version(con) == version:
                return found
    raise DatabaseLocked(
        "somebody keeps writing to the database, which is not in WAL",
        path=path,
        hint="let that program finish first, or switch the database to WAL",
    )


def _opened(path: Path) -> sqlite3.Connection:
    """Open a file so that closing it leaves its bytes alone.

    A connection that may write undoes what a killed program left half done, and, as the last one, takes the
    log into the file when it is closed; one that may not leaves an empty log behind where there was none.
    """
    sides = [Path(f"{path.resolve()}{ending}") for ending in SIDE_FILES]
    used = any(identity_of(each) is not None and each.stat().st_size > 0 for each in sides)
    return connect(path, "ro" if used else "rw")


@contextmanager
def _half_written(path: Path) -> Iterator[None]:
    """Say what to do about a journal that SQLite could only undo in the original itself."""
    try:
        yield
    except UnreadableDatabase as error:
        if getattr(error.__cause__, "sqlite_errorcode", 0) != sqlite3.SQLITE_READONLY_ROLLBACK:
            raise
        raise UnreadableDatabase(
            "a program was killed inside a transaction, and its journal was not undone yet",
            path=path,
            hint=f"`sqlite3 {path} .tables` lets SQLite undo it; then run this again",
        ) from error.__cause__


def _content(con: sqlite3.Connection, told: Told) -> Content:
    tables = contents(con, told)
    schema = con.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite|_%' ESCAPE '|'"
        " ORDER BY type, name"
    ).fetchall()
    numbers = [con.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id")]
    digest = blake2b(repr((schema, numbers)).encode("utf-8", "replace"), digest_size=16).hexdigest()
    return {"": digest, **tables}


def differing(one: Content, other: Content) -> list[str]:
    """The names of what two files do not hold alike."""
    names = sorted({*one, *other})
    return [name or "the schema" for name in names if one.get(name) != other.get(name)]


def check_equal(source: Content, copy: Content, path: Path) -> None:
    """Refuse a copy that is not what was copied; raises `PublishError`."""
    different = differing(source, copy)
    if different:
        raise PublishError(
            f"the copy is not what was copied: {', '.join(different[:5])} differ",
            path=path,
            hint="nothing was switched; run it again, and `greynb doctor` if that does not help",
        )


def changed_since(path: Path, content: Content, seen: Mapping[str, int | str] | None) -> list[str]:
    """The names of what somebody wrote to since a file was copied, which looked as `seen` then."""
    now = look(path)
    if seen is None or now is None or now.to_json() == seen:
        return []
    return differing(content_of(path), content)  # none: it was a checkpoint, or somebody touched the file
