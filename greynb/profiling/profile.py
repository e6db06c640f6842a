"""What a profile says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column.

    Attributes
    ----------
    name, type
        Its name and DuckDB's type of it.
    nulls
        Rows without a value.
    distinct
        Different values; None where they are not counted (lists, structs).
    exact
        Whether `distinct` and `quartiles` are exact; in large tables they are estimates within a few
        per cent.
    low, high
        The smallest and the largest value as text; empty where there is none.
    quartiles
        First quartile, median and third quartile as text; of numbers, dates and times.
    bars
        How many values lie in each of `BINS` parts, equally wide, from the smallest to the largest; of
        numbers, dates and times.
    common
        The most frequent values with their number; of texts and booleans.
    """

    name: str
    type: str
    nulls: int
    distinct: int | None = None
    exact: bool = True
    low: str = ""
    high: str = ""
    quartiles: tuple[str, ...] = ()
    bars: tuple[int, ...] = ()
    common: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """All columns of a table or result.

    Attributes
    ----------
    source
        What was profiled, for people.
    rows
        Its number of rows.
    columns
        In the order of the table.
    seconds
        How long it took.
    """

    source: str
    rows: int
    columns: tuple[ColumnProfile, ...]
    seconds: float
