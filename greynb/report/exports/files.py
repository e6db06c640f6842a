"""Where exports go: checked paths, written aside in the same folder, and renamed when all are whole."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from greynb.errors import UsageError

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of the disk is used up",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "it is on a read-only disk",
    errno.ENAMETOOLONG: "its name is too long",
}


def destination(path: str | os.PathLike[str]) -> Path:
    """Take a path as the user wrote it: ``~`` is the home folder, a symbolic link stays one.

    Raises
    ------
    UsageError
        It is no path or empty, or a folder is there, or a file where one of its folders would be.
    """
    if not isinstance(path, str | os.PathLike):
        hint = 'give several one after the other: "a.csv", "a.xlsx"'
        raise UsageError(f"a {type(path).__name__} is no path of a file", hint=hint)
    given = os.fspath(path)
    if not given or "\0" in given:
        raise UsageError("an export needs the path of a file", hint="for example races.csv")
    with readable_errors(Path(given)):
        try:
            place = Path(given).expanduser().resolve()
        except RuntimeError as error:  # no such user, or a symbolic link in a circle
            raise UsageError(f"the path leads nowhere: {error}", path=given) from error
        if place.is_dir():
            raise UsageError("a folder is there", path=given, hint="name a file in it, for example races.csv")
        there = next(each for each in place.parents if each.exists())
        if not there.is_dir():
            raise UsageError("a file is where its folder would be", path=there, hint="name another folder")
    return place


@contextmanager
def aside(targets: Sequence[Path]) -> Iterator[list[Path]]:
    """Give a path to write to for each target, and rename all of them when the block ends without error.

    The paths are in a hidden folder beside each target, which is removed however the block ends; parents
    that are not there are made, and removed again after an error.

    Raises
    ------
    UsageError
        A folder cannot be made or written, or the disk is full. No target was touched, or, where it is a
        rename that failed, those before it are whole.
    """
    rooms: list[Path] = []
    made: list[Path] = []
    try:
        for target in targets:
            with readable_errors(target):
                made += [each for each in target.parents if not each.exists()]
                target.parent.mkdir(parents=True, exist_ok=True)
                rooms.append(Path(tempfile.mkdtemp(prefix=".greynb-export-", dir=target.parent)))
        written = [room / target.name for room, target in zip(rooms, targets, strict=True)]
        yield written
        for new, target in zip(written, targets, strict=True):
            with readable_errors(target):
                new.replace(target)
    finally:
        for room in rooms:
            shutil.rmtree(room, ignore_errors=True)
        for folder in made:
            with suppress(OSError):  # it holds what was written
                folder.rmdir()


@contextmanager
def readable_errors(path: Path | None = None) -> Iterator[None]:
    """Turn an error of the file system into one sentence."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0) or str(error.strerror or error)
        where = path or (Path(os.fsdecode(error.filename)) if error.filename else None)
        raise UsageError(
            f"the file could not be written: {reason}",
            path=where,
            hint="try another folder or disk",
        ) from error
