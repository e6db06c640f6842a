"""A census that counts as little as it can: the build itself finds out where a guess was wrong.

DuckDB's scan of a SQLite table stops with an error at any value that does not have the storage class of the
type it gives a column, if that is BIGINT, VARCHAR, or DOUBLE for a column of REAL affinity; and its storage
looks for text that is not valid UTF-8, or can be asked to (DuckDB 1.5.5; the tests keep watch with random
tables). So nothing has to be counted in such columns before they are read. Only the others are looked at, in
one pass: those declared as dates or times, as booleans, as numbers of no certain class, as blobs, or not at
all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from greynb.databases.census import source
from greynb.databases.columns import choose
from greynb.databases.declared import is_boolean, is_dated, scanned_as, usual_storage
from greynb.databases.identifiers import quote
from greynb.databases.relations import ColumnCensus, Run, TableCensus, encoding_of

_REAL: Final = ("real", "floa", "doub")
_CLASSES: Final = ("integer", "real", "text", "blob")
_AT_ONCE: Final = 200  # columns; SQLite returns at most 2,000 columns; each of these takes eight

# Where DuckDB can cast a text of these shapes at all, the result says the same as the text: the calendar is
# its to check, but it takes 24:00 for the next day, blanks for digits and much else. Only text has minus
# signs in such places, or a blob, which DuckDB refuses. GLOB and substr() stop at a NUL.
_DAY: Final = "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]"
_MINUTE: Final = f"{_DAY}[ T][0-2][0-9]:[0-5][0-9]"
_LONG: Final = "+{{c}} >= '0001' AND length(CAST({{c}} AS BLOB)) = {length}"
_CLOCK: Final = "substr({c}, 12, 2) < '24'"
DATE: Final = f"{{c}} GLOB '{_DAY}' AND {_LONG.format(length=10)}"
SECOND: Final = f"{{c}} GLOB '{_MINUTE}:[0-5][0-9]' AND {_LONG.format(length=19)} AND {_CLOCK}"
STAMP: Final = (
    f"{{c}} GLOB '{_MINUTE}*' AND +{{c}} = substr({{c}}, 1, 26) AND {_CLOCK} AND +{{c}} >= '0001'"
    " AND (length({c}) = 16 OR (length({c}) >= 19 AND substr({c}, 17, 3) GLOB ':[0-5][0-9]'"
    " AND (length({c}) = 19 OR (substr({c}, 20) GLOB '.[0-9]*' AND substr({c}, 21) NOT GLOB '*[^0-9]*'))))"
)


def is_certain(declared: str) -> bool:
    """Whether a scan gives a column of this declared type exactly, or stops."""
    if is_dated(declared) or is_boolean(declared):
        return False
    scanned = scanned_as(declared)
    return scanned in ("BIGINT", "VARCHAR") or (
        scanned == "DOUBLE" and any(part in declared.lower() for part in _REAL)
    )


def guess(run: Run, table: TableCensus) -> TableCensus | None:
    """Say what the columns of a table should hold; None where only a census can tell.

    Parameters
    ----------
    run
        Runs one statement inside SQLite.
    table
        A table as it is listed.

    Returns
    -------
    TableCensus or None
        With the number of rows. In certain columns every value counts as of the usual class; `settle`
        corrects that once the rows have been read.
    """
    if encoding_of(run) != "utf-8":
        return None
    rows = int(str(run(f"SELECT count(*) AS n FROM {quote(table.name)}")[0][0]))
    columns = [_usual(column, rows) for column in table.columns]
    doubtful = [n for n, column in enumerate(columns) if not is_certain(column.declared)]
    for look in (_quick_look, _close_look):
        parts = [doubtful[begin : begin + _AT_ONCE] for begin in range(0, len(doubtful), _AT_ONCE)]
        for number, column in [each for part in parts for each in look(run, table, part, rows)]:
            columns[number] = column
            doubtful.remove(number)
    # The calendar decides how many texts are dates; only where all are read as dates, the build finds out.
    odd = [c for c in columns if is_dated(c.declared) and c.texts and choose(c) not in ("DATE", "TIMESTAMP")]
    return None if odd else replace(table, rows=rows, columns=tuple(columns))


def settle(guessed: TableCensus, filled: Sequence[int]) -> TableCensus:
    """Correct a guess that proved right.

    Parameters
    ----------
    guessed
        From `guess`.
    filled
        Per column, the rows that are not NULL.
    """
    assert guessed.rows is not None
    columns = [
        replace(_usual(column, number), nulls=guessed.rows - number)
        if is_certain(column.declared)
        else column
        for column, number in zip(guessed.columns, filled, strict=True)
    ]
    return replace(guessed, columns=tuple(columns))


def _usual(column: ColumnCensus, filled: int) -> ColumnCensus:
    counts: dict[str, Any] = {f"{usual_storage(column.declared)}s": filled}
    return replace(ColumnCensus(column.name, column.declared), **counts)


def _quick_look(
    run: Run, table: TableCensus, numbers: Sequence[int], rows: int
) -> list[tuple[int, ColumnCensus]]:
    """The columns declared as dates whose values are all dates, or all seconds, as most such columns'."""
    dated = [number for number in numbers if is_dated(table.columns[number].declared)]
    wanted = [
        each
        for number in dated
        for each in (f"count(c{number})", *(_how_many(shape, f"c{number}") for shape in (DATE, SECOND)))
    ]
    values = [each or 0 for each in _one_row(run, table, wanted)] if dated else []
    found = []
    for place, number in enumerate(dated):
        filled, dates, stamps = values[3 * place : 3 * place + 3]
        if filled in (dates, stamps):
            listed = ColumnCensus(table.columns[number].name, table.columns[number].declared)
            column = replace(listed, texts=filled, dates=dates, stamps=stamps, nulls=rows - filled)
            found.append((number, column))
    return found


