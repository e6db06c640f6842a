"""Results of queries kept in a folder of the user's, to be given again without running the query.

One file for each result, named by its key (`greynb.databases.recall` makes the keys): a mark, a digest of
the rest, and an Arrow stream whose metadata says what the frame is made of. A file that is damaged, of
another kind or of another user counts as none; the first two are removed. Files are written aside and
renamed, so that processes that share the folder see whole results only; what was not used for longest goes
when the folder grows beyond its limit. No file is ever unpickled.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pyarrow as pa

from greynb.databases.frames import Fetched
from greynb.databases.result import Kept, Ran

WORTH: Final = 0.02
"""Seconds that a query must have taken for its result to be kept; reading it back takes some thousandths."""
WRITER: Final = "greynb-result-cache"
"""The name of the threads that write."""

_PART: Final = 8
"""A result may take this part of the limit, so that one does not push out all others."""
_PAUSE: Final = 0.05
_ABANDONED: Final = 600.0
_MARK: Final = b"greynb result 1\n"
_DIGEST: Final = 32
_METADATA: Final = b"greynb"
_ENTRY: Final = ".result"
_ASIDE: Final = ".aside"
_Work = tuple[str, Fetched, pa.Table, float]


@lru_cache(maxsize=8)
def result_cache(folder: str, megabytes: int) -> ResultCache:
    """The cache in a folder; an empty name stands for the user's cache folder."""
    if folder:
        return ResultCache(Path(folder).expanduser(), megabytes * 1_000_000)
    from platformdirs import user_cache_path

    return ResultCache(user_cache_path("greynb", appauthor=False) / "results", megabytes * 1_000_000)


class ResultCache:
    """The results in one folder; safe to use from several threads and processes.

    Parameters
    ----------
    folder
        Where they are; made when the first one is written.
    limit
        Bytes that all of them may take.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._trouble: str | None = None

    def find(self, key: str) -> Fetched | None:
        """The result of a key; None where there is none."""
        path = self._folder / f"{key}{_ENTRY}"
        try:
            with path.open("rb") as file:
                if not _is_own(os.fstat(file.fileno())):
                    return None
                content = file.read()
        except OSError:
            return None
        try:
            found = _unpacked(key, content)
        except (ValueError, KeyError, TypeError, OSError, pa.ArrowException):
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)  # used just now
        return found

    def keep(self, ran: Sequence[Ran]) -> list[Ran]:
        """Write the results that have a key, on another thread, once the cell has had time to be shown.

        Returns
        -------
        list of Ran
            The same; if an earlier result could not be written, the first one says so.
        """
        work = [taken for each in ran if (taken := self._taken(each)) is not None]
        if work:
            # No daemon: a notebook that ends right after the cell still leaves a whole file.
            threading.Thread(target=self._write_all, args=(work,), name=WRITER).start()
        trouble, self._trouble = self._trouble, None
        return list(ran) if trouble is None or not ran else [ran[0].noted(trouble), *ran[1:]]

    def _taken(self, ran: Ran) -> _Work | None:
        """What is to be written of a result, if anything.

        Taken before the frame is made: that shares the memory of the rest, and its user may change it.
        """
        fetched = ran.fetched
        if fetched is None or fetched.key is None or fetched.size > self._limit // _PART:
            return None
        table = fetched.table()
        return None if table is None else (fetched.key, fetched, table, ran.result.seconds)

    def _write_all(self, work: Sequence[_Work]) -> None:
        time.sleep(_PAUSE)
        try:
            self._make_folder()
            for key, fetched, table, seconds in work:
                self._write(key, _packed(key, fetched, table, seconds))
            self._evict()
        except (OSError, pa.ArrowException) as error:
            self._trouble = f"the result could not be kept in {self._folder}: {error}"

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self._folder.stat()
        if not _is_own(found):
            raise PermissionError("the folder belongs to another user")
        if os.name == "posix" and found.st_mode & 0o077:
            self._folder.chmod(0o700)  # it holds data

    def _write(self, key: str, content: bytes) -> None:
        aside = self._folder / f"{uuid4().hex}{_ASIDE}"
        try:
            aside.touch(mode=0o600, exist_ok=False)
            aside.write_bytes(content)
            aside.replace(self._folder / f"{key}{_ENTRY}")
        finally:
            aside.unlink(missing_ok=True)

    def _evict(self) -> None:
        """Remove what was not used for longest, until the rest fits.

        Another process may do the same at the same time: both remove the same files, in the same order.
        """
        files = sorted(_files(self._folder), key=lambda found: (-found[1].st_mtime_ns, found[0].name))
        total = 0
        for path, found in files:
            if path.suffix == _ASIDE:
                if time.time() - found.st_mtime > _ABANDONED:
                    path.unlink(missing_ok=True)
                continue
            total += found.st_size
            if total > self._limit:
                path.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The cache's own files; one that another process has just removed is left out."""
    for path in folder.iterdir():
        if path.suffix in (_ENTRY, _ASIDE):
            with suppress(FileNotFoundError):
                yield path, path.stat()


def _is_own(found: os.stat_result) -> bool:
    return os.name != "posix" or found.st_uid == os.geteuid()


def _packed(key: str, fetched: Fetched, table: pa.Table, seconds: float) -> bytes:
    described = {
        "key": key,
        "names": fetched.names,
        "types": fetched.types,
        "kinds": fetched.kinds,
        "seconds": seconds,
        "time": dt.datetime.now(dt.UTC).isoformat(),
    }
    metadata = {**(table.schema.metadata or {}), _METADATA: json.dumps(described).encode()}
    table = table.replace_schema_metadata(metadata)
    sink = pa.BufferOutputStream()
    fast = pa.ipc.IpcWriteOptions(compression="lz4" if pa.Codec.is_available("lz4") else None)
    with pa.ipc.new_stream(sink, table.schema, options=fast) as writer:
        writer.write_table(table)
    body: bytes = sink.getvalue().to_pybytes()
    return _MARK + _digest(body) + body


def _unpacked(key: str, content: bytes) -> Fetched:
    """The result in a file; raises ValueError and the like where it holds no result of this key."""
    body = content[len(_MARK) + _DIGEST :]
    if content[: -len(body) or None] != _MARK + _digest(body):
        raise ValueError("damaged, or of another kind")
    table = pa.ipc.open_stream(body).read_all()
    described: dict[str, Any] = json.loads(table.schema.metadata[_METADATA])
    if described["key"] != key:
        raise ValueError("of another key")
    kept = Kept(dt.datetime.fromisoformat(described["time"]), float(described["seconds"]))
    return Fetched(described["names"], tuple(described["types"]), described["kinds"], table, kept=kept)


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_DIGEST).digest()
