"""The SQL files of a plan, run on the private copy inside its one transaction.

A transform works on the copy and on nothing else: an authorizer (https://www.sqlite.org/c3ref/set_authorizer.html)
refuses other files, extensions, settings, and the end of the transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from greynb.databases.identifiers import quote
from greynb.databases.sqltext import Statement, split_statements
from greynb.errors import PublishError
from greynb.publish.etl.plan import Plan
from greynb.publish.etl.report import Ran, Transformed
from greynb.publish.etl.watching import Watch, is_stop

_SHOWN_LINES: Final = 6
_READING: Final = frozenset(
    "collation_list compile_options data_version database_list encoding foreign_key_check foreign_key_list"
    " freelist_count function_list index_info index_list index_xinfo integrity_check module_list page_count"
    " page_size pragma_list quick_check schema_version table_info table_list table_xinfo".split()
)
_IN_THE_FILE: Final = frozenset(("application_id", "user_version"))
"""Settings that live in the file and are part of the transaction."""

_WITHOUT_VALUE: Final = frozenset("encoding page_size schema_version".split())
_REFUSED: Final = {
    sqlite3.SQLITE_ATTACH: "ATTACH is not allowed: a plan works on the copy alone",
    sqlite3.SQLITE_DETACH: "DETACH is not allowed: a plan works on the copy alone",
    sqlite3.SQLITE_TRANSACTION: "{0} is not allowed: the whole plan is one transaction",
    sqlite3.SQLITE_SAVEPOINT: "SAVEPOINT is not allowed: the whole plan is one transaction",
}
_ALONE: Final = {
    "VACUUM": "VACUUM is not allowed: `vacuum = true` in the plan does it at the end",
    "ANALYZE": "ANALYZE is not allowed: `analyze = true` in the plan does it at the end",
}


def run_transforms(con: sqlite3.Connection, plan: Plan, watch: Watch, part: float) -> tuple[Transformed, ...]:
    """Run all files of the plan.

    Parameters
    ----------
    con
        The copy, inside its transaction.
    plan
        Names the files.
    watch
        Told the part done after each file.
    part
        The part that all files are of the whole.

    Raises
    ------
    PublishError
        A statement failed or is not allowed; names its file, line and text.
    """
    begun, ran = watch.fraction, []
    for number, path in enumerate(plan.transforms, start=1):
        ran.append(_run_file(con, path, plan.name_of(path), watch))
        watch.told(begun + part * number / len(plan.transforms))
    _drop_temporary(con)
    return tuple(ran)


def _run_file(con: sqlite3.Connection, path: Path, name: str, watch: Watch) -> Transformed:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PublishError(f"{name}: the transform cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise PublishError(f"{name}: the transform is not UTF-8 (byte {error.start})") from error
    return Transformed(name, tuple(_run(con, each, name, watch) for each in split_statements(text, "sqlite")))


def _run(con: sqlite3.Connection, statement: Statement, name: str, watch: Watch) -> Ran:
    reasons: list[str] = []
    first = statement.text.split(maxsplit=1)[0].upper()
    before = con.total_changes
    try:
        if first in _ALONE:
            raise _failed(statement, name, _ALONE[first])
        con.set_authorizer(watch.guarded(guard(reasons)))
        for _ in con.execute(statement.text):
            pass  # a SELECT may call something with an effect; its rows are of no use here
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:  # ValueError: a NUL in the statement
        if watch.raised is not None or (not reasons and is_stop(error)):
            raise
        raise _failed(statement, name, reasons[0] if reasons else str(error)) from error
    finally:
        con.set_authorizer(None)
    if not con.in_transaction:
        raise _failed(statement, name, "the statement ended the transaction, so nothing of it is kept")
    return Ran(statement.line, statement.text.splitlines()[0], con.total_changes - before)


def _drop_temporary(con: sqlite3.Connection) -> None:
    """Drop what transforms made for themselves: a temporary table hides the published one of its name."""
    made = con.execute("SELECT type, name FROM sqlite_temp_schema WHERE type IN ('trigger', 'view', 'table')")
    for kind, name in sorted(made.fetchall(), reverse=True):  # views before the tables, triggers as they come
        con.execute(f"DROP {kind} IF EXISTS temp.{quote(name)}")


def guard(reasons: list[str]) -> Callable[..., int]:
    """Make an authorizer that keeps a statement of a plan to the copy; appends why it refuses something."""

    def allowed(action: int, first: str | None, second: str | None, *_: object) -> int:
        reason = _refusal(action, first or "", second)
        if reason is None:
            return sqlite3.SQLITE_OK
        reasons.append(reason)
        return sqlite3.SQLITE_DENY

    return allowed


def _refusal(action: int, first: str, second: str | None) -> str | None:
    if action in _REFUSED:
        return _REFUSED[action].format(first)
    if action == sqlite3.SQLITE_PRAGMA:
        name = first.lower()
        reads = name in _READING and not (second is not None and name in _WITHOUT_VALUE)
        return (
            None if reads or name in _IN_THE_FILE else f"PRAGMA {name} is not allowed: it changes a setting"
        )
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in ("load_extension", "fts3_tokenizer"):
        return f"{second}() is not allowed"
    return None


def _failed(statement: Statement, name: str, reason: str) -> PublishError:
    lines = statement.text.splitlines()
    shown = lines[:_SHOWN_LINES] + (["…"] if len(lines) > _SHOWN_LINES else [])
    return PublishError(
        f"{name}, line {statement.line}: {reason}",
        detail="\n".join(f"  {line}" for line in shown),
        hint="nothing was published; correct the transform and publish again",
    )
