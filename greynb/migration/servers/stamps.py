"""The ways in which timestamps are written in SQLite, so that those of a column come back as they were.

PostgreSQL gives ``2025-07-01 10:30:00.5``: a blank, seconds always, no zeros at the end of a fraction.
Python's ``isoformat`` writes a T, and six digits of a fraction or none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Final

from greynb.databases.census import source
from greynb.databases.relations import TableCensus


def way_of(con: sqlite3.Connection, table: TableCensus, number: int) -> str | None:
    """The way in which all timestamps of a column are written; None where they are not written alike.

    Parameters
    ----------
    con
        The file, each text of whose column is a date or a timestamp.
    table, number
        The column's table and its place in it, from 0.
    """
    c = f"c{number}"
    # What decides is the same for all texts of one shape.
    shape = (
        f"substr({c}, 11, 1), length({c}), substr({c}, 12, 8) = '00:00:00', substr({c}, 18, 2) = '00',"
        f" substr({c}, -1) = '0', ltrim(substr({c}, 21), '0') = ''"
    )
    rows = con.execute(f"{source(table)}SELECT min({c}) FROM __s WHERE {c} IS NOT NULL GROUP BY {shape}")
    examples = [text for (text,) in rows]
    return next((way for way in WAYS if all(written(way)(_plain(text)) == text for text in examples)), None)


def written(way: str) -> Callable[[str], str]:
    """What turns PostgreSQL's text of a timestamp into that of SQLite's column; others stay as they are."""
    return partial(_written, way)


def _written(way: str, text: str) -> str:
    if len(text) < 19 or not text[:4].isdigit() or text[10] != " " or text.endswith("BC"):
        return text  # infinity, or a year that SQLite's functions do not know either
    separator, form = way[0], way[1:]
    day, seconds, fraction = text[:10], text[11:19], text[20:]
    if form == "day":
        if seconds == "00:00:00" and not fraction:
            return day
    elif form == "minutes":
        if seconds.endswith(":00") and not fraction:
            seconds = seconds[:5]
    elif form == "python":
        fraction = fraction and fraction.ljust(6, "0")
    elif form in ("3", "6"):
        fraction = fraction.ljust(int(form), "0")
    return f"{day}{separator}{seconds}" + (f".{fraction}" if fraction else "")


def _plain(text: str) -> str:
    """As PostgreSQL writes the same timestamp."""
    seconds = text[11:19] or "00:00:00"
    seconds += ":00" if len(seconds) == 5 else ""
    fraction = text[20:].rstrip("0")
    return f"{text[:10]} {seconds}" + (f".{fraction}" if fraction else "")


WAYS: Final = tuple(
    f"{separator}{form}"
    for separator in (" ", "T")
    for form in ("plain", "python", "3", "6", "minutes", "day")
)
"""A separator and a form: ``plain`` is PostgreSQL's own, ``3`` and ``6`` are digits of a fraction."""
