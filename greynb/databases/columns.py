r"""From a census to the narrowest DuckDB type per column that loses nothing, and the SQL that reads it.

===========================================  =========================================================
a column holds                               and is read as
===========================================  =========================================================
only NULLs                                   what its declared type promises
integers                                     BIGINT; BOOLEAN if declared so and all are 0 or 1
reals, or reals and integers                 DOUBLE; VARCHAR if an integer is beyond 2**53
ISO dates, in a column declared as date      DATE; in one declared as date-time TIMESTAMP
ISO timestamps, with or without dates        TIMESTAMP, in a column declared as date or time
blobs                                        BLOB
anything else                                VARCHAR
===========================================  =========================================================

Timestamps with a zone or finer than microseconds, and texts that only look like dates (``2025-02-30``,
``01/07/2025``, an empty text) keep their column VARCHAR. In a mixed VARCHAR column, integers show as
decimal digits, reals as DuckDB's shortest text that reads back as the same number (``0.1``, ``inf``), blobs
and texts that are not valid UTF-8 as DuckDB's escapes (``\xAB``). The sign of a negative zero is not kept.

A column is read *directly*, through DuckDB's own scan of the table, where that is known to be exact.
Otherwise SQLite itself turns each value into text that survives the trip, and DuckDB casts that back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from greynb.databases.declared import is_boolean, is_dated, promised, scanned_as
from greynb.databases.identifiers import fold
from greynb.databases.relations import ColumnCensus

EXACT = 2**53  # integers up to here are exact as a double

# SQLite's text of a real has 15 digits; its printf needs 20 to read back exactly at every magnitude.
REAL = "printf('%!.20e', {c})"
TRANSPORT = {
    "DOUBLE": f"CASE WHEN {{c}} IS NOT NULL THEN {REAL} END",
    "BLOB": "CASE WHEN {c} IS NOT NULL THEN hex({c}) END",
}
READ = {"BOOLEAN": "({x} = '1')", "BLOB": "unhex({x})", "VARCHAR": "{x}"}

# A mixed value travels as a letter and its text, because text alone does not say what it was.
MIXED = (
    "CASE typeof({c}) WHEN 'null' THEN NULL WHEN 'blob' THEN 'b' || hex({c})"
    f" WHEN 'real' THEN 'r' || {REAL} WHEN 'integer' THEN 't' || {{c}} ELSE "
)
VALID = MIXED + "'t' || {c} END"
INVALID = MIXED + "'h' || hex({c}) END"
READ_MIXED = (
    "CASE left({x}, 1) WHEN 't' THEN substr({x}, 2)"
    " WHEN 'r' THEN CAST(CAST(substr({x}, 2) AS DOUBLE) AS VARCHAR)"
    " WHEN 'b' THEN CAST(unhex(substr({x}, 2)) AS VARCHAR)"
    " WHEN 'h' THEN coalesce(TRY(decode(unhex(substr({x}, 2)))), CAST(unhex(substr({x}, 2)) AS VARCHAR)) END"
)

DIRECT = {  # (type that DuckDB's scan gives, type chosen) -> how to get from one to the other
    ("BIGINT", "BIGINT"): "{x}",
    ("BIGINT", "BOOLEAN"): "CAST({x} AS BOOLEAN)",
    ("DOUBLE", "BIGINT"): "CAST({x} AS BIGINT)",
    ("DOUBLE", "DOUBLE"): "{x}",
    ("VARCHAR", "VARCHAR"): "{x}",
    ("VARCHAR", "DATE"): "CAST({x} AS DATE)",
    ("VARCHAR", "TIMESTAMP"): "CAST({x} AS TIMESTAMP)",
    ("DATE", "DATE"): "{x}",
    ("TIMESTAMP", "TIMESTAMP"): "{x}",
    ("BLOB", "BLOB"): "{x}",
    ("BLOB", "BIGINT"): "CAST(decode({x}) AS BIGINT)",
    ("BLOB", "VARCHAR"): "decode({x})",
}


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """How one column is read.

    Attributes
    ----------
    name
        What the column is called in DuckDB: its own name, unless that is empty or already taken.
    type
        The DuckDB type chosen.
    transport
        A SQLite expression over ``{c}`` that gives text.
    read
        A DuckDB expression over that text ``{x}`` that gives the type chosen.
    direct
        A DuckDB expression over the column ``{x}`` of a direct scan; None where that would lose something.
    """

    name: str
    type: str
    transport: str
    read: str
    direct: str | None


def plan(census: ColumnCensus, name: str) -> ColumnPlan:
    """Choose the type of a column and how to read it."""
    chosen = choose(census)
    mixed = chosen == "VARCHAR" and bool(census.reals or census.blobs or census.encoding == "invalid")
    if mixed:
        transport, read = INVALID if census.encoding == "invalid" else VALID, READ_MIXED
    else:
        transport, read = TRANSPORT.get(chosen, "{c}"), READ.get(chosen, f"CAST({{x}} AS {chosen})")
    return ColumnPlan(name, chosen, transport, read, None if mixed else _direct(census, chosen))


def choose(census: ColumnCensus) -> str:
    """Name the narrowest DuckDB type that holds all values of a column."""
    match bool(census.integers), bool(census.reals), bool(census.texts), bool(census.blobs):
        case False, False, False, False:
            return promised(census.declared)
        case True, False, False, False:
            return "BOOLEAN" if is_boolean(census.declared) and _within(census, 0, 1) else "BIGINT"
        case _, True, False, False:
            return "DOUBLE" if not census.integers or _within(census, -EXACT, EXACT) else "VARCHAR"
        case False, False, True, False:
            return _of_texts(census)
        case False, False, False, True:
            return "BLOB"
        case _:
            return "VARCHAR"


def is_widened(census: ColumnCensus) -> bool:
    """Tell whether a column is read as something else than its declared type promises."""
    chosen, hoped = choose(census), promised(census.declared)
    if not census.declared:
        return chosen == "VARCHAR" and bool(census.integers or census.reals or census.blobs)
    return (chosen != hoped and (chosen, hoped) != ("BIGINT", "DOUBLE")) or census.encoding == "invalid"


def unique_names(names: Iterable[str], kind: str = "column") -> list[str]:
    """Give every name its own spelling: DuckDB knows no empty name and no two that differ in ASCII case."""
    taken: set[str] = set()
    unique = []
    for number, name in enumerate(names, start=1):
        own = candidate = name or f"{kind}{number}"
        suffix = 1
        while fold(candidate) in taken:
            candidate, suffix = f"{own}_{suffix}", suffix + 1
        taken.add(fold(candidate))
        unique.append(candidate)
    return unique


def _of_texts(census: ColumnCensus) -> str:
    if not is_dated(census.declared) or census.dates + census.stamps < census.texts:
        return "VARCHAR"
    return "TIMESTAMP" if census.stamps else promised(census.declared)


def _direct(census: ColumnCensus, chosen: str) -> str | None:
    scanned = scanned_as(census.declared)
    if not (census.integers or census.reals or census.texts or census.blobs):
        return f"CAST(NULL AS {chosen})"
    if scanned == "BLOB" and chosen != "BLOB" and census.encoding != "utf-8":
        return None
    if (scanned, chosen) == ("DOUBLE", "BIGINT") and not _within(census, -EXACT, EXACT):
        return None
    if (scanned, chosen) == ("VARCHAR", "VARCHAR") and census.integers:
        return None
    return DIRECT.get((scanned, chosen))


def _within(census: ColumnCensus, low: int, high: int) -> bool:
    return census.low is not None and census.high is not None and low <= census.low <= census.high <= high
