"""The hidden folder of one analytics file: one publisher at a time, and its clean-up."""

from __future__ import annotations

import getpass
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from greynb.databases.generations import MANIFEST, Generation, generation_at, generations, home_of
from greynb.databases.oslock import try_lock
from greynb.errors import PublisherBusy, PublishError
from greynb.publish.durable import remove

LOCK: Final = "publisher.lock"
BUILD: Final = ".build-"


def me() -> dict[str, object]:
    """The publishing process, for manifests and for those who find the lock held."""
    found: dict[str, object] = {"pid": os.getpid(), "host": platform.node()}
    with suppress(OSError, KeyError, ImportError):  # a container may run as a user without a name
        found["user"] = getpass.getuser()
    return found


@contextmanager
def publishing(target: Path) -> Iterator[Path]:
    """Be the only publisher of `target` during the block; gives its hidden folder, swept.

    The lock belongs to the operating system, so a killed publisher leaves none behind.

    Raises
    ------
    PublisherBusy
        Another publisher is at work.
    PublishError
        The folder cannot be used.
    """
    home = home_of(target)
    try:
        home.mkdir(exist_ok=True)
        _check_own(home, target)
        lock = try_lock(home / LOCK, create=True)
    except OSError as error:
        raise PublishError(
            f"nothing can be written beside the analytics file ({error.strerror})",
            path=home,
            hint="check that the folder exists and may be written",
        ) from error
    if lock is None:
        raise PublisherBusy(f"another publisher is at work{_owner(home)}", path=target, hint="let it finish")
    try:
        text = json.dumps({**me(), "since": datetime.now(UTC).isoformat(timespec="seconds")})
        os.truncate(lock.descriptor, 0)
        os.write(lock.descriptor, text.encode())
        for left in home.glob(f"{BUILD}*"):
            remove(left)
        yield home
    finally:
        lock.release()


def build_folder(home: Path) -> Path:
    """A new folder for work in progress."""
    number = 0
    while True:
        folder = home / f"{BUILD}{os.getpid()}-{number}"
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
        number += 1


def clean_up(target: Path, keep: int) -> None:
    """Remove old generations, except the newest `keep` and those that a reader holds.

    A generation newer than the current one was never switched to, and one whose file is not what its
    manifest says has been adopted under another name: both go.
    """
    current = generation_at(target)
    if current is None:
        return
    old = [each for each in generations(home_of(target)) if each.number != current.number]
    kept = [each.number for each in old if each.number < current.number and each.is_intact()][:keep]
    for each in old:
        if each.number not in kept:
            _retire(each)


def _retire(generation: Generation) -> None:
    """Remove a generation unless a reader holds it; moved away first, so that no half of it is ever seen."""
    with suppress(OSError):
        lock = try_lock(generation.folder / MANIFEST) if generation.manifest else None
        if generation.manifest and lock is None:
            return
        away = generation.folder.with_name(f"{BUILD}retired-{generation.folder.name}")
        try:
            if lock is not None and os.name == "nt":
                lock.release()  # a folder with open files cannot be moved there
            generation.folder.rename(away)
        finally:
            if lock is not None:
                lock.release()
        remove(away)


def _check_own(home: Path, target: Path) -> None:
    """Refuse a folder that something else made, or that belongs to a file of the same stem."""
    if any(home.iterdir()) and not (home / LOCK).exists():
        raise PublishError(
            "the hidden folder that versions would go to is in use by something else",
            path=home,
            hint="give the analytics file another name",
        )
    newest = next((each.manifest for each in generations(home) if each.manifest), None)
    if newest is not None and newest.target != target.name:
        raise PublishError(
            f"{home.name} holds the versions of {newest.target}",
            path=home,
            hint="give the analytics file another name, or put it into another folder",
        )


def _owner(home: Path) -> str:
    try:
        owner = json.loads((home / LOCK).read_text(encoding="utf-8"))
        return f": process {owner['pid']} on {owner['host']}, since {owner['since']}"
    except (OSError, ValueError, KeyError):
        return ""
