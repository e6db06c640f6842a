"""Building mirrors while cells go on, for files that were not published with one."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greynb.mirror.alone import BuilderProcess
from greynb.mirror.shelf import BUILD, Shelf, key

if TYPE_CHECKING:
    from greynb.databases.still import Snapshot

SOON: Final = 0.3
"""Seconds before a build begins: the cell that asked for it goes first."""
LATER: Final = 2.0
"""Seconds until a build is tried again that found no room."""
AT_REST: Final = 2.0
"""Seconds that a file which is being written must rest before it is worth a build."""
_SLICE: Final = 0.05


class _Stopped(Exception):
    """Raised to end a build that is not wanted any more."""


class BackgroundMirrors:
    """Finds the mirrors of one analytics path, and builds the one that is missing on a thread of its own.

    Parameters
    ----------
    shelf
        Where they stand.

    Attributes
    ----------
    trouble
        Why the last build failed that did; empty where none has.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._lock = threading.Lock()
        self._job: _Job | None = None
        self._failed: set[str] = set()
        self._discarded: set[str] = set()
        self._not_before = 0.0
        self.trouble = ""

    @property
    def folders(self) -> Sequence[Path]:
        """Where mirrors may be."""
        return self._shelf.folders

    def find(self, snapshot: Snapshot) -> Path | None:
        """The mirror of exactly this version, if it is ready."""
        return self._shelf.find(snapshot)

    def want(self, snapshot: Snapshot, *, hurry: bool = False) -> bool:
        """Begin to build the mirror of a version; tells whether there will be one.

        With `hurry` at once and with all cores, because somebody waits for it. The build of another version
        of the path is given up.
        """
        name = key(snapshot)
        with self._lock:
            if name in self._failed or time.monotonic() < self._not_before:
                return False
            if self._job is None or self._job.name != name or self._job.done.is_set():
                if self._job is not None:
                    self._job.stop()
                self._job = _Job(self, self._shelf, snapshot, name)
            self._job.start(hurry=hurry)
        return True

    def discard(self, mirror: Path) -> None:
        """Remove a mirror that cannot be read; the second time, no other is built in its place."""
        self._shelf.discard(mirror)
        with self._lock:
            if mirror.stem in self._discarded:
                self._failed.add(mirror.stem)
            self._discarded.add(mirror.stem)

    def failed(self, name: str, reason: str, *, for_good: bool) -> None:
        """Note that a mirror could not be built; unless it was for good, it is tried again a little later."""
        with self._lock:
            self.trouble = reason
            if for_good:
                self._failed.add(name)
            else:
                self._not_before = time.monotonic() + LATER

    def close(self) -> None:
        """Stop what is being built, and wait for its end."""
        with self._lock:
            job, self._job = self._job, None
        if job is not None:
            job.stop()
            job.done.wait(5.0)


class _Job:
    """The build of one mirror."""

    def __init__(self, mirrors: BackgroundMirrors, shelf: Shelf, snapshot: Snapshot, name: str) -> None:
        self.name = name
        self.hurried = False
        self.done = threading.Event()
        self._shelf = shelf
        self._snapshot = snapshot
        self._mirrors = mirrors
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, *, hurry: bool) -> None:
        """Begin, unless it has begun; without delay if somebody waits."""
        self.hurried = self.hurried or hurry
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="greynb mirror", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Give it up."""
        self._stop.set()

    def _run(self) -> None:
        try:
            self._rest(AT_REST if self._snapshot.kind == "copy" else SOON)
            self._build()
        except _Stopped:
            pass
        except OSError as error:  # no room, or no folder that may be written
            self._mirrors.failed(self.name, f"{error.strerror}: {error.filename}", for_good=False)
        except Exception as error:  # the SQLite file can still be read: a mirror only makes that quicker
            self._mirrors.failed(self.name, str(error), for_good=True)
        finally:
            self.done.set()

    def _rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self.hurried and time.monotonic() < end:
            self._told()
            time.sleep(_SLICE)

    def _told(self) -> None:
        if self._stop.is_set():
            raise _Stopped

    def _build(self) -> None:
        while (lock := self._shelf.lock()) is None:  # another process builds; perhaps this very one
            self._told()
            time.sleep(_SLICE)
        try:
            if self._shelf.confirm(self._snapshot) is not None:
                return
            for left in self._shelf.home().glob(f"{BUILD}*"):  # of builders that died
                with suppress(OSError):
                    left.unlink()
            scratch = self._shelf.home() / f"{BUILD}{self.name}.duckdb"
            label = self._shelf.label(self._snapshot)
            try:
                if not self._built(scratch) or not self._snapshot.witness.is_whole():
                    reason = "the file was written to meanwhile, or DuckDB cannot read it"
                    self._mirrors.failed(self.name, reason, for_good=True)
                else:
                    self._shelf.put(scratch, self._snapshot, label)
            finally:
                scratch.unlink(missing_ok=True)
        finally:
            lock.release()

    def _built(self, scratch: Path) -> bool:
        """Build in another process, which is ended if the mirror is not wanted any more."""
        threads = 2 if self.hurried else 1
        process = BuilderProcess(self._snapshot.path, scratch, threads)
        try:
            while (built := process.ended(_SLICE)) is None:
                self._told()
            return built
        except BaseException:
            process.kill()
            raise
