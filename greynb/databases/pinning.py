"""Finding the version to pin, and a private copy that stays as it is."""

from __future__ import annotations

from pathlib import Path

from greynb.databases.generations import (
    Generation,
    generation_at,
    generation_name,
    generations,
    home_of,
    own_target,
)
from greynb.databases.still import Snapshot
from greynb.errors import DatabaseError, MissingDatabase


class StillWitness:
    """A private copy that somebody pinned: whole for ever, and never the newest version."""

    def is_newest(self) -> bool:
        """Never: what the user's path leads to is not looked at."""
        return False

    def is_whole(self) -> bool:
        """Always: nobody else knows the copy."""
        return True

    def close(self) -> None:
        """Let go of nothing."""


def named_generation(path: Path, version: str) -> Generation:
    """The intact generation of that name, or number.

    Raises
    ------
    MissingDatabase
        There is none; the hint lists those that are there.
    """
    name = generation_name(int(version)) if version.isascii() and version.isdigit() else version
    there = list(generations(home_of(own_target(path))))
    found = next((each for each in there if each.folder.name == name), None)
    if found is not None and found.is_intact():
        return found
    names = ", ".join(each.folder.name for each in there if each.is_intact())
    raise MissingDatabase(
        f"version {name} is not what was published any more" if found else f"there is no version {name}",
        path=path,
        hint=f"versions: {names}" if names else "no version was published here; `%greynb pin` keeps the file",
    )


def newer_than(path: Path, pinned: str) -> str | None:
    """What users without a pin read now, in words; None where that is the pinned version."""
    newest = generation_at(path)
    if newest is None or not newest.is_intact():
        return None
    name = newest.folder.name
    return None if name == pinned else f"pinned to {pinned}, newest is {name}; `%greynb unpin` goes there"


def whole(snapshot: Snapshot) -> Snapshot:
    """A pinned version as long as it is what was pinned; never another one in its place."""
    if not snapshot.witness.is_whole():
        raise DatabaseError(
            f"the pinned version {snapshot.id} was written to",
            path=snapshot.source,
            hint="`%greynb unpin` goes back to the newest version",
        )
    return snapshot
