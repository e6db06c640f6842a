"""The columnar mirror of the version that is being published: made beside it, or the version goes without."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greynb.databases.filehash import sha256_of
from greynb.databases.generations import MIRROR
from greynb.databases.relations import REFUSALS, stop_if_interrupted
from greynb.errors import GreynbError
from greynb.publish.comparing import usable
from greynb.publish.durable import remove, sync_file

if TYPE_CHECKING:
    from greynb.databases.mirrored import Contents
    from greynb.mirror import Changed
    from greynb.publish.steps import Told

WITHOUT: Final = "published without a columnar mirror, so that cells are slower: {}"


@dataclass(frozen=True, slots=True)
class Made:
    """A mirror on the disk.

    Attributes
    ----------
    contents
        What it holds.
    sha256
        Of its file, in hex.
    """

    contents: Contents
    sha256: str


def built(database: Path, told: Told) -> Made | str:
    """Build the mirror of a finished copy beside it, to the disk; or give why there is none.

    Parameters
    ----------
    database
        In the folder of the new version; nobody writes to it, and nobody else knows it.
    told
        Told the part done; may raise to stop.
    """
    from greynb import mirror

    target = database.with_name(MIRROR)
    remove(target)  # a copy of the one before, which was not to be used
    return _tried(target, lambda: mirror.build(database, target, told=told))


def copied(target: Path, build: Path, told: Told) -> None:
    """Copy the mirror of the version that users read, if it can be used, into the new version's folder.

    Done while staging is copied, it is there when what changed is known.

    Parameters
    ----------
    target
        The path that users open.
    build
        The folder of the new version.
    told
        Told from time to time; may raise to stop.
    """
    previous, _ = usable(target)
    before, mirror = previous.mirror() if previous else None, build / MIRROR
    if before is None:
        return
    try:
        told(0.0)
        shutil.copyfile(before, mirror)  # by the kernel: the staging file is copied meanwhile
    except OSError:
        remove(mirror)


def refreshed(database: Path, changed: Changed, told: Told) -> Made | str:
    """Make the mirror of that of the version before, where it was copied beside the database; else anew."""
    from greynb import mirror

    target = database.with_name(MIRROR)
    if target.exists():
        found = _tried(target, lambda: mirror.refresh(database, target, changed, told=told))
        if not isinstance(found, str):
            return found
    return _tried(target, lambda: mirror.build(database, target, known=changed.census, told=told))


def _tried(target: Path, make: Callable[[], Contents]) -> Made | str:
    """Make a mirror and wait for the disk; where that fails, leave nothing of it, and say why."""
    try:
        contents = make()
        sync_file(target)
        return Made(contents, sha256_of(target, lambda _: None))
    except (*REFUSALS, GreynbError, OSError, ValueError, MemoryError) as error:
        stop_if_interrupted(error)
        for left in target.parent.glob(f"{target.name}*"):
            remove(left)
        return str(error).partition("\n")[0]
