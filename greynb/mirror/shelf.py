"""Where mirrors stand of analytics files that were not published with one.

::

    .races.db.mirror/          beside races.db; where nothing can be written there, in the user's cache folder
      3f9c….duckdb 3f9c….json  the mirror of the file with that fingerprint, and how it is known to be that
      builder.lock             one builder at a time, whatever process it is in

The fingerprint holds size, time, identity and header of the file and what there is beside it. Everything that
writes to a file also changes its ctime, which a fingerprint leaves out, because hard links change it too. So
the JSON lists the ctimes at which the file is known to be the one that was mirrored; at any other its sha256
is looked at before the mirror is used.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb

from greynb.databases.filehash import sha256_of
from greynb.databases.fingerprint import Watched, ctimes
from greynb.databases.generations import own_target
from greynb.databases.mirrored import FORMAT
from greynb.databases.oslock import FileLock, try_lock

if TYPE_CHECKING:
    from greynb.databases.still import Snapshot

CACHE_BYTES: Final = 8 << 30
"""What mirrors take at most in the user's cache folder, all files together."""
KEPT: Final = 2
"""Mirrors of a path that stay: two notebooks may keep to different versions of it."""
SOON_READ: Final = 128 << 20
"""Bytes that are hashed while a cell waits: 0.1 s. More is hashed meanwhile, and the cell reads the file."""
BUILD: Final = ".build-"
LOCK: Final = "builder.lock"
Stamp = list[int]


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of the file that was mirrored.

    Attributes
    ----------
    stamps
        The ctimes, in ns, of the file and of what stands beside it, at which it was the one mirrored.
    sha256
        Of its content in hex; empty where not all of that is in one file.
    """

    stamps: list[Stamp]
    sha256: str


class Shelf:
    """The mirrors of one analytics path.

    Parameters
    ----------
    path
        The analytics path.
    cache
        A folder for mirrors that cannot stand beside their file.
    """

    def __init__(self, path: Path, cache: Path) -> None:
        self._path = target = own_target(path)
        name = hashlib.blake2s(str(target).encode(), digest_size=8).hexdigest()
        self._beside = Path(os.path.realpath(target.parent)) / f".{target.name}.mirror"
        self._cache = cache / f"{name}-{target.name}"

    @property
    def folders(self) -> tuple[Path, Path]:
        """Where a mirror may stand."""
        return self._beside, self._cache

    def find(self, snapshot: Snapshot) -> Path | None:
        """The mirror of a version, if its file is known, or soon found, to be the one mirrored."""
        for mirror, label in self._standing(key(snapshot)):
            if stamp(snapshot) in label.stamps:
                return mirror
            if label.sha256 and snapshot.path.stat().st_size <= SOON_READ:
                return self.confirm(snapshot)
        return None

    def confirm(self, snapshot: Snapshot) -> Path | None:
        """`find`, but where only ctimes differ, look at the content; remove the mirror of another one."""
        for mirror, label in self._standing(key(snapshot)):
            now = stamp(snapshot)
            if now in label.stamps:
                return mirror
            if label.sha256 and snapshot.kind != "copy" and sha256_of(snapshot.path) == label.sha256:
                with suppress(OSError):
                    _write(mirror, Label([*label.stamps[-7:], now], label.sha256))
                return mirror
            _remove(mirror)
        return None

    def lock(self) -> FileLock | None:
        """Be the only builder; None where another one is at work. Raises OSError as `home` does."""
        return try_lock(self.home() / LOCK, create=True)

    def home(self) -> Path:
        """The folder for a new mirror, made if need be; raises OSError where there is none to be had."""
        with suppress(OSError):
            self._beside.mkdir(mode=0o700, exist_ok=True)
            if os.access(self._beside, os.W_OK):
                return self._beside
        self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._cache

    def current(self, *, intact: bool = False) -> Path | None:
        """The mirror of the file as it is now; its content is read where only ctimes differ.

        `intact` says that it is a published version, as that was published.
        """
        try:
            now = Watched(self._path.resolve())
        except OSError:
            return None
        try:
            version = _named(_generation(now.path) if intact else now.fingerprint())
            for mirror, label in self._standing(version):
                if list(ctimes(now.path)) in label.stamps or label.sha256 == sha256_of(now.path):
                    return mirror
        finally:
            now.close()
        return None

    def label(self, snapshot: Snapshot) -> Label:
        """What is to be known of a version that is about to be mirrored."""
        whole = snapshot.kind != "copy"
        return Label([stamp(snapshot)], sha256_of(snapshot.path) if whole else "")

    def put(self, built: Path, snapshot: Snapshot, label: Label) -> None:
        """Place a finished mirror, and remove those of versions before the last two.

        POSIX keeps a removed file for those who have it open; on Windows it stays until the next time.
        """
        mirror = built.with_name(f"{key(snapshot)}.duckdb")
        _flush(built)
        built.replace(mirror)
        _write(mirror, label)
        others = (other for other in mirror.parent.glob("*.duckdb") if not other.name.startswith(BUILD))
        for other in sorted(others, key=_written)[:-KEPT]:
            _remove(other)
        if mirror.parent == self._cache:
            _evict(self._cache.parent, mirror.parent)

    def drop(self) -> int:
        """Remove all mirrors of the path that were not published with it; gives the bytes that were freed."""
        freed = self.bytes()
        for folder in self.folders:
            for path in [*folder.glob("*"), *folder.glob(f"{BUILD}*")]:
                if path.name != LOCK:  # a builder may hold it
                    with suppress(OSError):
                        path.unlink(missing_ok=True)
        return freed

    def discard(self, mirror: Path) -> None:
        """Remove one mirror."""
        _remove(mirror)

    def bytes(self) -> int:
        """What the mirrors take."""
        return sum(_size(folder) for folder in self.folders)

    def building(self) -> bool:
        """Whether a builder is at work, in this process or another one."""
        for folder in self.folders:
            try:
                lock = try_lock(folder / LOCK)
            except OSError:
                continue
            if lock is None:
                return True
            lock.release()
        return False

    def _standing(self, name: str) -> Iterator[tuple[Path, Label]]:
        for folder in self.folders:
            mirror = folder / f"{name}.duckdb"
            label = _label(mirror)
            if label is not None and mirror.exists():
                yield mirror, label


def key(snapshot: Snapshot) -> str:
    """What names the mirror of a version."""
    if snapshot.kind == "generation":
        return _named(_generation(snapshot.path))
    return _named(snapshot.id.partition("-")[2])


def _generation(database: Path) -> str:
    found = database.stat()
    return f"{database.parent.name}-{found.st_size}-{found.st_mtime_ns}"


def _named(version: str) -> str:
    """A version, and who can read its mirror."""
    return f"{version}-{FORMAT}-{duckdb.__version__}"


def stamp(snapshot: Snapshot) -> Stamp:
    """The ctimes that tell whether a file is still the one mirrored; a private copy stays what it is."""
    if snapshot.kind == "copy":
        return list(snapshot.ctimes)
    return list(ctimes(snapshot.path if snapshot.kind == "generation" else snapshot.source))


def _label(mirror: Path) -> Label | None:
    try:
        return Label(**json.loads(mirror.with_suffix(".json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write(mirror: Path, label: Label) -> None:
    scratch = mirror.with_name(f".label-{os.getpid()}.json")
    scratch.write_text(json.dumps(asdict(label)), encoding="utf-8")
    scratch.replace(mirror.with_suffix(".json"))


def _flush(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _remove(mirror: Path) -> None:
    for path in (mirror.with_suffix(".json"), mirror):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.glob("*") if each.is_file())


def _evict(cache: Path, kept: Path) -> None:
    """Remove the folders that were not used for longest, until the rest is small enough."""
    folders: list[tuple[float, int, Any]] = []
    for folder in cache.iterdir():
        with suppress(OSError):
            used = max((each.stat().st_mtime for each in folder.iterdir()), default=0.0)
            folders.append((time.time() if folder == kept else used, _size(folder), folder))
    total = sum(size for _, size, _ in folders)
    for _, size, folder in sorted(folders, key=lambda each: each[0]):
        if total <= CACHE_BYTES or folder == kept:
            return
        shutil.rmtree(folder, ignore_errors=True)
        total -= size
