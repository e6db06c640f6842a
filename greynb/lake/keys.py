"""Which declared primary keys of staging tell the rows of a lake apart, too.

In the lake a column has one type, and is compared as that: 1 and '1', which are two keys for SQLite, are one
text. So a key counts where its columns hold values of one kind that keep their differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from greynb.databases.columns import choose, unique_names
from greynb.databases.identifiers import fold
from greynb.databases.mirrored import Contents
from greynb.databases.relations import ColumnCensus
from greynb.publish.changedrows import reading, side

_EXACT = frozenset({"BIGINT", "BOOLEAN", "DATE", "VARCHAR"})


def declared_keys(database: Path, held: Contents) -> Mapping[str, tuple[str, ...]]:
    """The columns of each such key, as the lake names them, by the table's name in the lake.

    Parameters
    ----------
    database
        The still SQLite file that is published.
    held
        What its columnar mirror holds.
    """
    found = {}
    shown = held.shown
    with reading(database) as con:
        for name, table in held.tables.items():
            if table.unstored or table.census.kind != "table":
                continue
            names = unique_names(each.name for each in table.census.columns)
            columns = {
                fold(each.name): (own, each) for own, each in zip(names, table.census.columns, strict=True)
            }
            key = [columns.get(fold(column)) for column, _ in side(con, name).key]
            if key and all(each is not None and _is_exact(each[1]) for each in key):
                found[shown[name]] = tuple(each[0] for each in key if each is not None)
    return found


def _is_exact(column: ColumnCensus) -> bool:
    """Whether two values of a column are one in the lake only where they are one in SQLite."""
    mixed = column.nulls or column.reals or column.blobs or (column.integers and column.texts)
    return not mixed and column.encoding == "utf-8" and choose(column) in _EXACT
