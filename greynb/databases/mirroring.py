"""Whether a version is read from its columnar mirror, or from the SQLite file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Protocol

from greynb.errors import DatabaseError, QueryInterrupted

if TYPE_CHECKING:
    from greynb.databases.still import Snapshot

Mode = Literal["auto", "never", "require"]
ATTACHED: Final = "SQLite file"
BUILDING: Final = "SQLite file, its mirror is being built"


_SLICE: Final = 0.02


class Mirrors(Protocol):
    """Mirrors of versions that were not published with one."""

    @property
    def trouble(self) -> str:
        """Why the last build failed that did."""

    @property
    def folders(self) -> Sequence[Path]:
        """Where they may be."""

    def find(self, snapshot: Snapshot) -> Path | None:
        """The mirror of exactly this version, if it is ready."""

    def want(self, snapshot: Snapshot, *, hurry: bool = False) -> bool:
        """Begin to build the mirror of a version; tells whether there will be one.

        With `hurry` at once and with all cores, because somebody waits for it.
        """

    def discard(self, mirror: Path) -> None:
        """Remove a mirror that cannot be read."""

    def close(self) -> None:
        """Stop what is being built."""


class Mirroring:
    """What a session reads.

    Parameters
    ----------
    mirrors
        Where mirrors of versions come from that have none of their own.

    Attributes
    ----------
    mode
        ``"auto"``: the columnar mirror where there is one; where there is none, it is built meanwhile.
        ``"never"``: the SQLite file. ``"require"``: the mirror; where there is none, it is built first.
    note
        What is read where that is not the mirror, for the footer of results.
    """

    def __init__(self, mirrors: Mirrors | None) -> None:
        self._mirrors = mirrors
        self.mode: Mode = "auto"
        self.note = ""
        self._stop = threading.Event()

    @property
    def folders(self) -> Sequence[Path]:
        """Where mirrors may be that were not published with their version."""
        return self._mirrors.folders if self._mirrors else ()

    def of(self, snapshot: Snapshot, is_broken: Callable[[Path], bool]) -> Path | None:
        """The mirror to read for a version; None for its SQLite file.

        Parameters
        ----------
        snapshot
            The version.
        is_broken
            Whether a mirror could not be read before.

        Raises
        ------
        DatabaseError
            A mirror is required, and there is none.
        """
        self.note = ATTACHED
        if self.mode == "never":
            return None
        mirror = self._ready(snapshot, is_broken)
        if mirror is None and self._mirrors is not None:
            if self.mode == "require":
                mirror = self._awaited(self._mirrors, snapshot, is_broken)
            elif self._mirrors.want(snapshot):
                self.note = BUILDING
        self._check(mirror)
        return mirror

    def taken(self, mirror: Path | None) -> None:
        """Note what was attached in the end: a mirror that cannot be read is not.

        Raises
        ------
        DatabaseError
            A mirror is required, and there is none.
        """
        if mirror is not None:
            self.note = ""
        elif not self.note:
            self.note = ATTACHED
        self._check(mirror)

    def _check(self, mirror: Path | None) -> None:
        if mirror is None and self.mode == "require":
            why = f": {self._mirrors.trouble}" if self._mirrors and self._mirrors.trouble else ""
            raise DatabaseError(
                f"there is no columnar mirror of the analytics file, and none could be built{why}",
                hint="`%config Greynb.mirror = 'auto'` reads the SQLite file meanwhile",
            )

    def interrupt(self) -> None:
        """Stop waiting for a build."""
        self._stop.set()

    def close(self) -> None:
        """Stop what is being built."""
        if self._mirrors is not None:
            self._mirrors.close()

    def _awaited(
        self, mirrors: Mirrors, snapshot: Snapshot, is_broken: Callable[[Path], bool]
    ) -> Path | None:
        self._stop.clear()
        while (mirror := self._ready(snapshot, is_broken)) is None and mirrors.want(snapshot, hurry=True):
            if self._stop.wait(_SLICE):
                mirrors.close()
                raise QueryInterrupted("analytics: interrupted while the columnar mirror was built")
        return mirror

    def _ready(self, snapshot: Snapshot, is_broken: Callable[[Path], bool]) -> Path | None:
        if snapshot.mirror is not None and not is_broken(snapshot.mirror):
            return snapshot.mirror
        mirror = self._mirrors.find(snapshot) if self._mirrors else None
        if mirror is not None and self._mirrors is not None and is_broken(mirror):
            self._mirrors.discard(mirror)
            return None
        return mirror
