"""Checks of the machine: disk, clock, file system, engines."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from greynb.databases.copying import size_with_log
from greynb.databases.extension import extension_path
from greynb.doctor.findings import Evidence
from greynb.doctor.patient import Patient, Subject
from greynb.errors import DatabaseError

ALMOST_FULL: Final = 0.05
PLENTY: Final = 10 << 30
"""Bytes; a large disk may be fuller than that share."""
SKEW: Final = 5.0
"""Seconds by which a time may lie ahead of this machine's clock."""
_SPARE: Final = 16 << 20
_MOUNTS: Final = Path("/proc/self/mountinfo")
_NETWORK: Final = frozenset(
    "nfs nfs4 cifs smb3 smbfs smb2 9p afs ncpfs ceph glusterfs lustre gfs gfs2 ocfs2 beegfs davfs fuse.sshfs"
    " fuse.glusterfs fuse.davfs2 fuse.s3fs fuse.rclone fuse.gcsfuse fuse.ceph fuse.cifs vboxsf drvfs"
    " prl_fs".split()
)


def full_disk(patient: Patient) -> Iterator[Evidence]:
    """Disks without room for the next publication, or almost without any."""
    seen = set()
    needed = _needed(patient)
    for folder in _folders(patient):
        try:
            found, device = os.statvfs(folder), folder.stat().st_dev
        except (OSError, AttributeError):
            continue
        if device in seen:
            continue
        seen.add(device)
        evidence = judged(
            folder, free=found.f_bavail * found.f_frsize, size=found.f_blocks * found.f_frsize, needed=needed
        )
        if evidence:
            error, line = evidence
            yield Evidence(
                (line,),
                "make room there: `greynb sync --keep 0` removes old versions; or enlarge the disk",
                path=folder,
                level="error" if error else "warning",
            )


def judged(folder: Path, *, free: int, size: int, needed: int) -> tuple[bool, str] | None:
    """Whether a disk has too little room, whether that stops the next publication, and how much it has.

    Parameters
    ----------
    folder
        On that disk.
    free, size
        Of the disk, in bytes.
    needed
        What the next publication writes, in bytes.
    """
    line = f"{folder}: {free / 1e6:,.0f} MB of {size / 1e6:,.0f} MB are free"
    if free < needed:
        return True, f"{line}, and the next publication needs {needed / 1e6:,.0f} MB"
    return (False, line) if free < size * ALMOST_FULL and free < PLENTY else None


def _folders(patient: Patient) -> Iterator[Path]:
    for each in patient.subjects:
        yield each.real.parent
    yield Path(tempfile.gettempdir())


def _needed(patient: Patient) -> int:
    """A publication copies staging; the mirror takes at most as much again."""
    staging = patient.subject("staging")
    if staging is None or isinstance(staging.stat, OSError):
        return 0
    return 2 * size_with_log(staging.real) + _SPARE


def network(patient: Patient) -> Iterator[Evidence]:
    """Databases on file systems whose locks cannot be relied on."""
    for each in patient.subjects:
        kind = on_network(each)
        if kind and each.is_there:
            yield Evidence(
                (f"{each.real} is on a {kind} file system",),
                "move the database to a disk of this machine" + _advice(each),
                each.role,
                each.path,
                level="error" if each.is_wal else "warning",
            )


def _advice(subject: Subject) -> str:
    return ", or publish it there and keep staging here" if subject.role == "staging" else ""


def on_network(subject: Subject) -> str:
    """The kind of the network file system that a file is on; empty for a disk of the machine."""
    try:
        mounts = _MOUNTS.read_text()
    except OSError:
        mounts = ""
    return network_kind(subject.real, mounts)


def network_kind(path: Path, mounts: str) -> str:
    """The kind of the network file system that holds a path; empty for a disk of the machine.

    Parameters
    ----------
    path
        Absolute, without symbolic links.
    mounts
        What ``/proc/self/mountinfo`` says (proc_pid_mountinfo(5)); empty where there is no such file.
    """
    if str(path).startswith("\\\\"):
        return "network"
    best, kind = "", ""
    for line in mounts.splitlines():
        fields, _, rest = line.partition(" - ")
        point = _unescaped(fields.split()[4])
        # Of two mounts on one point the later one is seen.
        if len(point) >= len(best) and path.is_relative_to(point):
            best, kind = point, rest.split()[0]
    return kind if kind in _NETWORK else ""


def _unescaped(point: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, char)
    return point


def clock(patient: Patient) -> Iterator[Evidence]:
    """Times in the future: of files, or of a publication."""
    now = time.time()
    for each in patient.subjects:
        times = {str(file): _written(file) for file in (each.real, each.beside("-wal"))}
        version = each.generation
        if version is not None and version.manifest is not None:
            times[f"the publication of {version.manifest.id}"] = version.manifest.published.timestamp()
        lines = [
            f"{what}: {_shown(moment)}, {moment - now:,.0f} s ahead"
            for what, moment in times.items()
            if moment - now > SKEW
        ]
        if lines:
            yield Evidence(
                (*lines, f"here it is {_shown(now)}"),
                "set the clock, on the file server too (timedatectl set-ntp true); then publish once",
                each.role,
                each.path,
            )


def _shown(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _written(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def engines(patient: Patient) -> Iterator[Evidence]:
    """DuckDB and its SQLite extension of two versions, or without the extension."""
    try:
        extension_path()
    except DatabaseError as error:
        yield Evidence((error.message,), error.hint or "pip install greynb")
