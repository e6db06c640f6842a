"""Checks of what a database holds: statistics, free space, keys, types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from greynb.databases.copying import mapped
from greynb.doctor import fixes
from greynb.doctor.findings import Evidence, Fix
from greynb.doctor.patient import WAIT, Patient, Subject
from greynb.publish.foreignkeys import broken_keys

if TYPE_CHECKING:
    from greynb.databases.census import ColumnCensus

MANY_ROWS: Final = 1000
"""Below that no plan is slow."""
TENFOLD: Final = 10
"""How far the rows may be from what the planner believes; the limit of SQLite's own ``PRAGMA optimize``
(https://www.sqlite.org/pragma.html#pragma_optimize)."""
FREE_SHARE: Final = 0.1
FREE_BYTES: Final = 1 << 20
_SHOWN: Final = 20


def free_bytes(pages: int, free: int, page_size: int) -> int:
    """What a VACUUM gives back at least, in bytes; 0 where that does not pay."""
    gain = free * page_size
    return gain if free >= pages * FREE_SHARE and gain >= FREE_BYTES else 0


def free_pages(patient: Patient) -> Iterator[Evidence]:
    """Space in the file that nothing uses."""
    for each in patient.content:
        pages, free, size = (
            int(str(each.rows(f"PRAGMA {name}")[0][0]))
            for name in ("page_count", "freelist_count", "page_size")
        )
        gain = free_bytes(pages, free, size)
        if gain:
            yield Evidence(
                (f"{free:,} of {pages:,} pages are free: VACUUM would save {gain / 1e6:,.1f} MB",),
                "greynb optimize" if each.role == "staging" else "greynb sync --mode full",
                each.role,
                each.path,
            )


def no_statistics(patient: Patient) -> Iterator[Evidence]:
    """Tables of which the planner knows nothing."""
    for staging, believed in _statistics(patient):
        tables = [
            name for name, rows in _indexed(staging).items() if rows >= MANY_ROWS and name not in believed
        ]
        if tables:
            yield _to_analyze(staging, tables, f"never analyzed: {', '.join(tables)}")


def old_statistics(patient: Patient) -> Iterator[Evidence]:
    """Tables that have grown or shrunk tenfold since the planner's numbers were taken."""
    for staging, believed in _statistics(patient):
        off = {
            name: rows
            for name, rows in _indexed(staging).items()
            if name in believed
            and max(rows, believed[name]) >= MANY_ROWS
            and not believed[name] / TENFOLD < rows < max(believed[name], 1) * TENFOLD
        }
        if off:
            lines = [f"{name}: {rows:,} rows, analyzed with {believed[name]:,}" for name, rows in off.items()]
            yield _to_analyze(staging, list(off), *lines)


def _statistics(patient: Patient) -> Iterator[tuple[Subject, dict[str, int]]]:
    """Staging, and the rows that its planner believes in. A publication makes its own numbers."""
    staging = patient.subject("staging")
    if staging is None or not staging.is_readable:
        return
    believed: dict[str, int] = {}
    if staging.rows("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'"):
        for table, stat in staging.rows("SELECT tbl, stat FROM sqlite_stat1 WHERE stat IS NOT NULL"):
            number = str(stat).split(" ")[0]
            believed[str(table)] = int(number) if number.isdecimal() else 0
    yield staging, believed


def _indexed(staging: Subject) -> dict[str, int]:
    """The rows of each table that has an index: only there does the planner choose."""
    names = {name for (name,) in staging.rows("SELECT tbl_name FROM sqlite_schema WHERE type = 'index'")}
    return {name: each.rows or 0 for name, each in staging.tables.items() if name in names}


def _to_analyze(staging: Subject, tables: list[str], *seen: str) -> Evidence:
    return Evidence(
        seen[:_SHOWN],
        "greynb optimize",
        "staging",
        staging.path,
        fix=Fix(f"ANALYZE {', '.join(tables)} in {staging.path}", fixes.analyze(staging.path, tables)),
    )


def broken_foreign_keys(patient: Patient) -> Iterator[Evidence]:
    """Rows that refer to rows which are not there."""
    for each in patient.content:
        with mapped(each.path, WAIT):
            broken, unchecked = broken_keys(each.con, None, {})
        lines = [f"{table}: {count:,} rows refer to nothing" for table, count in broken.items()]
        if lines:
            mend = "%staging PRAGMA foreign_key_check    -- table, rowid, referred table; then mend the rows"
            yield Evidence(tuple(lines[:_SHOWN]), mend, each.role, each.path)
        if unchecked:
            mend = (
                "%staging PRAGMA foreign_key_list(TABLE)    -- the table and columns that it refers to\n"
                "%staging CREATE UNIQUE INDEX NAME ON PARENT (COLUMNS)    -- else none can be checked"
            )
            yield Evidence(unchecked[:_SHOWN], mend, each.role, each.path)


def mixed_types(patient: Patient) -> Iterator[Evidence]:
    """Columns that hold more than one kind of value."""
    for each in patient.content:
        lines = [
            f"{name}.{column.name} ({column.declared or 'no type'}): {shown}"
            for name, table in each.tables.items()
            for column in table.columns
            if (shown := _mixture(column))
        ]
        if lines:
            more = [f"… {len(lines) - _SHOWN} more columns"] if len(lines) > _SHOWN else []
            yield Evidence(
                (*lines[:_SHOWN], *more),
                "%greynb columns TABLE    (which values); mend them in %%staging, or cast in greynb.toml",
                each.role,
                each.path,
            )


def _mixture(column: ColumnCensus) -> str:
    """The counts, where numbers, texts and blobs are mixed; whole and other numbers mix well."""
    counts = {
        "integers": column.integers,
        "reals": column.reals,
        "texts": column.texts,
        "blobs": column.blobs,
    }
    kinds = [column.integers + column.reals, column.texts, column.blobs]
    if sum(map(bool, kinds)) < 2:
        return ""
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
