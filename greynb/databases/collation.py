"""Columns that SQLite compares without case (``COLLATE NOCASE``), as their tables' definitions say.

DuckDB's own NOCASE is another one: it folds all letters where SQLite's folds A to Z, and it would follow the
values into results and joins. So the views compare by case, and users are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from greynb.databases.identifiers import fold, literal
from greynb.databases.relations import Run, TableCensus
from greynb.databases.sqltext import Token, tokens

NOTICE: Final = "{}.{} is COLLATE NOCASE in SQLite; %%analytics compares it by case (use lower on both sides)"


def nocase_notices(run: Run, table: TableCensus, shown: str) -> list[str]:
    """Say which columns that hold text SQLite would compare without case.

    Parameters
    ----------
    run
        Runs one SQL statement inside SQLite and returns its rows.
    table
        The census of the table.
    shown
        Its name for users.
    """
    if table.problem or table.kind != "table" or not any(column.texts for column in table.columns):
        return []
    rows = run(
        "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND sql LIKE '%nocase%'"
        f" AND name = {literal(table.name)}"
    )
    named = {fold(name) for (sql,) in rows for name in nocase_columns(str(sql))}
    return [
        NOTICE.format(shown, each.name) for each in table.columns if each.texts and fold(each.name) in named
    ]


def nocase_columns(sql: str) -> list[str]:
    """Name the columns of a CREATE TABLE statement that have COLLATE NOCASE.

    Parameters
    ----------
    sql
        The statement as SQLite stores it.
    """
    return [_bare(part[0].text) for part in _parts(sql) if _is_nocase(part)]


def _parts(sql: str) -> Iterator[list[Token]]:
    """Cut what stands in the outer brackets at its own commas; a column's name comes first in its part."""
    depth, part = 0, list[Token]()
    for token in tokens(sql, "sqlite"):
        opens, closes = token.text == "(", token.text == ")"
        depth -= closes
        if depth == 1 and token.text == ",":
            yield part
            part = []
        elif depth == 1 and token.significant and not opens and not closes:
            part.append(token)
        depth += opens
    if part:
        yield part


def _is_nocase(part: Sequence[Token]) -> bool:
    return any(
        one.text.upper() == "COLLATE" and _bare(other.text).upper() == "NOCASE"
        for one, other in pairwise(part)
    )


def _bare(name: str) -> str:
    """A name without the quotes that SQLite takes around it."""
    for first, last in ('""', "``", "[]", "''"):
        if len(name) > 1 and name.startswith(first) and name.endswith(last):
            return name[1:-1].replace(last * 2, last)
    return name
