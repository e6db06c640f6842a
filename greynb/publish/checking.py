"""Looking for damage in a copy before it is published."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from greynb.databases.copying import connect, mapped
from greynb.databases.identifiers import literal
from greynb.errors import PublishError
from greynb.publish.comparing import Comparison

# Values that break a rule of their table, as `PRAGMA quick_check` words it: no damage to the file.
BROKEN_RULE: Final = re.compile(
    r"(NULL|non-\w+|TEXT|NUMERIC) value in |CHECK constraint failed in |could not check "
)
_SHOWN: Final = 5


def check(database: Path, comparison: Comparison, told: Callable[[float], None]) -> tuple[str, ...]:
    """Refuse a damaged copy, which nobody writes to; give what breaks a rule of its table.

    The check is of the whole file, unless the version before was found to be sound and to break no rule: then
    the tables of which every page is the same need not be looked at again. That no page is claimed by two of
    them, or by none, is made sure of in any case.

    Raises
    ------
    PublishError
        It is damaged.
    """
    tables = _tables(comparison)
    # Read-only connections are not told of broken CHECK constraints.
    with mapped(database), closing(connect(database, "rw")) as con:
        con.text_factory = tolerant
        with watched(con, told):
            found = _quick_check(con) if tables is None else _table_checks(con, tables)
    damage = [line for line in found if not BROKEN_RULE.match(line)]
    if damage:
        raise PublishError(
            "staging is damaged, so it was not published",
            detail="\n".join(damage[:_SHOWN]),
            hint="run `PRAGMA integrity_check` on staging; analytics still has the last good version",
        )
    return tuple(found[:_SHOWN])


def _tables(comparison: Comparison) -> list[str] | None:
    """The tables to look at; None for the whole file."""
    if comparison.files is None or comparison.bytes is None or comparison.manifest is None:
        return None
    if comparison.manifest.broken_rules is None or comparison.manifest.broken_rules:
        return None  # what is broken in tables that are the same is to be told again
    from greynb.publish.pages import to_check

    found = to_check(*comparison.files, comparison.bytes)
    return None if found is None else sorted(found)


def tolerant(text: bytes) -> str:
    """Texts of other encodings must not stop a publication."""
    return text.decode("utf-8", "replace")


@contextmanager
def watched(con: sqlite3.Connection, told: Callable[[float], None]) -> Iterator[None]:
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
    else:
        if raised:  # at the very end, or where the block took the interrupt for an error of its own
            raise raised[0]
    finally:
        con.set_progress_handler(None, 0)


def _quick_check(con: sqlite3.Connection) -> list[str]:
    """What SQLite complains of; table by table where the schema needs a collation unknown here."""
    try:
        return _complaints(con, "PRAGMA quick_check")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR:
            raise
    names = con.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    return _table_checks(con, [name for (name,) in names])


def _table_checks(con: sqlite3.Connection, tables: Iterable[str]) -> list[str]:
    found = []
    for name in tables:
        try:
            found += _complaints(con, f"PRAGMA quick_check({literal(name)})")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR:
                raise
            found.append(f"could not check {name}: {error}")
    return found


def _complaints(con: sqlite3.Connection, pragma: str) -> list[str]:
    return [str(row[0]) for row in con.execute(pragma).fetchall() if row[0] != "ok"]
