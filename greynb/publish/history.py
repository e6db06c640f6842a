"""Which versions of an analytics file are there, who made them, and what they take on the disk."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from greynb.databases.generations import MANIFEST, Generation, generation_at, generations, home_of, own_target
from greynb.databases.oslock import try_lock

_BLOCK: Final = 512  # the unit of st_blocks, whatever the file system's own is


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an analytics file.

    Attributes
    ----------
    id, number
        ``gen-000042`` and 42.
    published
        When, as an aware datetime; None where the manifest cannot be read.
    mode
        How it was made: ``"full"``, ``"incremental"``, ``"etl"``, ``"adopted"``, ``"rollback"``.
    rows
        In all tables together; None where they were not counted.
    bytes
        Size of the database file.
    who
        Publishing process, user if known, and host.
    seconds
        How long the publication took, up to its sealing; None where it was not noted.
    source
        The version that a rollback went back to, else None.
    current
        Whether it is the one that users read now.
    held
        Whether somebody reads or has pinned it, so that it stays.
    disk_bytes
        What it takes on the disk; a file with several names is counted at the first version of the list.
    intact
        Whether the file is the one that was published.
    """

    id: str
    number: int
    published: datetime | None
    mode: str
    rows: int | None
    bytes: int
    who: str
    seconds: float | None
    source: str | None
    current: bool
    held: bool
    disk_bytes: int
    intact: bool

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, the time as ISO text."""
        return {**asdict(self), "published": self.published.isoformat() if self.published else None}


def history(target: Path) -> list[Version]:
    """All versions of an analytics file that are there, newest first.

    Parameters
    ----------
    target
        The path that users open.
    """
    target = own_target(target)
    current = generation_at(target)
    number = current.number if current is not None else None
    seen: set[tuple[int, int]] = set()
    return [_version(each, each.number == number, seen) for each in generations(home_of(target))]


def history_text(versions: list[Version]) -> str:
    """The versions as a table of plain text, with the space they take together."""
    if not versions:
        return "no versions yet: `greynb sync` publishes the first one"
    head = ("version", "published (UTC)", "mode", "rows", "MB", "took", "by", "")
    lines = [head, *(_cells(each) for each in versions)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = [
        "  ".join(
            cell.rjust(width) if 3 <= column <= 5 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([*text, f"disk use: {sum(each.disk_bytes for each in versions) / 1e6:,.1f} MB"])


def _version(generation: Generation, current: bool, seen: set[tuple[int, int]]) -> Version:
    manifest = generation.manifest
    counted = [rows for rows in manifest.rows.values() if rows is not None] if manifest else []
    return Version(
        id=generation.folder.name,
        number=generation.number,
        published=manifest.published if manifest else None,
        mode=manifest.mode if manifest else "",
        rows=sum(counted) if counted else None,
        bytes=_size(generation.database),
        who=_who(manifest.publisher) if manifest else "",
        seconds=sum(manifest.seconds.values()) if manifest and manifest.seconds else None,
        source=str(manifest.source["version"]) if manifest and manifest.mode == "rollback" else None,
        current=current,
        held=_held(generation),
        disk_bytes=_disk_bytes(generation.folder, seen),
        intact=generation.is_intact(),
    )


def _cells(version: Version) -> tuple[str, ...]:
    return (
        version.id,
        f"{version.published:%Y-%m-%d %H:%M:%S}" if version.published else "?",
        f"{version.mode} of {version.source}" if version.source else version.mode or "?",
        "" if version.rows is None else f"{version.rows:,}",
        f"{version.bytes / 1e6:,.1f}",
        "" if version.seconds is None else f"{version.seconds:.2f} s",
        version.who,
        ", ".join(notes(version)),
    )


def notes(version: Version) -> list[str]:
    """What is special about a version, in words."""
    told = {"current": version.current, "read now": version.held, "damaged": not version.intact}
    return [word for word, said in told.items() if said]


def _who(publisher: Any) -> str:
    process = f"process {publisher.get('pid', '?')}"
    user = f"{publisher['user']}@" if publisher.get("user") else ""
    return f"{process}, {user}{publisher.get('host', '')}"


def _held(generation: Generation) -> bool:
    """Whether a reader has leased it; the look takes the lock for an instant, for which readers wait."""
    if generation.manifest is None:
        return False
    try:
        lock = try_lock(generation.folder / MANIFEST)
    except OSError:
        return False
    if lock is None:
        return True
    lock.release()
    return False


def _disk_bytes(folder: Path, seen: set[tuple[int, int]]) -> int:
    total = 0
    for path in folder.iterdir() if folder.is_dir() else ():
        try:
            found = path.stat()
        except OSError:
            continue
        if (found.st_dev, found.st_ino) not in seen:
            seen.add((found.st_dev, found.st_ino))
            total += _allocated(found)
    return total


def _allocated(found: os.stat_result) -> int:
    blocks = getattr(found, "st_blocks", None)  # Windows does not say
    return found.st_size if blocks is None else blocks * _BLOCK


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
