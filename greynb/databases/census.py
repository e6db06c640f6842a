"""Which storage classes and shapes the columns of a SQLite file really hold.

SQLite types values, not columns. A census counts, per column, the integers, reals, texts and blobs, and
looks closer only where that decides a type: bounds of integers beside reals, the shape of text in columns
declared as dates, text that is not valid UTF-8. It runs inside SQLite through a callable, so the reader
(through DuckDB's attachment) and the publisher (through sqlite3) share it.

Columns are addressed by position (``WITH __s(c0, c1) AS (SELECT * FROM t)``), because a column may have any
name: empty, a keyword, or the same as another column of a view. The source has a name that no table has: a
table ``s`` would be taken for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from greynb.databases.declared import is_boolean, is_dated, usual_storage
from greynb.databases.identifiers import quote
from greynb.databases.relations import (
    REFUSALS,
    ColumnCensus,
    Run,
    TableCensus,
    encoding_of,
    first_line,
    list_relations,
    stop_if_interrupted,
)

__all__ = ["ColumnCensus", "Run", "TableCensus", "count", "source", "take_census"]

COLUMNS_AT_ONCE = 100  # SQLite returns at most 2,000 result columns; a closer look takes eight per column
NOT_ASCII = "'*[^' || char(1) || '-' || char(127) || ']*'"

# A column's affinity would turn '0001' into a number: hence the plus signs. Without a modifier, some versions
# of SQLite give 2025-02-30 back as it is.
DATE = "(length({c}) = 10 AND date({c}, '+0 days') = +{c} AND +{c} >= '0001')"
STAMP = (  # YYYY-MM-DD, blank or T, HH:MM or HH:MM:SS with at most six digits after a point; no zone
    "(length({c}) >= 16 AND +{c} >= '0001' AND {c} GLOB '????-??-??[ T]??:??*' AND +{c} = substr({c}, 1, 26)"
    " AND datetime(substr({c}, 1, 19), '+0 days') ="
    " replace(substr({c}, 1, 19), 'T', ' ') || CASE length({c}) WHEN 16 THEN ':00' ELSE '' END"
    " AND (length({c}) IN (16, 19)"
    " OR (substr({c}, 20) GLOB '.[0-9]*' AND substr({c}, 21) NOT GLOB '*[^0-9]*')))"
)


def take_census(run: Run, tables: Iterable[str] | None = None) -> dict[str, TableCensus]:
    """Count what the columns hold.

    Parameters
    ----------
    run
        Runs one SQL statement inside SQLite and returns its rows; numbers may come back as text.
    tables
        The exact names to look at; all tables, views and virtual tables without it.

    Returns
    -------
    dict
        By name. A relation that SQLite itself cannot read is there with its `problem`.
    """
    wanted = None if tables is None else set(tables)
    found = list_relations(run)
    return {name: count(run, found[name]) for name in found if wanted is None or name in wanted}


def count(run: Run, table: TableCensus) -> TableCensus:
    """Count what the columns of a listed relation hold."""
    if table.problem:
        return table
    try:
        utf8 = encoding_of(run) == "utf-8"
        rows = int(str(run(f"SELECT count(*) FROM {quote(table.name)}")[0][0]))
        columns = list(table.columns)
        for numbers in _slices(range(len(columns))):
            for number, column in _first_look(run, table, numbers, rows, utf8):
                columns[number] = column
        return replace(table, rows=rows, columns=tuple(columns))
    except REFUSALS as error:
        stop_if_interrupted(error)
        return replace(table, problem=first_line(error))


def source(table: TableCensus) -> str:
    """Write the start of a SQLite statement that names the relation's columns c0, c1, … in a source __s."""
    names = ", ".join(f"c{number}" for number in range(len(table.columns)))
    return f"WITH __s({names}) AS (SELECT * FROM {quote(table.name)}) "