def _close_look(
    run: Run, table: TableCensus, numbers: Sequence[int], rows: int
) -> list[tuple[int, ColumnCensus]]:
    wanted = [each for n in numbers for each in _numbers(f"c{n}", table.columns[n].declared)]
    values = _one_row(run, table, wanted)
    return [
        (number, _column(table.columns[number], rows, values[8 * place : 8 * place + 8]))
        for place, number in enumerate(numbers)
    ]


def _one_row(run: Run, table: TableCensus, wanted: Sequence[str]) -> list[int | None]:
    named = ", ".join(f"{each} AS v{place}" for place, each in enumerate(wanted))
    (row,) = run(f"{source(table)}SELECT {named} FROM __s")
    return [None if each is None else int(str(each)) for each in row]


def _column(listed: ColumnCensus, rows: int, values: Sequence[int | None]) -> ColumnCensus:
    integers, reals, texts, blobs, dates, stamps = (each or 0 for each in (*values[:4], *values[6:]))
    # As a census has it: bounds are looked for where integers are not all that there may be.
    pure = usual_storage(listed.declared) == "integer" and not (reals or texts or blobs)
    bounded = integers and (not pure or is_boolean(listed.declared) or is_dated(listed.declared))
    return ColumnCensus(
        listed.name,
        listed.declared,
        nulls=rows - integers - reals - texts - blobs,
        integers=integers,
        reals=reals,
        texts=texts,
        blobs=blobs,
        low=values[4] if bounded else None,
        high=values[5] if bounded else None,
        dates=dates,
        stamps=stamps,
    )


def _numbers(c: str, declared: str) -> list[str]:
    classes = [f"count(CASE typeof({c}) WHEN '{kind}' THEN 1 END)" for kind in _CLASSES]
    bounds = [f"{end}(CASE typeof({c}) WHEN 'integer' THEN {c} END)" for end in ("min", "max")]
    shapes = ["0", "0"]
    if is_dated(declared):
        shapes = [_how_many(f"typeof({{c}}) = 'text' AND {shape}", c) for shape in (DATE, STAMP)]
    return [*classes, *bounds, *shapes]


def _how_many(condition: str, c: str) -> str:
    """Count rows. CASE, because only it stops at the first false part of an AND."""
    return f"count(CASE WHEN {condition.format(c=c)} THEN 1 END)"
