"""One consistent, still version of the analytics file for one cell.

=====================================  ==========================================================
the path leads to                      what a cell opens
=====================================  ==========================================================
an intact generation                   its file, found once; the publisher never changes it
a file that stands still               a hard link of it: no copy of gigabytes
a live file: WAL, a journal, written   a private copy, made again after the next commit
now, open here, or both roles in one
=====================================  ==========================================================

Nothing is created or changed at the source. SQLite itself would: a read-only connection to a database in WAL
makes ``-wal`` and ``-shm`` files and leaves them there, and one that finds a hot journal fails. So SQLite
opens a source only where its ``-shm`` exists already (somebody has it open) or where it is not in WAL; in all
other cases nobody has it open, and it is copied file by file and repaired in the copy. That also serves
folders that are read-only.

A hard link must be on the file's own file system: it is made in the temporary folder where that is the same
one, else in a hidden folder beside the file, else (no right to, no hard links) a private copy is made, with a
notice. Private folders go away with `close`, or are swept by the next session after a crash.
Two SQLite libraries in one process drop each other's POSIX locks: DuckDB gets no live file, and none that
other code of this process has open, which is asked again before each cell.
"""

from __future__ import annotations

import os
import stat
import tempfile
import threading
import time
import weakref
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from greynb.databases.copying import copy_files
from greynb.databases.fingerprint import FileState, Watched, ctimes
from greynb.databases.generations import Generation, generation_at
from greynb.databases.pinning import StillWitness, named_generation, whole
from greynb.databases.private import PrivateFolder, discard
from greynb.databases.privatecopy import private_copy, settled
from greynb.databases.still import Snapshot, let_go
from greynb.databases.witness import LinkWitness, Witness, lease
from greynb.errors import MissingDatabase, UnreadableDatabase

__all__ = ["Snapshot", "SnapshotSource"]

_ATTEMPTS: Final = 20
_PAUSE: Final = 0.005
_WRITTEN_IN_PLACE: Final = (
    "the published file was written to by something else than `greynb sync`; it is read as it is now"
)
_NO_LINK: Final = "no hard link can be made to the file, so a private copy of it is read"
_EMPTY: Final = "the file is empty: a database without tables"


