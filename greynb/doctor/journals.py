"""Checks of the log and the journal beside a database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from greynb.databases.lockers import lockers
from greynb.doctor import fixes
from greynb.doctor.findings import Evidence, Fix, Level, sh
from greynb.doctor.machine import on_network
from greynb.doctor.patient import Patient, Subject

LOG_BYTES: Final = 64 << 20
"""A log grows to about 4 MB between two checkpoints; at this size none has come through for long."""
_HOT: Final = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
"""How a journal begins that is to be rolled back: https://www.sqlite.org/fileformat2.html, section 3."""
_SIDES: Final = ("-wal", "-shm", "-journal")


def not_wal(patient: Patient) -> Iterator[Evidence]:
    """Staging in a mode in which readers and writers wait for each other."""
    staging = patient.subject("staging")
    if (
        staging
        and not on_network(staging)  # where WAL does not work
        and staging.is_readable
        and staging.head
        and not staging.is_wal
        and not staging.size_of("-journal")
    ):
        yield Evidence(
            (f"{staging.path} is in a rollback mode",),
            f"sqlite3 {sh(staging.path)} 'PRAGMA journal_mode = WAL'",
            "staging",
            staging.path,
            fix=Fix(f"switch {staging.path} to WAL", fixes.wal(staging.path)),
        )


def long_log(patient: Patient) -> Iterator[Evidence]:
    """A log that no checkpoint has emptied for long."""
    staging = patient.subject("staging")
    size = staging.size_of("-wal") if staging else None
    if staging and size and size > LOG_BYTES:
        held = tuple(map(str, lockers(staging.path)))
        yield Evidence(
            (f"{staging.beside('-wal')} takes {size / 1e6:,.1f} MB", *held),
            f"end the reader that has been at work for long, then: sqlite3 {sh(staging.path)}"
            " 'PRAGMA wal_checkpoint(TRUNCATE)'",
            "staging",
            staging.path,
            fix=Fix(
                f"bring the log into {staging.path} and empty it (PRAGMA wal_checkpoint(TRUNCATE))",
                fixes.checkpoint(staging.path),
            ),
        )


def hot(patient: Patient) -> Iterator[Evidence]:
    """A journal of a transaction that its process did not live to end."""
    staging = patient.subject("staging")
    if staging is None or not staging.size_of("-journal"):
        return
    journal = staging.beside("-journal")
    try:
        with journal.open("rb") as file:  # SQLite holds no locks on it
            is_hot = file.read(len(_HOT)) == _HOT
    except OSError:
        return
    if is_hot and not any(each.doing == "writing" for each in lockers(staging.path)):
        yield Evidence(
            (f"{journal} takes {(staging.size_of('-journal') or 0) / 1e6:,.1f} MB, and nobody writes",),
            f"keep a copy of {staging.path} and of the journal, together; never delete the journal\n"
            f"sqlite3 {sh(staging.path)} 'SELECT count(*) FROM sqlite_schema'    # SQLite rolls back",
            "staging",
            staging.path,
        )


def beside_analytics(patient: Patient) -> Iterator[Evidence]:
    """What a program leaves beside analytics that has opened it to write."""
    analytics = patient.subject("analytics")
    if analytics is None or not analytics.is_there:
        return
    for file in dict.fromkeys((analytics.path, analytics.real)):
        sizes = {each: _size(Path(f"{file}{each}")) for each in _SIDES}
        there = {ending: size for ending, size in sizes.items() if size is not None}
        if there:
            yield Evidence(
                tuple(f"{file}{ending} ({size:,} bytes)" for ending, size in there.items()),
                _mend(analytics, file, list(there)),
                "analytics",
                file,
                level=_level(analytics, file, there),
            )


def _level(analytics: Subject, file: Path, there: dict[str, int]) -> Level:
    """SQLite goes by what stands beside the real file, not beside a link to it."""
    applied = file == analytics.real and (there.get("-wal") or there.get("-journal"))
    return "error" if applied and analytics.generation is not None else "warning"


def _mend(analytics: Subject, file: Path, endings: list[str]) -> str:
    if file != analytics.real:
        return (
            "rm "
            + " ".join(sh(f"{file}{ending}") for ending in endings)
            + "    # nobody reads them: the file is a link"
        )
    return (
        "end the program that opened it to write (it wants staging)\n"
        "greynb sync --mode full    # publishes a file with nothing beside it"
    )


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
