"""Rows and storage classes of each column, counted without the shapes that a census looks at.

Two passes at most: the first counts what a column usually holds, by its declared type; only columns that hold
something else are counted by class. That takes half as long as a census where there are many dates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from greynb.databases.census import COLUMNS_AT_ONCE, Run, TableCensus, source
from greynb.databases.declared import usual_storage
from greynb.databases.identifiers import quote
from greynb.databases.relations import list_relations

_CLASSES: Final = ("integer", "real", "text", "blob")


def storage_classes(run: Run) -> dict[str, TableCensus]:
    """Count the rows of each table, and the integers, reals, texts and blobs of each column.

    Parameters
    ----------
    run
        Runs one SQL statement inside SQLite and returns its rows. What it raises stops the counting.

    Returns
    -------
    dict
        Tables by name; views, virtual tables, and what SQLite cannot read are left out.
    """
    listed = list_relations(run)
    return {
        name: _counted(run, each)
        for name, each in listed.items()
        if each.kind == "table" and not each.problem
    }


def _counted(run: Run, table: TableCensus) -> TableCensus:
    rows = int(str(run(f"SELECT count(*) FROM {quote(table.name)}")[0][0]))
    usual = {number: usual_storage(each.declared) for number, each in enumerate(table.columns)}
    filled = _sums(run, table, usual, lambda c, kind: [f"count({c})", f"total(typeof({c}) = '{kind}')"])
    columns = list(table.columns)
    for number, (values, ordinary) in filled.items():
        kept: dict[str, Any] = {f"{usual[number]}s": ordinary}
        columns[number] = replace(columns[number], nulls=rows - values, **kept)
    odd = {number: "" for number, (values, ordinary) in filled.items() if values != ordinary}
    classes = _sums(run, table, odd, lambda c, _: [f"total(typeof({c}) = '{kind}')" for kind in _CLASSES])
    for number, counts in classes.items():
        found: dict[str, Any] = {f"{kind}s": count for kind, count in zip(_CLASSES, counts, strict=True)}
        columns[number] = replace(columns[number], **found)
    return replace(table, rows=rows, columns=tuple(columns))


def _sums(
    run: Run, table: TableCensus, wanted: dict[int, str], ask: Callable[[str, str], Sequence[str]]
) -> dict[int, list[int]]:
    """What each column answers, some columns at a time: SQLite gives a limited number of values in a row."""
    found: dict[int, list[int]] = {}
    left = iter(wanted.items())
    while some := list(islice(left, COLUMNS_AT_ONCE)):
        asked = [ask(f"c{number}", kind) for number, kind in some]
        (row,) = run(source(table) + f"SELECT {', '.join(each for part in asked for each in part)} FROM __s")
        values = iter(int(float(str(value))) for value in row)
        found |= {
            number: list(islice(values, len(part))) for (number, _), part in zip(some, asked, strict=True)
        }
    return found
