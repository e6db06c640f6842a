"""Indexes that statements of the query log would have used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from greynb import querylog
from greynb.doctor.findings import Evidence
from greynb.doctor.patient import Patient, Subject
from greynb.errors import GreynbError, QueryError
from greynb.querylog.sqliteplan import Missing, SqlitePlan

_LOOKED_AT: Final = 200
"""Different statements, those that took the longest in all."""


def missing_indexes(patient: Patient) -> Iterator[Evidence]:
    """Columns of staging by which statements looked for rows, and for which SQLite read whole tables."""
    for each in patient.content:
        found = _missing(each) if each.role == "staging" and querylog.default_file().exists() else {}
        if found:
            yield Evidence(
                tuple(
                    f"{index.table}({index.column}): {runs:,} runs, {seconds:,.1f} s in all"
                    for index, (runs, seconds) in found.items()
                ),
                "\n".join(f"%staging {index.sql}" for index in found),
                each.role,
                each.path,
            )


def _missing(subject: Subject) -> dict[Missing, tuple[int, float]]:
    """Each index with how many statements it would have helped, and how long they took."""
    try:
        groups = querylog.slowest(querylog.default_file(), role="staging")
    except GreynbError:  # a log that cannot be read is no fault of the databases
        return {}
    found: dict[Missing, tuple[int, float]] = {}
    for group in [each for each in groups if each.newest.file == str(subject.path)][:_LOOKED_AT]:
        try:
            indexes = SqlitePlan(subject.con, group.newest.sql).missing()
        except QueryError:
            continue
        for index in indexes:
            runs, seconds = found.get(index, (0, 0.0))
            found[index] = runs + len(group.entries), seconds + group.total
    return found
