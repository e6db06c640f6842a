"""The columnar mirror of the version that is being published: made beside it, or the version goes without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greynb.databases.generations import MIRROR, Generation
from greynb.databases.relations import REFUSALS, stop_if_interrupted
from greynb.errors import GreynbError
from greynb.publish.durable import remove

if TYPE_CHECKING:
    from greynb.databases.mirrored import Contents
    from greynb.mirror import Changed

Told = Callable[[float], None]
WITHOUT: Final = "published without a columnar mirror, so that cells are slower: {}"


def built(database: Path, told: Told) -> Contents | str:
    """Build the mirror of a finished copy beside it; gives what it holds, or why there is none.

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


def refreshed(previous: Generation, database: Path, changed: Changed, told: Told) -> Contents | str:
    """Make the mirror from that of the version before, if there is one; else build it."""
    from greynb import mirror

    target, before = database.with_name(MIRROR), previous.mirror()
    if before is not None:
        found = _tried(target, lambda: mirror.refresh(before, database, target, changed, told=told))
        if not isinstance(found, str):
            return found
    return _tried(target, lambda: mirror.build(database, target, known=changed.census, told=told))


def _tried(target: Path, make: Callable[[], Contents]) -> Contents | str:
    """Make a mirror; where that fails, leave nothing of it, and say why."""
    try:
        return make()
    except (*REFUSALS, GreynbError, OSError, ValueError, MemoryError) as error:
        stop_if_interrupted(error)
        for left in target.parent.glob(f"{target.name}*"):
            remove(left)
        return str(error).partition("\n")[0]
