"""Checks for what was left behind: backup tables, and builds whose publisher died."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from greynb.connections import shelf
from greynb.databases.generations import home_of, own_target
from greynb.databases.identifiers import literal, quote
from greynb.databases.lockers import file_lockers
from greynb.databases.oslock import try_lock
from greynb.doctor.findings import Evidence, Fix
from greynb.doctor.patient import Patient, Subject
from greynb.errors import DatabaseLocked
from greynb.mirror.shelf import LOCK as BUILDER
from greynb.publish.durable import remove
from greynb.publish.home import BUILD, LOCK, publishing

_BACKUP: Final = re.compile(
    r"(?:^|_)(?:backup|bak|bck|old|copy|orig|tmp|temp)(?:_|\d|$)|(?:^|_)(?:19|20)\d{6}(?:_|$)", re.IGNORECASE
)
_SHARE: Final = 0.1
_BYTES: Final = 64 << 20
_SETTLED: Final = 60.0
"""Seconds after which work in progress that nobody owns is a leftover."""


def backup_tables(patient: Patient) -> Iterator[Evidence]:
    """Tables that are named as copies of others, with what they take."""
    for each in patient.content:
        tables = [name for name in each.tables if _BACKUP.search(name)]
        if not tables:
            continue
        sizes = {name: sum(bytes_of(each, [name, *_indexes_of(each, name)]).values()) for name in tables}
        total, whole = sum(sizes.values()), each.real.stat().st_size or 1
        yield Evidence(
            (
                *(
                    f"{name}: {size / 1e6:,.1f} MB, {each.tables[name].rows or 0:,} rows"
                    for name, size in sorted(sizes.items(), key=lambda pair: -pair[1])
                ),
                f"together {total / 1e6:,.1f} MB, {total / whole:.0%} of the file",
            ),
            "\n".join(
                [
                    "make sure that nobody needs them, and that a backup holds them",
                    *(f"%staging DROP TABLE {quote(name)}" for name in tables),
                    "greynb optimize    # gives the space back",
                ]
            ),
            each.role,
            each.path,
            level="warning" if total >= _BYTES and total >= whole * _SHARE else "info",
        )


def _indexes_of(subject: Subject, table: str) -> list[str]:
    rows = subject.rows(
        f"SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = {literal(table)}"
    )
    return [str(name) for (name,) in rows]


def bytes_of(subject: Subject, names: Sequence[str]) -> dict[str, int]:
    """What tables and indexes take on the disk, in bytes.

    By SQLite's ``dbstat`` (https://www.sqlite.org/dbstat.html); where this SQLite was built without it, by
    the pages of their trees.
    """
    if subject.rows("SELECT 1 FROM pragma_module_list WHERE name = 'dbstat'"):
        return {
            name: int(str(rows[0][0] or 0))
            for name in names
            for rows in [
                subject.rows(f"SELECT sum(pgsize) FROM dbstat WHERE aggregate = 1 AND name = {literal(name)}")
            ]
        }
    listed = subject.rows("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0")
    roots = {str(name): int(str(root)) for name, root in listed}
    return counted_pages(subject.still, {name: roots[name] for name in names if name in roots})


def counted_pages(still: Path, roots: Mapping[str, int]) -> dict[str, int]:
    """What the trees of a still file take, in bytes, without the overflow pages of long values.

    Parameters
    ----------
    still
        A file that nobody writes to.
    roots
        The root page of each table or index, by name.
    """
    from greynb.publish.pages.btrees import Walker
    from greynb.publish.pages.compare import compare_pages
    from greynb.publish.pages.format import opened

    with opened(still) as file, opened(still) as again:  # two positions in one file
        walker = Walker(file, compare_pages(again, file).new_words)
        return {name: len(walker.walk(root).pages) * file.page_size for name, root in roots.items()}


def dead_builds(patient: Patient) -> Iterator[Evidence]:
    """Work in progress that no publisher or builder works on any more."""
    analytics = patient.subject("analytics")
    if analytics is None:
        return
    home = home_of(own_target(analytics.path))
    left = _left(home, LOCK)
    if left:
        yield _to_sweep(home, left, _swept(own_target(analytics.path)))
    for folder in shelf(analytics.route).folders:
        left = _left(folder, BUILDER)
        if left:
            yield _to_sweep(folder, left, _removed(folder, left))


def _left(folder: Path, lock: str) -> list[Path]:
    try:
        if file_lockers(folder / lock, "at work"):
            return []
        return [each for each in folder.glob(f"{BUILD}*") if time.time() - each.lstat().st_mtime > _SETTLED]
    except OSError:
        return []


def _to_sweep(folder: Path, left: list[Path], apply: Callable[[], str]) -> Evidence:
    return Evidence(
        tuple(f"{each} ({_bytes(each) / 1e6:,.1f} MB)" for each in left),
        "greynb sync    # each publication sweeps them",
        "analytics",
        folder,
        fix=Fix(f"remove {len(left)} unfinished builds from {folder}", apply),
    )


def _swept(target: Path) -> Callable[[], str]:
    def apply() -> str:
        with publishing(target):  # who begins to publish sweeps first
            return "the unfinished builds are gone"

    return apply


def _removed(folder: Path, left: list[Path]) -> Callable[[], str]:
    def apply() -> str:
        lock = try_lock(folder / BUILDER, create=True)
        if lock is None:
            raise DatabaseLocked("a mirror is being built just now", path=folder)
        try:
            for each in left:
                remove(each)
        finally:
            lock.release()
        return "the unfinished builds are gone"

    return apply


def _bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(each.lstat().st_size for each in files)
