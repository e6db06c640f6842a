"""Checks of the files themselves: there, readable, SQLite, whole."""

from __future__ import annotations

import math
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Final

from greynb.databases.filehash import sha256_of
from greynb.databases.generations import DATABASE, MIRROR, FileEntry
from greynb.databases.locks import primary_code
from greynb.doctor.findings import Evidence, setting, sh
from greynb.doctor.patient import Patient, Subject
from greynb.errors import GreynbError

_SHOWN: Final = 3
_FORMATS: Final = 2
_SCHEMA_FORMATS: Final = 4
"""The newest format numbers: https://www.sqlite.org/fileformat2.html, sections 1.3.3 and 1.3.10."""
_RANDOM: Final = 7.0
"""Bits of information per byte of 4,096 bytes; random ones have 7.95, English text 4.5."""
_KINDS: Final = (
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (8, b"DUCK", "a DuckDB database"),
    (0, b"PAR1", "a Parquet file"),
    (0, b"version https://git-lfs", "a pointer of Git LFS, not the file itself"),
)


def missing(patient: Patient) -> Iterator[Evidence]:
    """Files that are not there."""
    gone = [each for each in patient.subjects if not each.is_there]
    for each in gone:
        where, link = str(each.path), each.path.is_symlink()
        yield Evidence(
            (
                f"{where} points to {each.path.readlink()}, which is not there"
                if link
                else f"{where} is not there",
                f"chosen by {each.route.chosen_by}",
            ),
            "greynb sync" if each.role == "analytics" else _make(each),
            each.role,
            each.path,
            level="error" if each.route.variable or link or len(gone) == len(patient.subjects) else "info",
        )


def _make(subject: Subject) -> str:
    variable = subject.route.variable or "STAGING_DB_PATH"
    return f"{setting(variable, '/path/to/the.db')}; else run the ingestion, which makes {subject.path}"


def unreadable(patient: Patient) -> Iterator[Evidence]:
    """Files that may not be read."""
    for each in patient.subjects:
        problem = each.stat if isinstance(each.stat, OSError) else each.head
        if each.is_there and isinstance(problem, OSError):
            yield Evidence(
                (f"{each.path}: {problem.strerror}", *_owner(each)),
                f"chmod u+r {sh(each.path)}    # or run as the owner; the folders above need x",
                each.role,
                each.path,
            )


def _owner(subject: Subject) -> Iterator[str]:
    if not isinstance(subject.stat, OSError):
        mode, uid = subject.stat.st_mode & 0o777, subject.stat.st_uid
        yield f"mode {mode:04o}, owner {uid}; this user is {os.geteuid()}" if os.name != "nt" else ""


def empty(patient: Patient) -> Iterator[Evidence]:
    """Files of no bytes, as a program leaves them that has opened a wrong path."""
    for each in patient.subjects:
        if each.is_there and each.head == b"" and not each.size_of("-wal"):
            yield Evidence(
                (f"{each.path} has no bytes: a database without tables",),
                "greynb sync" if each.role == "analytics" else f"check {each.route.chosen_by}",
                each.role,
                each.path,
            )


def not_sqlite(patient: Patient) -> Iterator[Evidence]:
    """Files of another kind."""
    for each, head in _foreign(patient):
        kind = _kind(head)
        if kind or _information(head) < _RANDOM:
            begins = f"it begins with {head[:16]!r}"
            yield Evidence(
                (f"{each.path} is {kind}" if kind else f"{each.path} is no SQLite file: {begins}",),
                _replace(each),
                each.role,
                each.path,
            )


def encrypted(patient: Patient) -> Iterator[Evidence]:
    """Files that look like random bytes from the first one on."""
    for each, head in _foreign(patient):
        if not _kind(head) and _information(head) >= _RANDOM:
            yield Evidence(
                (f"the first {len(head):,} bytes of {each.path} look random, as SQLCipher writes them",),
                "decrypt it with the program that made it (SQLCipher: ATTACH … KEY '', sqlcipher_export)",
                each.role,
                each.path,
            )


def _foreign(patient: Patient) -> Iterator[tuple[Subject, bytes]]:
    for each in patient.subjects:
        if each.is_there and isinstance(each.head, bytes) and not each.is_sqlite:
            yield each, each.head


def _kind(head: bytes) -> str:
    return next((name for offset, magic, name in _KINDS if head[offset:].startswith(magic)), "")


def _information(head: bytes) -> float:
    """Bits per byte (Shannon's entropy of the bytes' frequencies), as for 4,096 bytes."""
    if len(head) < 512:
        return 0.0
    counts = Counter(head).values()
    return -sum(count / len(head) * math.log2(count / len(head)) for count in counts)


