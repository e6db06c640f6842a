"""The columnar mirror of the version that is being published: made beside it, or the version goes without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greynb.databases.generations import MIRROR, Generation
from greynb.databases.relations import REFUSALS, stop_if_interrupted
from greynb.errors import GreynbError
from greynb.publish.durable import remove, sha256, sync_file

if TYPE_CHECKING:
    from greynb.databases.mirrored import Contents
    from greynb.mirror import Changed

Told = Callable[[float], None]
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
    return _tried(target, lambda: mirror.build(database, target, told=told))


def refreshed(previous: Generation, database: Path, changed: Changed, told: Told) -> Made | str:
    """Make the mirror from that of the version before, if there is one; else build it."""
    from greynb import mirror

    target, before = database.with_name(MIRROR), previous.mirror()
    if before is not None:
        found = _tried(target, lambda: mirror.refresh(before, database, target, changed, told=told))
        if not isinstance(found, str):
            return found
    return _tried(target, lambda: mirror.build(database, target, known=changed.census, told=told))


def _tried(target: Path, make: Callable[[], Contents]) -> Made | str:
    """Make a mirror and wait for the disk; where that fails, leave nothing of it, and say why."""
    try:
        contents = make()
        sync_file(target)
        return Made(contents, sha256(target, lambda _: None))
    except (*REFUSALS, GreynbError, OSError, ValueError, MemoryError) as error:
        stop_if_interrupted(error)
        for left in target.parent.glob(f"{target.name}*"):
            remove(left)
        return str(error).partition("\n")[0]
