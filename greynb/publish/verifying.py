"""Comparing what users read with staging, row by row, and the published files with their manifest."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greynb.databases.copying import connect
from greynb.databases.filehash import sha256_of
from greynb.databases.generations import Generation, generation_at
from greynb.databases.identifiers import literal, quote
from greynb.databases.snapshot import Snapshot, SnapshotSource
from greynb.errors import GreynbError
from greynb.publish.content import decoding
from greynb.publish.merging import Reading, RowDifference, differing_rows, same_rows
from greynb.publish.source import source_of
from greynb.publish.steps import Progress, Steps
from greynb.publish.verification import PLANNED, TableComparison, Verification

if TYPE_CHECKING:
    from greynb.publish.source import Place

__all__ = ["RowDifference", "TableComparison", "Verification", "compare", "compare_files"]

SHOWN: Final = 5
"""Differing rows that are named per table."""

_VIRTUAL: Final = re.compile(r"\s*CREATE\s+VIRTUAL\b", re.I)


def compare(source: Place, target: Path, *, progress: Progress | None = None) -> Verification:
    """Compare staging as it is now with the version of analytics that users read now.

    Both are held still: staging as a private copy in SQLite, so that its writers go on, analytics as a
    generation that stays meanwhile.

    Parameters
    ----------
    source, target
        The file or server of staging, and the path that users open.
    progress
        Called with the step's name and the fraction of it that is done; may raise to stop.

    Raises
    ------
    DatabaseError
        One of the two cannot be read at all.
    """
    steps = Steps(progress)
    staging = source_of(source)
    if staging.is_file(target):
        return Verification(staging.place, target, "", (), notices=("staging and analytics are one file",))
    with ExitStack() as held:
        with steps.step("copy"):
            copy = held.enter_context(staging.held())
        analytics = _held(held, target)
        generation = generation_at(analytics.path) if analytics.kind == "generation" else None
        with steps.step("hash") as told:
            damaged = _damaged(generation, told)
        planned = generation is not None and _by_plan(generation)
        with steps.step("compare") as told:
            tables = compare_files(copy, analytics.path, planned=planned, progress=told)
    notices = (*analytics.notices, *((PLANNED,) if planned else ()))
    return Verification(staging.place, target, analytics.id, tables, damaged, notices)


def compare_files(
    staging: Path,
    analytics: Path,
    *,
    planned: bool = False,
    progress: Callable[[float], None] = lambda _: None,
) -> tuple[TableComparison, ...]:
    """Compare two files that nobody writes, table by table.

    Parameters
    ----------
    staging, analytics
        The files.
    planned
        Whether a plan made analytics, so that differences are no errors.
    progress
        Told the fraction of the tables that is done; may raise to stop.
    """
    with closing(connect(staging)) as one, closing(connect(analytics)) as two:
        here, there = _objects(one), _objects(two)
        names = sorted({*here, *there})
        found = []
        for number, name in enumerate(names):
            each = _compared(one, two, name, here.get(name), there.get(name))
            found.append(each.by_plan() if planned else each)
            progress((number + 1) / len(names))
    return tuple(found)


def _held(stack: ExitStack, path: Path) -> Snapshot:
    held = SnapshotSource(path, shared=False)
    stack.callback(held.close)
    try:
        return held.acquire()
    except GreynbError as error:
        raise error.at(role="analytics", path=path) from error.__cause__


def _damaged(generation: Generation | None, progress: Callable[[float], None]) -> tuple[str, ...]:
    if generation is None or generation.manifest is None:
        return ()
    files = generation.manifest.files.items()
    return tuple(
        str(generation.folder / name)
        for name, entry in files
        if not (generation.folder / name).exists()
        or sha256_of(generation.folder / name, progress) != entry.sha256
    )


def _by_plan(generation: Generation) -> bool:
    manifest = generation.manifest
    return manifest is not None and "etl" in (manifest.mode, manifest.source.get("mode"))


def _objects(con: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    """Kind and definition of each table and view that holds content of the user."""
    found = con.execute(
        "SELECT name, type, sql FROM sqlite_schema WHERE type IN ('table', 'view')"
    ).fetchall()
    return {
        name: ("virtual" if _VIRTUAL.match(sql or "") else kind, sql or "")
        for name, kind, sql in found
        if not name.startswith("sqlite_") or name == "sqlite_sequence"
    }


def _compared(
    one: sqlite3.Connection,
    two: sqlite3.Connection,
    name: str,
    here: tuple[str, str] | None,
    there: tuple[str, str] | None,
) -> TableComparison:
    try:
        if here is None or there is None:
            return _one_sided(one if there is None else two, name, here or there, missing=there is None)
        if "table" not in (here[0], there[0]):
            same = here == there
            return TableComparison(name, "equal" if same else "different", "" if same else "its definition")
        columns = _columns(one, name), _columns(two, name)
        counts = _count(one, name), _count(two, name)
        if columns[0] != columns[1]:
            return TableComparison(name, "different", _columns_said(*columns), *counts)
        return _by_rows(one, two, name, columns[0], counts)
    except sqlite3.Error as error:
        return TableComparison(name, "unreadable", str(error))


def _one_sided(
    con: sqlite3.Connection, name: str, found: tuple[str, str] | None, *, missing: bool
) -> TableComparison:
    rows = _count(con, name) if found is not None and found[0] == "table" else None
    if missing:
        return TableComparison(name, "missing", "analytics lacks it", staging_rows=rows)
    return TableComparison(name, "extra", "staging lacks it", analytics_rows=rows)


def _by_rows(
    one: sqlite3.Connection,
    two: sqlite3.Connection,
    name: str,
    columns: dict[str, int],
    counts: tuple[int, int],
) -> TableComparison:
    key = sorted((position, column) for column, position in columns.items() if position)
    numbered = len(key) == 1 and _declared(one, name)[key[0][1]].upper() == "INTEGER"
    encoding = str(one.execute("PRAGMA encoding").fetchone()[0]).lower()
    reading = Reading(name, tuple(columns), tuple(column for _, column in key), encoding)

    def differing() -> list[RowDifference]:
        rows = differing_rows(one, two, reading, SHOWN)
        # Only an INTEGER PRIMARY KEY names one row in both files, and is sorted the same way.
        again = rows and not numbered and counts[0] == counts[1]
        return [] if again and same_rows(one, two, reading) else rows

    rows = decoding(one, lambda: decoding(two, differing))
    if not rows:
        return TableComparison(name, "equal", "", *counts)
    return TableComparison(name, "different", "", *counts, tuple(rows))


def _columns(con: sqlite3.Connection, table: str) -> dict[str, int]:
    """Place in the primary key, 0 for none, by column."""
    return {row[1]: row[5] for row in con.execute(f"PRAGMA table_info({literal(table)})").fetchall()}


def _declared(con: sqlite3.Connection, table: str) -> dict[str, str]:
    return {row[1]: row[2] for row in con.execute(f"PRAGMA table_info({literal(table)})").fetchall()}


def _columns_said(here: dict[str, int], there: dict[str, int]) -> str:
    lacking = [name for name in here if name not in there]
    added = [name for name in there if name not in here]
    said = [f"analytics lacks {', '.join(lacking)}"] if lacking else []
    said += [f"staging lacks {', '.join(added)}"] if added else []
    return "; ".join(said) or "the order of its columns, or its key"


def _count(con: sqlite3.Connection, table: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {quote(table)}").fetchone()[0])
