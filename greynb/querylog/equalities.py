"""By which columns a statement looks for rows: those that it compares with ``=``, ``IN`` or ``USING``."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Compared:
    """What a statement compares.

    Attributes
    ----------
    tables
        The table behind each name or alias, which is in lower case.
    columns
        The columns by which rows are looked for, by the same names; in the table's own spelling.
    """

    tables: Mapping[str, str]
    columns: Mapping[str, tuple[str, ...]]


def compared(con: sqlite3.Connection, sql: str) -> Compared:
    """Read a statement; one that cannot be parsed compares nothing."""
    from sqlglot import ErrorLevel, exp, parse_one
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(sql, dialect="sqlite", error_level=ErrorLevel.RAISE)
    except (SqlglotError, RecursionError):
        return Compared({}, {})
    real = {str(name).lower(): str(name) for (name,) in con.execute("SELECT name FROM pragma_table_list")}
    tables = {
        each.alias_or_name.lower(): real[each.name.lower()]
        for each in tree.find_all(exp.Table)
        if each.name.lower() in real
    }
    own = {
        name: {str(row[0]).lower(): str(row[0]) for row in con.execute(_COLUMNS, (table,))}
        for name, table in tables.items()
    }
    found: dict[str, dict[str, None]] = {}
    for qualifier, column in _mentioned(tree):
        holders = [qualifier] if qualifier else [name for name, columns in own.items() if column in columns]
        for holder in holders:
            if column in own.get(holder, {}):
                found.setdefault(holder, {})[own[holder][column]] = None
    return Compared(tables, {name: tuple(columns) for name, columns in found.items()})


_COLUMNS = "SELECT name FROM pragma_table_info(?)"


def _mentioned(tree: Any) -> Iterator[tuple[str, str]]:
    """The columns that stand alone on one side of a comparison: qualifier, which may be empty, and name."""
    from sqlglot import exp

    for each in tree.find_all(exp.EQ, exp.In, exp.Is):
        sides = (each.this, each.expression) if isinstance(each, exp.EQ) else (each.this,)
        yield from ((side.table.lower(), side.name.lower()) for side in sides if isinstance(side, exp.Column))
    for join in tree.find_all(exp.Join):
        yield from (("", name.name.lower()) for name in join.args.get("using") or ())
