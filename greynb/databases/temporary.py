"""Temporary tables and views of a session, beside the analytics tables."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, Final

from greynb.databases.identifiers import fold
from greynb.databases.sqltext import tokens
from greynb.errors import WriteRefused

if TYPE_CHECKING:
    import duckdb

    from greynb.databases.gate import Passed

WRITE_HINT: Final = "write in %%staging, then publish with `greynb sync`"


def is_temporary(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether the session has a temporary table or view of that name, which then wins."""
    found = con.execute(
        "SELECT 1 FROM information_schema.tables"
        " WHERE table_catalog = 'temp' AND lower(table_name) = lower(?)",
        [name],
    ).fetchone()
    return found is not None


def names_temporary(con: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Whether a statement that DuckDB may not understand has the name of a temporary table or view in it."""
    found = con.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'temp'"
    ).fetchall()
    words = {fold(token.text.strip('"`[]')) for token in tokens(sql, "sqlite")} if found else set()
    return any(fold(name) in words for (name,) in found)


def refuse_drops(con: duckdb.DuckDBPyConnection, passed: Iterable[Passed], known: Container[str]) -> None:
    """Say that a table of the file cannot be dropped, rather than that no temporary one has its name.

    Parameters
    ----------
    con
        The session's connection.
    passed
        Statements in their order; what one makes, a later one may drop.
    known
        The analytics tables and views.
    """
    made: set[str] = set()
    for kind, target in ((each.kind, each.target) for each in passed):
        if target is None or target[1] not in known:
            continue
        name = target[1]
        if kind == "create":
            made.add(name.lower())
        elif name.lower() not in made and not is_temporary(con, name):
            raise WriteRefused(f"DROP of {name}: analytics is read-only", hint=WRITE_HINT)


def hiding(passed: Passed, known: Container[str]) -> list[str]:
    """Say that what a CREATE makes hides an analytics table.

    Parameters
    ----------
    passed
        A statement, any.
    known
        The analytics tables and views.
    """
    if passed.kind != "create" or not passed.target or passed.target[1] not in known:
        return []
    kind, name = passed.target
    if kind not in ("TABLE", "VIEW"):
        return []
    made = f"the temporary {kind.lower()} {name}"
    return [
        f"{made} hides the analytics table {name} until DROP {kind} {name}; analytics.{name} reads the file"
    ]
