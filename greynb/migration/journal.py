"""What a migration has done so far, in a hidden folder beside the file that it makes.

::

    greyhound_racing_data_stage.db
    .greyhound_racing_data_stage.db.migration/
      lock        held while a migration is at work
      copy.db     the copy while it is made
      state.json  what was done; replaced in one step
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Literal, Self

from greynb.databases.descriptors import identity_of
from greynb.databases.oslock import try_lock
from greynb.errors import DatabaseError
from greynb.migration.contents import Content
from greynb.publish.durable import sync_file, sync_folder

_FORMAT: Final = 1
_LOCK: Final = "lock"
_STATE: Final = "state.json"

Stage = Literal["copied", "verified", "done"]


@dataclass(frozen=True, slots=True)
class State:
    """What was done.

    Attributes
    ----------
    source, target, analytics
        The files; `analytics` is None on the way back to one database.
    identity
        Device and inode of the file that was made.
    content
        What was copied.
    seen
        What the source looked like before it was copied.
    stage
        ``"copied"``: the file has its name, or is about to get it. ``"verified"``: so is analytics, and only
        the ``.env`` file is left. ``"done"``: all is.
    """

    source: str
    target: str
    analytics: str | None
    identity: tuple[int, int]
    content: Content
    seen: dict[str, int | str] | None
    stage: Stage

    def made(self, path: Path) -> bool:
        """Whether a file is the one that the migration made, as it was or written to since."""
        return identity_of(path) == self.identity

    def at(self, stage: Stage) -> Self:
        """The same at another stage."""
        return replace(self, stage=stage)


class Journal:
    """The hidden folder of one migration; see `migrating`."""

    def __init__(self, target: Path) -> None:
        real = target.resolve()
        self.folder = real.with_name(f".{real.name}.migration")
        self.copy = self.folder / "copy.db"

    def read(self) -> State | None:
        """What was done; None where there is nothing, or nothing that can be read."""
        try:
            parts = json.loads((self.folder / _STATE).read_text(encoding="utf-8"))
            if parts.pop("format") != _FORMAT:
                return None
            return State(**{**parts, "identity": tuple(parts["identity"])})
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def write(self, state: State) -> State:
        """Write down what was done, durably and in one step."""
        new = self.folder / f"{_STATE}.new"
        new.write_text(json.dumps({"format": _FORMAT, **asdict(state)}, indent=1), encoding="utf-8")
        sync_file(new)
        new.replace(self.folder / _STATE)
        sync_folder(self.folder)
        return state


@contextmanager
def migrating(target: Path) -> Iterator[Journal]:
    """Be the only one that migrates to `target` during the block.

    Raises
    ------
    DatabaseError
        Somebody else is, or the folder cannot be written.
    """
    journal = Journal(target)
    try:
        journal.folder.mkdir(exist_ok=True)
        lock = try_lock(journal.folder / _LOCK, create=True)
    except OSError as error:
        raise DatabaseError(
            f"nothing can be written beside the new database ({error.strerror})", path=journal.folder
        ) from error
    if lock is None:
        raise DatabaseError("another migration to this file is at work", path=target, hint="let it finish")
    try:
        yield journal
    finally:
        lock.release()
        with suppress(OSError):
            if os.listdir(journal.folder) == [_LOCK]:  # noqa: PTH208 - nothing was begun
                (journal.folder / _LOCK).unlink()
                journal.folder.rmdir()
