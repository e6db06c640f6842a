"""Columns that SQLite compares in another way than byte by byte: without case, or without blanks at the end.

A column of a view has the collation of the column that it shows. SQLite's program for a comparison names it.
DuckDB's own NOCASE is another one: it folds all letters where SQLite's folds A to Z, and it would follow the
values into results and joins. So DuckDB compares exactly, and users are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from greynb.databases.census import source
from greynb.databases.relations import REFUSALS, Run, TableCensus, stop_if_interrupted

NOTICES: Final = {
    "NOCASE": "{}.{} is COLLATE NOCASE in SQLite; %%analytics compares it by case (use lower on both sides)",
    "RTRIM": "{}.{} is COLLATE RTRIM in SQLite; %%analytics compares blanks at the end (use rtrim)",
}


def collation_notices(run: Run, table: TableCensus, shown: str) -> list[str]:
    """Say which columns that hold text SQLite would compare otherwise.

    Parameters
    ----------
    run
        Runs one SQL statement inside SQLite and returns its rows.
    table
        The census of the table, view or virtual table.
    shown
        Its name for users.
    """
    texts = [number for number, column in enumerate(table.columns) if column.texts]
    try:
        if table.problem or not texts or not _collations(run, table, texts) & NOTICES.keys():
            return []
        found = [(number, _collations(run, table, [number])) for number in texts]
    except REFUSALS as error:
        stop_if_interrupted(error)
        return []
    return [
        NOTICES[each].format(shown, table.columns[number].name)
        for number, names in found
        for each in sorted(names & NOTICES.keys())
    ]


def _collations(run: Run, table: TableCensus, numbers: Sequence[int]) -> set[str]:
    """The collations by which SQLite compares some columns with a text."""
    compared = ", ".join(f"c{number} = 'x' AS v{number}" for number in numbers)
    program = run(f"EXPLAIN {source(table)}SELECT {compared} FROM __s")
    # A step's fifth value is, of a comparison, the collation and the encoding: NOCASE-8.
    return {str(step[5] or "").rpartition("-")[0].upper() for step in program if step[1] in ("Eq", "Ne")}
