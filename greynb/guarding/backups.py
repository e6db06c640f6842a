"""Backups of one staging file: where they are, and which are thrown away by number and age.

They live in a hidden folder beside the file, one folder for each::

    greyhound_racing_data_stage.db
    .greyhound_racing_data_stage.db.backups/
      20261126-074109-ingest/  database.db  manifest.json

A backup comes into being whole, by the rename of its folder. Who uses one holds a shared lock on its
manifest, so that nobody throws it away meanwhile.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from greynb import __version__
from greynb.databases.oslock import FileLock, try_lock
from greynb.databases.private import PrivateFolder
from greynb.errors import UsageError

KEEP: Final = 5
"""Backups that stay unless told otherwise, the newest ones."""

DATABASE: Final = "database.db"
MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
"""Of the manifest."""

_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup.

    Attributes
    ----------
    folder
        Where it is.
    database
        The name of the file that it is of, which lies beside the hidden folder.
    made
        When, UTC, ISO 8601.
    label
        What it was made before.
    kind
        ``"guard"``, or ``"restore"`` for what was there before a restoration.
    size, sha256
        Of its file, in bytes and in hex.
    rows
        By table; None for one that could not be counted.
    greynb
        The version that made it.
    """

    folder: Path
    database: str
    made: str
    label: str
    kind: Literal["guard", "restore"]
    size: int
    sha256: str
    rows: Mapping[str, int | None]
    greynb: str = __version__

    @property
    def id(self) -> str:
        """Its name."""
        return self.folder.name

    @property
    def file(self) -> Path:
        """The copy."""
        return self.folder / DATABASE

    @property
    def target(self) -> Path:
        """The file that it is of."""
        return self.folder.parent.parent / self.database

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return {**asdict(self), "folder": str(self.folder), "id": self.id}

    def __str__(self) -> str:
        when = datetime.fromisoformat(self.made).astimezone()
        rows = sum(count or 0 for count in self.rows.values())
        label = f" · {self.label}" if self.label else ""
        what = "before a restoration" if self.kind == "restore" else "guard"
        sizes = f"{self.size / 1e6:,.1f} MB, {rows:,} rows in {len(self.rows)} tables"
        return f"{self.id} · {when:%Y-%m-%d %H:%M:%S} · {sizes} · {what}{label}"


def home_of(staging: Path) -> Path:
    """The hidden folder of a file's backups."""
    real = staging.resolve()
    return real.with_name(f".{real.name}.backups")


def backups(staging: Path) -> list[Backup]:
    """The backups of a file, newest first."""
    try:
        folders = [each for each in home_of(staging).iterdir() if not each.name.startswith(".")]
    except OSError:
        return []
    found = [backup for folder in folders if (backup := read(folder))]
    return sorted(found, key=lambda each: (each.made, each.id), reverse=True)


def backup_named(staging: Callable[[], Path], name: str | None) -> Backup:
    """Find a backup.

    Parameters
    ----------
    staging
        Gives the file, where `name` is no path.
    name
        Its name, or the path of its folder; None for the newest that a guard made.

    Raises
    ------
    UsageError
        There is none.
    """
    if name and Path(name).parent != Path():
        found = read(Path(name).resolve())
        if found is None:
            raise UsageError("that is no backup", path=name, hint="`greynb guard list` names those there are")
        return found
    path = staging()
    listed = backups(path)
    wanted = [each for each in listed if (each.id == name if name else each.kind == "guard")]
    if not wanted:
        raise UsageError(
            f"there is no backup {name}" if name else "there is no backup",
            path=path,
            hint="`greynb guard list` names those there are",
        )
    return wanted[0]


@contextmanager
def in_use(backup: Backup) -> Iterator[None]:
    """Keep others from throwing a backup away during the block."""
    lock: FileLock | None = None
    with suppress(OSError):  # a file system without locks
        lock = try_lock(backup.folder / MANIFEST, shared=True)
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def throw_away(staging: Path, keep: int = KEEP, keep_days: float | None = None) -> list[str]:
    """Remove backups beyond a number, or older than some days, but none that somebody uses.

    Parameters
    ----------
    staging
        The file that they are of.
    keep
        The newest that stay.
    keep_days
        Days after which also one of these goes.

    Returns
    -------
    list of str
        What was removed.
    """
    removed = []
    listed = backups(staging)
    too_old = time.time() - keep_days * _DAY if keep_days is not None else 0.0
    for number, each in enumerate(listed):
        if number >= keep or datetime.fromisoformat(each.made).timestamp() < too_old:
            removed += [each.id] if remove(each) else []
    return removed


def remove(backup: Backup) -> bool:
    """Remove a backup, in one step, unless it is in use; gives whether it was."""
    with suppress(OSError):
        lock = try_lock(backup.folder / MANIFEST)
        if lock is None:
            return False
        private = PrivateFolder(backup.folder.parent)
        try:
            backup.folder.rename(private.path / "removed")
        finally:
            lock.release()
            private.close()
        return True
    return False


def read(folder: Path) -> Backup | None:
    """Read a backup's manifest; None where the folder is none."""
    try:
        parts = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if parts.pop("format") != FORMAT or not (folder / DATABASE).is_file():
            return None
        return Backup(folder=folder, **parts)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