def newer(patient: Patient) -> Iterator[Evidence]:
    """Formats and schemas that this SQLite does not know yet."""
    for each in patient.subjects:
        seen = _newer(each)
        if seen:
            yield Evidence(
                (f"{each.path}: {seen}", f"this is SQLite {sqlite3.sqlite_version}"),
                "use a Python with a newer SQLite, or drop what needs it with the program that made it",
                each.role,
                each.path,
            )


def _newer(subject: Subject) -> str:
    head = subject.head
    if not subject.is_there or not isinstance(head, bytes) or not head or not subject.is_sqlite:
        return ""
    if max(head[18], head[19]) > _FORMATS:
        return f"file format {head[18]} (written) and {head[19]} (read)"
    if int.from_bytes(head[44:48], "big") > _SCHEMA_FORMATS:
        return f"schema format {int.from_bytes(head[44:48], 'big')}"
    said = str(subject.trouble.message) if subject.trouble else ""
    return said if "malformed database schema" in said and "syntax error" in said else ""


def corrupt(patient: Patient) -> Iterator[Evidence]:
    """Damage that SQLite finds, and published files that are not what was published."""
    for each in patient.subjects:
        if each.is_there and each.is_sqlite and not _newer(each):
            lines = [*_damage(each), *_other_content(each)]
            if lines:
                more = [f"… {len(lines) - _SHOWN} more lines"] if len(lines) > _SHOWN else []
                yield Evidence((*lines[:_SHOWN], *more), _replace(each), each.role, each.path)


def _damage(subject: Subject) -> list[str]:
    if subject.trouble is not None:
        return [subject.trouble.message] if _is_damage(subject.trouble) else []
    try:
        rows = [row for sql in _questions(subject) for row in subject.rows(sql)]
    except GreynbError as error:
        if not _is_damage(error):
            raise
        return [error.message]
    # One answer of several lines, in some cases.
    return [line for (text,) in rows if text != "ok" for line in str(text).splitlines()]


def _questions(subject: Subject) -> list[str]:
    """Table by table where writers wait meanwhile: then each waits for one table at most."""
    if not subject.is_live:
        return ["PRAGMA integrity_check(20)"]
    from greynb.databases.identifiers import literal

    tables = subject.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0")
    return [f"PRAGMA integrity_check({literal(str(name))})" for (name,) in tables]


def cannot_open(patient: Patient) -> Iterator[Evidence]:
    """Files that are neither damaged nor of another kind, and still could not be examined."""
    for each in patient.subjects:
        if each.is_there and each.is_sqlite and (error := each.trouble) is not None:
            if _newer(each) or _is_damage(error):
                continue
            yield Evidence(
                (error.message,),
                f"{error.hint or 'mend that'}; then run `greynb doctor` again",
                each.role,
                each.path,
            )


def _is_damage(error: GreynbError) -> bool:
    cause = error.__cause__
    return cause is not None and primary_code(cause) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _other_content(subject: Subject) -> Iterator[str]:
    """Files of a version whose bytes changed without their times: nothing but a bad disk does that."""
    version = subject.generation
    if version is None or version.manifest is None or not version.is_intact():
        return
    for name in (DATABASE, MIRROR):
        entry: FileEntry | None = version.manifest.files.get(name)
        path = version.folder / name
        if entry is not None and path.exists() and sha256_of(path) != entry.sha256:
            yield f"{version.manifest.id}/{name} is not what was published: its sha256 differs"


def _replace(subject: Subject) -> str:
    if subject.role == "analytics":
        return "greynb sync --mode full    # or `greynb rollback`"
    return (
        f"keep a copy of {subject.path} and its -wal\n"
        f"sqlite3 {sh(subject.path)} .recover | sqlite3 recovered.db    # or restore a backup"
    )


def read_only(patient: Patient) -> Iterator[Evidence]:
    """A staging file that may not be written."""
    staging = patient.subject("staging")
    if staging is None or isinstance(staging.stat, OSError) or os.access(staging.path, os.W_OK):
        return
    yield Evidence(
        (f"{staging.path} may not be written (mode {staging.stat.st_mode & 0o777:04o})",),
        f"chmod u+w {sh(staging.path)}    # or run as its owner, or mount the disk for writing",
        "staging",
        staging.path,
    )


def folder_read_only(patient: Patient) -> Iterator[Evidence]:
    """A folder in which SQLite cannot make the files that a write needs."""
    staging = patient.subject("staging")
    if staging is None:
        return
    folder = staging.real.parent
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        needs = "-wal and -shm" if staging.is_wal else "-journal"
        yield Evidence(
            (f"{folder} may not be written, and a write makes a {needs} in it",),
            f"chmod u+wx {sh(folder)}    # or run as its owner, or mount the disk for writing",
            "staging",
            folder,
        )
