"""Checking a copy before it is published, and writing down what it holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from greynb.databases.copying import connect, mapped
from greynb.errors import DatabaseError
from greynb.publish.aside import Aside
from greynb.publish.carrying import carried_on
from greynb.publish.checking import check, tolerant, watched
from greynb.publish.comparing import Comparison, still
from greynb.publish.foreignkeys import broken_keys
from greynb.publish.result import TableResult
from greynb.publish.steps import Steps

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Facts:
    """What the manifest and the result say about the content of a version."""

    schema: list[dict[str, str | None]]
    rows: dict[str, int | None]
    census: dict[str, Any]
    content: dict[str, str | None]
    broken_keys: dict[str, int]
    broken_rules: tuple[str, ...]
    tables: dict[str, TableResult]
    notices: tuple[str, ...]
    mirror_sha256: str


def analyzed(database: Path, steps: Steps) -> tuple[str, ...]:
    """Give SQLite's planner the statistics of a sample; the last writing to the copy. Gives notices."""
    with steps.step("analyze") as told, mapped(database), closing(connect(database, "rw")) as con:
        con.execute("PRAGMA synchronous = OFF")
        try:
            with watched(con, told):
                return _analyze(con)
        except sqlite3.DatabaseError:
            check(database, Comparison(), told)  # says it better if the copy is damaged
            raise


def describe(
    database: Path,
    steps: Steps,
    comparison: Comparison,
    aside: Aside,
    checked: Callable[[], tuple[str, ...]],
    *,
    mirrored: bool,
) -> Facts:
    """Note what the finished copy holds and mirror it, while `checked` looks for damage, which is waited for.

    What takes long, the census, the hashes and the mirror, is carried on from the version before where the
    comparison allows it.
    """
    try:
        with mapped(database), closing(still(database)) as con:
            con.text_factory = tolerant
            with steps.step("keys") as told, watched(con, told):
                before = comparison.manifest.broken_keys if comparison.manifest else {}
                broken, unchecked = broken_keys(con, comparison.changed, before)
            found = carried_on(con, database, comparison, steps, aside, mirrored=mirrored)
            names = ("type", "name", "table", "sql")
            objects = con.execute(
                "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid"
            ).fetchall()
    except DatabaseError:
        checked()  # says it better if the copy is damaged
        raise
    census = found.census
    rules = checked()
    return Facts(
        schema=[dict(zip(names, each, strict=True)) for each in objects],
        rows={
            name: None if each.problem else each.rows for name, each in census.items() if each.kind != "view"
        },
        census={name: each.to_json() for name, each in census.items()},
        content=found.content,
        broken_keys=broken,
        broken_rules=rules,
        tables=found.tables,
        notices=(*rules, *unchecked, *_told(broken), *found.notices),
        mirror_sha256=found.mirror_sha256,
    )


def _told(broken: Mapping[str, int]) -> Iterator[str]:
    for table, count in list(broken.items())[:_SHOWN]:
        yield f"{count:,} foreign keys in {table} lead nowhere"
    if len(broken) > _SHOWN:
        yield f"foreign keys in {len(broken) - _SHOWN} more tables lead nowhere"


def _analyze(con: sqlite3.Connection) -> tuple[str, ...]:
    """Give SQLite's planner its statistics; an unknown collation or module is no reason to stop."""
    try:
        con.execute("PRAGMA analysis_limit = 1000").fetchone()
        con.execute("ANALYZE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise
        return (f"no statistics for the query planner: {error}",)
    return ()
