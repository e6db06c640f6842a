"""The one place where SQL identifiers and string literals are quoted."""

from __future__ import annotations


def quote(name: str) -> str:
    """Quote an identifier for SQLite and DuckDB alike: double quotes, inner ones doubled."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a string literal, for the few places of SQL that take no bound value (``ATTACH``)."""
    return "'" + text.replace("'", "''") + "'"
