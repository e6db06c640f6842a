"""The rows of a PostgreSQL table as SQLite stores them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from greynb.postgres.columns import ColumnPlan
from greynb.postgres.relations import Relation

if TYPE_CHECKING:
    import psycopg

_BATCH: Final = 10_000


def rows(
    con: psycopg.Connection[Any], relation: Relation, columns: Sequence[ColumnPlan], which: str = ""
) -> Iterator[list[tuple[Any, ...]]]:
    """Read rows as SQLite stores them, in batches.

    Parameters
    ----------
    con
        A connection inside a transaction.
    relation, columns
        The table, and which of its columns.
    which
        A ``WHERE`` or ``ORDER BY``.

    Raises
    ------
    TooExact
        A numeric does not fit its column.
    """
    select = ", ".join(each.select for each in columns)
    with con.cursor(name="greynb_rows") as cursor:
        cursor.execute(f"SELECT {select} FROM {relation.qualified} {which}")
        while batch := cursor.fetchmany(_BATCH):
            by_column = zip(columns, zip(*batch, strict=True), strict=True)
            yield list(zip(*(each.stored(values) for each, values in by_column), strict=True))
