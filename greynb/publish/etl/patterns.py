"""Which tables and columns a pattern of the plan means.

``*`` stands for any characters, ``?`` for one, ``[ab]`` for one of some, as in file names. Case does not
count, as in SQLite, where only ASCII letters have one.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from greynb.databases.identifiers import fold

_GLOB: Final = frozenset("*?[")


def matches(name: str, pattern: str) -> bool:
    """Tell whether a table's or a column's name fits a pattern; every name fits itself."""
    return fold(name) == fold(pattern) or fnmatchcase(fold(name), fold(pattern))


def column_matches(table: str, column: str, pattern: str) -> bool:
    """Tell whether a column fits a ``table.column`` pattern; any dot of it may be the one between the two."""
    dots = [place for place, letter in enumerate(pattern) if letter == "."]
    return any(matches(table, pattern[:dot]) and matches(column, pattern[dot + 1 :]) for dot in dots)


def is_glob(pattern: str) -> bool:
    """Tell whether a pattern can mean several names."""
    return bool(_GLOB & set(pattern))
