"""Checking a copy before it is published, and writing down what it holds."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from greynb.databases.copying import connect, mapped
from greynb.databases.identifiers import literal
from greynb.errors import PublishError
from greynb.publish.carrying import carried_on
from greynb.publish.comparing import Comparison
from greynb.publish.foreignkeys import broken_keys
from greynb.publish.result import TableResult
from greynb.publish.steps import Steps

# Values that break a rule of their table, as `PRAGMA quick_check` words it: no damage to the file.
_BROKEN_RULE: Final = re.compile(
    r"(NULL|non-\w+|TEXT|NUMERIC) value in |CHECK constraint failed in |could not check "
)
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Facts:
    """What the manifest and the result say about the content of a version."""

    schema: list[dict[str, str | None]]
    rows: dict[str, int | None]
    census: dict[str, Any]
    content: dict[str, str | None]
    broken_keys: dict[str, int]
    tables: dict[str, TableResult]
    notices: tuple[str, ...]


def describe(database: Path, steps: Steps, comparison: Comparison) -> Facts:
    """Check the copy, gather its statistics, and note what it holds.

    The check is always of the whole file: only so is a page found that two tables claim. Its statistics are
    those of a sample. What takes long, the census and the hashes, is carried on from the version before where
    the comparison allows it.
    """
    with mapped(database), closing(connect(database, "rw")) as con:
        # Texts of other encodings must not stop the publication.
        con.text_factory = lambda text: text.decode("utf-8", "replace")
        con.execute("PRAGMA synchronous = OFF")
        with steps.step("check") as told, _watched(con, told):
            notices = _check(con)
        with steps.step("analyze") as told, _watched(con, told):
            notices += _analyze(con)
        with steps.step("keys") as told, _watched(con, told):
            before = comparison.manifest.broken_keys if comparison.manifest else {}
            broken, unchecked = broken_keys(con, comparison.changed, before)
        found = carried_on(con, comparison, steps, _watched)
        names = ("type", "name", "table", "sql")
        objects = con.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid").fetchall()
    census = found.census
    return Facts(
        schema=[dict(zip(names, each, strict=True)) for each in objects],
        rows={
            name: None if each.problem else each.rows for name, each in census.items() if each.kind != "view"
        },
        census={name: each.to_json() for name, each in census.items()},
        content=found.content,
        broken_keys=broken,
        tables=found.tables,
        notices=(*notices, *unchecked, *_told(broken)),
    )


def _told(broken: Mapping[str, int]) -> Iterator[str]:
    for table, count in list(broken.items())[:_SHOWN]:
        yield f"{count:,} foreign keys in {table} lead nowhere"
    if len(broken) > _SHOWN:
        yield f"foreign keys in {len(broken) - _SHOWN} more tables lead nowhere"


@contextmanager
def _watched(con: sqlite3.Connection, told: Callable[[float], None]) -> Iterator[None]:
    """Let `told` and Ctrl-C stop a long statement; sqlite3 itself swallows what its handlers raise."""
    raised: list[BaseException] = []

    def handler() -> int:
        try:
            told(0.0)
        except BaseException as error:
            raised.append(error)
        return len(raised)

    con.set_progress_handler(handler, 1_000_000)
    try:
        yield
    except Exception as error:
        if raised:
            raise raised[0] from error
        raise
    finally:
        con.set_progress_handler(None, 0)


def _check(con: sqlite3.Connection) -> tuple[str, ...]:
    """Refuse a damaged copy; values that break a rule of their table are only reported."""
    found = _quick_check(con)
    damage = [line for line in found if not _BROKEN_RULE.match(line)]
    if damage:
        raise PublishError(
            "staging is damaged, so it was not published",
            detail="\n".join(damage[:_SHOWN]),
            hint="run `PRAGMA integrity_check` on staging; analytics still has the last good version",
        )
    return tuple(found[:_SHOWN])


def _quick_check(con: sqlite3.Connection) -> list[str]:
    """What SQLite complains of; table by table where the schema needs a collation unknown here."""
    try:
        return _complaints(con, "PRAGMA quick_check")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR:
            raise
    found = []
    for (name,) in con.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        try:
            found += _complaints(con, f"PRAGMA quick_check({literal(name)})")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR:
                raise
            found.append(f"could not check {name}: {error}")
    return found


def _complaints(con: sqlite3.Connection, pragma: str) -> list[str]:
    return [str(row[0]) for row in con.execute(pragma).fetchall() if row[0] != "ok"]


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