class SnapshotSource:
    """Hands out snapshots of one path; safe to use from several threads.

    Parameters
    ----------
    path
        What the user named. It need not exist yet.
    shared
        Whether staging is the same file, so that it is written in place at any time.
    """

    def __init__(self, path: Path, *, shared: bool) -> None:
        self.path = path.absolute()
        self._shared = shared
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._folders: dict[Path, PrivateFolder] = {}
        self._held: list[Snapshot] = []
        weakref.finalize(self, let_go, os.getpid(), self._held, self._folders)
        self._newest: Snapshot | None = None
        self._pinned: Snapshot | None = None

    def acquire(self) -> Snapshot:
        """The pinned version, else the newest; the same object as before while nothing has changed.

        Raises
        ------
        MissingDatabase, UnreadableDatabase
            The file is not there; is not SQLite, damaged, or may not be read.
        DatabaseError, DatabaseLocked
            The pinned version was written to; another process kept the file locked for 10 s.
        QueryInterrupted
            `interrupt` was called meanwhile.
        """
        with self._lock:
            if self._pinned is not None:
                return whole(self._pinned)
            if self._newest is not None:
                if self._newest.witness.is_newest():
                    return self._newest
                self._newest = None
            self._stop.clear()
            self._newest = self._hold(self._generation() or self._loose())
            return self._newest

    @property
    def pinned(self) -> Snapshot | None:
        """The version that `pin` keeps."""
        return self._pinned

    def pin(self, version: str | Snapshot | None = None) -> Snapshot:
        """Keep to one version until `unpin`.

        Parameters
        ----------
        version
            The name or number of a published version; what another source has pinned; or None for the one
            that is newest now. A file that was not published by greynb is kept as a private copy.

        Raises
        ------
        MissingDatabase
            There is no such version; the hint lists those that are there. Otherwise like `acquire`.
        """
        with self._lock:
            self._stop.clear()
            if isinstance(version, Snapshot) and version.kind != "generation":
                kept = self._same(version)
            elif version is None:
                kept = self._generation() or self._copy()
            else:
                kept = self._named(version.id if isinstance(version, Snapshot) else version)
            self._newest, self._pinned = None, self._hold(kept)
            return kept

    def unpin(self) -> None:
        """Go on with the newest version."""
        with self._lock:
            self._pinned = self._newest = None

    def still_valid(self, snapshot: Snapshot) -> bool:
        """Whether what was read from a snapshot until now was all of one version."""
        return snapshot.witness.is_whole()

    def copy(self) -> Snapshot:
        """A private copy of the version in use, for a file that is being written; raises like `acquire`."""
        with self._lock:
            self._stop.clear()
            if self._pinned is not None:
                self._pinned = self._hold(self._same(whole(self._pinned)))
                return self._pinned
            self._newest = self._hold(self._copy())
            return self._newest

    def interrupt(self) -> None:
        """Stop a wait or a copy that runs in another thread; harmless when none does."""
        self._stop.set()

    def close(self) -> None:
        """Let go of everything and remove the private files."""
        with self._lock:
            self._newest = self._pinned = None
            let_go(os.getpid(), self._held, self._folders)

    def _copy(self) -> Snapshot:
        origin = self._origin()
        return self._copied(origin, self._notices(origin.state()))

    def _same(self, snapshot: Snapshot) -> Snapshot:
        """A private copy of a file that stands still, under the same id."""
        path = self._folder(Path(tempfile.gettempdir())).new_file()
        copy_files(snapshot.path, path, stop=self._stop)
        return replace(snapshot, path=path, kind="copy", mirror=None, witness=StillWitness())

    def _hold(self, snapshot: Snapshot) -> Snapshot:
        """Remember a new snapshot, and let go of all but its predecessor, which is still attached."""
        self._held.append(snapshot)
        while len(self._held) > 2:
            old = self._held.pop(0)
            old.witness.close()
            if old.kind != "generation":
                discard(old.path)
        return snapshot

    def _generation(self) -> Snapshot | None:
        """The published generation; None where the path leads to something else."""
        if self._shared:
            return None
        for _ in range(_ATTEMPTS):
            generation = generation_at(self.path)
            if generation is None or generation.manifest is None or not generation.is_intact():
                return None
            snapshot = self._leased(generation)
            if snapshot is not None:
                return snapshot
            time.sleep(_PAUSE)  # removed in this moment, or just looked at by `greynb history`
        return None

    def _named(self, version: str) -> Snapshot:
        """A published version by its name or number."""
        for _ in range(_ATTEMPTS):
            snapshot = self._leased(named_generation(self.path, version))
            if snapshot is not None:
                return snapshot
            time.sleep(_PAUSE)
        raise MissingDatabase(f"{version} is being removed", path=self.path)

    def _leased(self, generation: Generation) -> Snapshot | None:
        """A generation that stays while it is in use; None where that cannot be had now."""
        witness = lease(self.path, generation)
        if witness is None or generation.manifest is None:
            return None
        return Snapshot(
            path=generation.database,
            id=generation.manifest.id,
            kind="generation",
            source=self.path,
            published=generation.manifest.published,
            census=generation.manifest.tables(),
            mirror=generation.mirror(),
            witness=witness,
        )

    def _loose(self) -> Snapshot:
        """A snapshot of a file that no manifest describes."""
        origin = self._origin()
        state = settled(origin)
        notices = self._notices(state)
        live = self._shared or state.is_wal or state.is_young or origin.side_files()
        if live or origin.is_open_elsewhere():
            return self._copied(origin, notices)
        link = self._link(origin.path)
        if link is None:
            return self._copied(origin, (*notices, _NO_LINK))
        witness = LinkWitness(self.path, origin, link)
        name = f"file-{origin.fingerprint()}"
        return self._snapshot(name, link, witness.state, witness, notices)

    def _origin(self) -> Watched:
        """The file behind the path, opened to be looked at, once it is known to be a database."""
        real = Path(os.path.realpath(self.path))
        try:
            if not stat.S_ISREG(real.stat().st_mode):
                raise UnreadableDatabase("the path is not a file", path=self.path)
            origin = Watched(real)
        except (FileNotFoundError, NotADirectoryError):
            raise MissingDatabase("the database does not exist", path=self.path) from None
        except OSError as error:
            raise UnreadableDatabase(
                f"the database may not be read ({error.strerror})",
                path=self.path,
                hint="check the permissions of the file and its folder",
            ) from error
        if not origin.state().is_sqlite:
            origin.close()
            raise UnreadableDatabase("the file is not a SQLite database, or it is encrypted", path=self.path)
        return origin

    def _notices(self, state: FileState) -> tuple[str, ...]:
        generation = None if self._shared else generation_at(self.path)
        written = generation is not None and generation.manifest is not None and not generation.is_intact()
        return (*((_WRITTEN_IN_PLACE,) if written else ()), *(() if state.size else (_EMPTY,)))

    def _link(self, real: Path) -> Path | None:
        device = real.stat().st_dev
        for parent in (Path(tempfile.gettempdir()), real.parent):
            try:
                if parent.stat().st_dev == device:
                    link = self._folder(parent).new_file()
                    os.link(real, link)
                    return link
            except OSError:
                continue
        return None

    def _copied(self, origin: Watched, notices: tuple[str, ...]) -> Snapshot:
        before = origin.fingerprint(), ctimes(origin.path)
        made = private_copy(self.path, origin, self._folder(Path(tempfile.gettempdir())), self._stop)
        steady = before == (origin.fingerprint(), ctimes(origin.path)) and made.witness.is_newest()
        # A commit beside the copy: no other copy may be taken for the same as this one.
        name = f"copy-{before[0]}" if steady else f"copy-{before[0]}.{time.time_ns():x}"
        copy = self._snapshot(name, made.path, made.state, made.witness, notices)
        return replace(copy, ctimes=before[1])

    def _snapshot(
        self, name: str, path: Path, state: FileState, witness: Witness, notices: tuple[str, ...]
    ) -> Snapshot:
        return Snapshot(
            path=path,
            id=name,
            kind="copy" if name.startswith("copy-") else "link",
            source=self.path,
            published=datetime.fromtimestamp(state.mtime_ns / 1e9, UTC),
            census=None,
            notices=notices,
            witness=witness,
        )

    def _folder(self, parent: Path) -> PrivateFolder:
        return self._folders.get(parent) or self._folders.setdefault(parent, PrivateFolder(parent))
