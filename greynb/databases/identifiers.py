"""The one place where SQL identifiers and string literals are quoted, and names compared."""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase
from typing import Final

_FOLD: Final = str.maketrans(ascii_uppercase, ascii_lowercase)


def quote(name: str) -> str:
    """Quote an identifier for SQLite and DuckDB alike: double quotes, inner ones doubled."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a string literal, for the few places of SQL that take no bound value (``ATTACH``)."""
    return "'" + text.replace("'", "''") + "'"


def fold(name: str) -> str:
    """Spell a name as SQLite and DuckDB compare it: only ASCII letters lose their case."""
    return name.translate(_FOLD)
