"""The columnar mirror of the analytics file that the environment names: its state, building, dropping."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from greynb.connections import mirrors, shelf, snapshot_source
from greynb.databases.generations import generation_at
from greynb.errors import DatabaseError, GreynbError
from greynb.locating import located
from greynb.routing import Settings

if TYPE_CHECKING:
    from greynb.routing import Route

State = Literal["fresh", "building", "stale", "none"]
_WORDS = {
    "fresh": "fresh",
    "building": "being built",
    "stale": "of an older version, not used",
    "none": "none; cells read the SQLite file, `greynb mirror build` makes one",
}


@dataclass(frozen=True, slots=True)
class MirrorStatus:
    """The mirror of the version that cells read now.

    Attributes
    ----------
    state
        ``"fresh"``: it is used. ``"building"``: it will be. ``"stale"``: there is one of another version
        only, which is never used. ``"none"``.
    published
        Whether it was published with the version.
    path
        The mirror; None where there is none of this version.
    bytes
        What it takes; where it was not published, with those of older versions.
    """

    state: State
    published: bool
    path: str | None
    bytes: int

    def as_dict(self) -> dict[str, object]:
        """The same as plain values."""
        return asdict(self)

    def __str__(self) -> str:
        size = f", {self.bytes / 1e6:,.1f} MB" if self.bytes else ""
        return f"mirror {_WORDS[self.state]}{size}"

    def __repr__(self) -> str:
        return str(self)


def status(route: Route | None = None) -> MirrorStatus:
    """Say whether cells have a mirror to read, without making anything."""
    route = route or Settings.current().route("analytics")
    generation = None if route.shared else generation_at(route.path)
    intact = generation is not None and generation.is_intact()
    if generation is not None and intact and (mirror := generation.mirror()) is not None:
        return MirrorStatus("fresh", True, str(mirror), mirror.stat().st_size)
    own = shelf(route)
    found, size = own.current(intact=intact), own.bytes()
    if found is not None:
        return MirrorStatus("fresh", False, str(found), size)
    return MirrorStatus("building" if own.building() else "stale" if size else "none", False, None, size)


def build(*, told: Callable[[float], None] = lambda _: None) -> MirrorStatus:
    """Build the mirror of the version that is newest now, unless there is one.

    Parameters
    ----------
    told
        Called several times a second with the part done, as far as that is known; what it raises stops it.

    Raises
    ------
    MissingDatabase, UnreadableDatabase
        There is no analytics file, or it cannot be read.
    DatabaseError
        The mirror cannot be built.
    """
    route = Settings.current().route("analytics")
    source, builder = snapshot_source(route), mirrors(route)
    try:
        snapshot = source.acquire()
        while snapshot.mirror is None and builder.find(snapshot) is None:
            if not builder.want(snapshot, hurry=True):
                raise DatabaseError(
                    f"the columnar mirror cannot be built: {builder.trouble}",
                    hint="cells read the SQLite file, which is slower",
                )
            told(0.0)
            time.sleep(0.05)
    except GreynbError as error:
        raise located(error, route) from error.__cause__
    finally:
        builder.close()
        source.close()
    return status(route)


def drop() -> int:
    """Remove the mirrors that were not published with a version; gives the bytes that were freed."""
    return shelf(Settings.current().route("analytics")).drop()
