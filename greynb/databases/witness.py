"""What a snapshot remembers of its origin, to tell whether it is still the newest and still whole."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Protocol

from greynb.databases.descriptors import Identity, hold, identity_of
from greynb.databases.fingerprint import FileState, Watched
from greynb.databases.generations import MANIFEST, Generation
from greynb.databases.oslock import FileLock, try_lock

Index = tuple[Identity, bytes]
"""Device and inode of a ``-shm``, and its head."""
_INDEX_HEAD: Final = 96
"""Bytes of the two copies of the head, which differ only while one is being written."""


class Witness(Protocol):
    """The two questions about a snapshot."""

    def is_newest(self) -> bool:
        """Whether its origin has not changed since."""

    def is_whole(self) -> bool:
        """Whether the file that was opened has not changed since."""

    def close(self) -> None:
        """Let go of what is held."""


class GenerationWitness:
    """A published generation, kept from being removed while this is open.

    Parameters
    ----------
    path
        The user's path.
    generation
        What it led to; intact.
    lease
        A shared lock on its manifest, which the publisher's clean-up respects; None where the file system
        knows no locks.
    """

    def __init__(self, path: Path, generation: Generation, lease: FileLock | None) -> None:
        assert generation.manifest is not None
        self._path = path
        self._real = os.path.realpath(path)
        self._generation = generation
        self._identity = identity_of(self._real)
        self._lease = lease

    def is_newest(self) -> bool:
        """Whether the user's path leads to the same, unchanged file."""
        return (
            os.path.realpath(self._path) == self._real
            and identity_of(self._real) == self._identity
            and self.is_whole()
        )

    def is_whole(self) -> bool:
        """Whether the file is as the manifest says: something may write through the symbolic link."""
        return self._generation.is_intact()

    def close(self) -> None:
        """Allow the generation to be removed."""
        if self._lease is not None:
            self._lease.release()


class LinkWitness:
    """A hard link to a file that stood still.

    Parameters
    ----------
    path, origin
        The user's path, and the file it led to.
    link
        The hard link, which keeps showing the same version when the origin is replaced.
    """

    def __init__(self, path: Path, origin: Watched, link: Path) -> None:
        self._path = path
        self._origin = origin
        self._linked = Watched(link)
        self.state = self._linked.state()

    def is_newest(self) -> bool:
        """Whether the user's path leads to the same, unchanged file, which is safe to open in DuckDB.

        Its SQLite would drop the locks of a connection that this process has opened since.
        """
        return (
            _same_file(self._path, self._origin, self.state)
            and not self._origin.side_files()
            and not self._origin.is_open_elsewhere()
        )

    def is_whole(self) -> bool:
        """Whether nobody wrote to the linked file, or began to."""
        try:
            return self._linked.state().same_content(self.state) and not self._origin.side_files()
        except OSError:
            return False

    def close(self) -> None:
        """Let both files go."""
        self._origin.close()
        self._linked.close()


class FilesWitness:
    """A private copy of a database and its log or journal, made file by file."""

    def __init__(self, path: Path, origin: Watched, state: FileState) -> None:
        self._path = path
        self._origin = origin
        self._state = state
        self._sides = origin.side_files()

    def is_newest(self) -> bool:
        """Whether the files are what they were."""
        return _same_file(self._path, self._origin, self._state) and self._origin.side_files() == self._sides

    def is_whole(self) -> bool:
        """Always: nobody else knows the copy."""
        return True

    def close(self) -> None:
        """Let the file go."""
        self._origin.close()


class CommitWitness:
    """A private copy made over a connection, which is closed again: commits are seen from outside.

    In WAL a commit leaves the main file as it is. It changes the head of the ``-shm``, by which SQLite itself
    tells (sections 2.1 and 2.3 of https://www.sqlite.org/walformat.html), also where two commits have one
    time. A connection that was held instead would keep the last writer from tidying up, and everybody from
    leaving WAL.

    Parameters
    ----------
    path, origin
        The user's path, and the file it led to.
    state
        The file during the transaction of the copy.
    index
        What `index_of` gave before that transaction.
    """

    def __init__(self, path: Path, origin: Watched, state: FileState, index: Index | None) -> None:
        self._path = path
        self._origin = origin
        self._state = state
        self._index = index

    def is_newest(self) -> bool:
        """Whether nobody has committed since, or moved commits from the log into the file."""
        return _same_file(self._path, self._origin, self._state) and index_of(self._origin) == self._index

    def is_whole(self) -> bool:
        """Always: nobody else knows the copy."""
        return True

    def close(self) -> None:
        """Let the file go."""
        self._origin.close()


def index_of(origin: Watched) -> Index | None:
    """The identity and the head of a database's ``-shm``; None where there is none."""
    try:
        held = hold(f"{origin.path}-shm")
    except OSError:
        return None
    try:
        return held.identity, held.read_at(_INDEX_HEAD, 0)
    finally:
        held.release()


def lease(path: Path, generation: Generation) -> GenerationWitness | None:
    """Keep a generation from being removed; None where that has begun already."""
    manifest = generation.folder / MANIFEST
    try:
        lock = try_lock(manifest, shared=True)
    except FileNotFoundError:
        return None
    except OSError:
        return GenerationWitness(path, generation, None)
    if lock is None:
        return None
    if lock.identity() == identity_of(manifest):
        return GenerationWitness(path, generation, lock)
    lock.release()
    return None


def _same_file(path: Path, origin: Watched, state: FileState) -> bool:
    if os.path.realpath(path) != str(origin.path):
        return False
    try:
        return origin.state().same_content(state)
    except OSError:
        return False
