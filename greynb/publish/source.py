"""Staging as a publication sees it, whatever serves it: a SQLite file or a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from greynb.databases.snapshot import SnapshotSource
from greynb.errors import GreynbError
from greynb.publish.full import check_room, check_source, copy_source, tidy
from greynb.publish.outside import Look, look, look_before_copying
from greynb.publish.steps import Steps

if TYPE_CHECKING:
    from greynb.databases.generations import Generation
    from greynb.postgres.snapshot import ServerLook
    from greynb.routing import Server

    Seen = Look | ServerLook
    Place = Path | Server


@dataclass(frozen=True, slots=True)
class Copy:
    """What came of a copy.

    Attributes
    ----------
    state
        What was copied, for the manifest.
    hashes
        The content hash of each table of staging, where that was asked for.
    notices
        What the user should know.
    reason
        Why not only what changed was read; empty where only that was, or the source knows no such thing.
    """

    state: dict[str, object]
    hashes: Mapping[str, str | None]
    notices: tuple[str, ...] = ()
    reason: str = ""


@runtime_checkable
class Source(Protocol):
    """Staging."""

    @property
    def place(self) -> Place:
        """What serves it, for messages."""

    def check(self) -> None:
        """Raise `DatabaseError` where there is nothing to copy."""

    def is_file(self, target: Path) -> bool:
        """Whether it is the file that analytics is, so that there is nothing to publish."""

    def look(self) -> Seen | None:
        """Something that differs after each commit; None where staging is not there.

        Raises OSError or `DatabaseError` where it cannot be looked at.
        """

    def look_before_copying(self) -> Seen | None:
        """The same; whatever is committed after this call makes the next look differ."""

    def room(self, folder: Path) -> int:
        """Bytes that a copy takes, about; raises `PublishError` where the folder has less."""

    def copy(self, database: Path, steps: Steps, *, verify: bool, before: Generation | None) -> Copy:
        """Write what staging holds now to a SQLite file, while its writers go on.

        `before` is the version that readers have, where only what changed since need be read.
        """

    def held(self) -> AbstractContextManager[Path]:
        """A SQLite file with what staging holds now, for the block."""

    def watched(self) -> AbstractContextManager[None]:
        """For the block, looks come often, and should cost little."""


def source_of(place: Place | Source) -> Source:
    """Staging that is served by a file or server; itself where it is a `Source` already."""
    if isinstance(place, Path):
        return FileSource(place)
    if isinstance(place, Source):
        return place
    from greynb.publish.serversource import ServerSource

    return ServerSource(place)


def seen_of(values: Mapping[str, object]) -> Seen:
    """The look that was written down; raises TypeError where it is none."""
    if "snapshot" not in values:
        return Look(**values)  # type: ignore[arg-type]  # a wrong name is the TypeError
    from greynb.postgres.snapshot import ServerLook

    return ServerLook(**values)  # type: ignore[arg-type]


class FileSource:
    """Staging in a SQLite file."""

    def __init__(self, path: Path) -> None:
        self.place = path.absolute()

    def check(self) -> None:
        """Refuse what is no file."""
        check_source(self.place)

    def is_file(self, target: Path) -> bool:
        """Whether the two are one, also by other names."""
        return target.exists() and self.place.exists() and self.place.samefile(target)

    def look(self) -> Look | None:
        """Look at the files from outside."""
        return look(self.place)

    def look_before_copying(self) -> Look | None:
        """Tidy up the log, look, and wait for the clock of the file system."""
        tidy(self.place)
        return look_before_copying(self.place)

    def room(self, folder: Path) -> int:
        """The size of the file and its log."""
        return check_room(self.place, folder)

    def copy(self, database: Path, steps: Steps, *, verify: bool, before: Generation | None) -> Copy:
        """Copy all pages: what changed is found by comparing them afterwards."""
        return Copy(*copy_source(self.place, database, steps, verify=verify))

    @contextmanager
    def held(self) -> Iterator[Path]:
        """A private copy, removed after the block."""
        with closing(SnapshotSource(self.place, shared=True)) as copies:
            try:
                held = copies.acquire()
            except GreynbError as error:
                raise error.at(role="staging", path=self.place) from error.__cause__
            yield held.path

    def watched(self) -> AbstractContextManager[None]:
        """A look at a file costs little anyway."""
        return nullcontext()