def _first_look(
    run: Run, table: TableCensus, numbers: Sequence[int], rows: int, utf8: bool
) -> Iterator[tuple[int, ColumnCensus]]:
    """Count values and those of the usual class; look closer where that does not settle the type."""
    wanted = [each for number in numbers for each in _usual(f"c{number}", table.columns[number], utf8)]
    values = [int(float(str(value))) for value in _one_row(run, table, wanted)]
    closer = []
    for place, number in enumerate(numbers):
        filled, usual_ones, doubtful = values[3 * place : 3 * place + 3]
        pure = usual_ones == filled
        column = replace(table.columns[number], nulls=rows - filled, encoding="utf-8" if utf8 else "utf-16")
        if pure:
            counts: dict[str, Any] = {f"{usual_storage(column.declared)}s": filled}
            column = replace(column, **counts)
        if pure and doubtful:
            column = replace(column, encoding=_encoding(run, table, number))
        if pure and not (filled and _needs_more(column)):
            yield number, column
        else:
            closer.append((number, column))
    if closer:
        yield from _closer_look(run, table, closer)


def _usual(c: str, column: ColumnCensus, utf8: bool) -> list[str]:
    usual = usual_storage(column.declared)
    doubtful = utf8 and usual == "text" and not is_dated(column.declared)
    return [
        f"count({c})",
        f"total(typeof({c}) = '{usual}')",
        _how_many(_doubtful(c)) if doubtful else "0",
    ]


def _needs_more(column: ColumnCensus) -> bool:
    return is_boolean(column.declared) or is_dated(column.declared)


def _closer_look(
    run: Run, table: TableCensus, columns: Sequence[tuple[int, ColumnCensus]]
) -> Iterator[tuple[int, ColumnCensus]]:
    wanted = [each for number, column in columns for each in _details(f"c{number}", column)]
    values = [None if each is None else int(str(each)) for each in _one_row(run, table, wanted)]
    for place, (number, column) in enumerate(columns):
        integers, reals, texts, blobs, low, high, dates, stamps = values[8 * place : 8 * place + 8]
        column = replace(
            column,
            integers=integers or 0,
            reals=reals or 0,
            texts=texts or 0,
            blobs=blobs or 0,
            low=low,
            high=high,
            dates=dates or 0,
            stamps=stamps or 0,
        )
        if column.dates + column.stamps < column.texts and column.encoding == "utf-8":
            column = replace(column, encoding=_encoding(run, table, number))
        yield number, column


def _details(c: str, column: ColumnCensus) -> list[str]:
    """Ask for the eight numbers of a closer look; what the first look settled is not counted again."""
    known = (column.integers, column.reals, column.texts, column.blobs)
    kinds = ("integer", "real", "text", "blob")
    classes = [str(n) for n in known] if any(known) else [f"sum(typeof({c}) = '{kind}')" for kind in kinds]
    bounds, shapes = ["NULL", "NULL"], ["0", "0"]
    if column.integers or not any(known):
        bounds = [f"{end}(CASE typeof({c}) WHEN 'integer' THEN {c} END)" for end in ("min", "max")]
    if is_dated(column.declared) and (column.texts or not any(known)):
        shapes = [_how_many(f"typeof({c}) = 'text' AND {shape.format(c=c)}") for shape in (DATE, STAMP)]
    return [*classes, *bounds, *shapes]


def _one_row(run: Run, table: TableCensus, wanted: Sequence[str]) -> Sequence[object]:
    named = ", ".join(f"{each} AS v{place}" for place, each in enumerate(wanted))
    return run(source(table) + f"SELECT {named} FROM __s")[0]


def _how_many(condition: str) -> str:
    """Count rows. Only CASE stops at the first false part of an AND: twice as fast as a sum of it."""
    return f"count(CASE WHEN {condition} THEN 1 END)"


def _doubtful(c: str) -> str:
    """Text that is not plain ASCII: only that can be invalid UTF-8. GLOB and length() stop at a NUL."""
    return f"{c} GLOB {NOT_ASCII} OR length({c}) <> length(CAST({c} AS BLOB))"


def _encoding(run: Run, table: TableCensus, number: int) -> str:
    """Read the doubtful texts and say whether all are valid UTF-8; where they are too long, assume not."""
    c = f"c{number}"
    joined = source(table) + (
        f"SELECT hex(group_concat({c}, char(10))) FROM __s WHERE typeof({c}) = 'text' AND ({_doubtful(c)})"
    )
    try:
        bytes.fromhex(str(run(joined)[0][0] or "")).decode()
    except (UnicodeDecodeError, *REFUSALS) as error:
        stop_if_interrupted(error)
        return "invalid"
    return "utf-8"


def _slices(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for begin in range(0, len(numbers), COLUMNS_AT_ONCE):
        yield numbers[begin : begin + COLUMNS_AT_ONCE]
