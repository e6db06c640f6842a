"""Writing so that a power cut leaves the old or the new state: the disk is told before the next step."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from greynb.databases.descriptors import copy_bytes


def sync_file(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    # Windows flushes only descriptors that may write.
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Wait until a folder's names are on the disk; Windows has no such call, and orders them itself."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a new read-only file, durably."""
    path.write_text(text, encoding="utf-8")
    sync_file(path)
    path.chmod(0o444)


def replace_link(link: Path, text: str, *, scratch: Path, folder: bool = False) -> None:
    """Make or redirect a symbolic link in one step.

    Parameters
    ----------
    link, text
        The link, and where it is to point.
    scratch
        A free name on the same file system.
    folder
        Whether it points to a folder; Windows wants to know.
    """
    scratch.unlink(missing_ok=True)
    scratch.symlink_to(text, target_is_directory=folder)
    scratch.replace(link)
    sync_folder(link.parent)


def link_or_copy(path: Path, new: Path) -> None:
    """Give a file a second name, or copy it with its time where the file system has no hard links."""
    try:
        new.hardlink_to(path)
    except OSError:
        copy_bytes(path, new)
        shutil.copystat(path, new)
        new.chmod(0o644)
        sync_file(new)


def remove(path: Path) -> None:
    """Remove a folder of greynb's own, or a file or link in it, as far as possible."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    if os.name == "nt":
        for each in path.rglob("*"):
            each.chmod(0o666)
    shutil.rmtree(path, ignore_errors=True)
