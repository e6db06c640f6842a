"""Changing the declared types in a CREATE TABLE statement, and leaving everything else of it as it is.

Source of the grammar: https://www.sqlite.org/lang_createtable.html. What was understood is checked afterwards
against what SQLite says about the new table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from greynb.databases.declared import promised
from greynb.databases.identifiers import fold
from greynb.databases.sqltext import Token, tokens

_ENDS_TYPE: Final = frozenset(
    "CONSTRAINT PRIMARY NOT NULL UNIQUE CHECK DEFAULT COLLATE REFERENCES GENERATED AS ON".split()
)
_AFFINITIES: Final = (  # https://www.sqlite.org/datatype3.html#determination_of_column_affinity
    ("int", "integer"),
    ("char", "text"),
    ("clob", "text"),
    ("text", "text"),
    ("blob", "blob"),
    ("real", "real"),
    ("floa", "real"),
    ("doub", "real"),
)

# Per kind: what a reader must expect, the affinities that keep such values as they are, and the type declared
# where one of the two does not hold. INT, unlike INTEGER, never turns a key into the rowid.
_SUITS: Final = {
    "timestamp": ("TIMESTAMP", ("numeric",), "TIMESTAMP"),
    "date": ("DATE", ("numeric",), "DATE"),
    "integer": ("BIGINT", ("integer", "numeric"), "INT"),
    "real": ("DOUBLE", ("real",), "REAL"),
    "text": ("VARCHAR", ("text",), "TEXT"),
    "boolean": ("BOOLEAN", ("numeric",), "BOOLEAN"),
}


def needed_type(declared: str, kind: str) -> str | None:
    """The type to declare for values of a kind; None where the declared one suits."""
    expected, affinities, replacement = _SUITS[kind]
    suits = promised(declared) == expected and _affinity(declared) in affinities
    return None if suits else replacement


def retyped(sql: str, types: Mapping[str, str]) -> str:
    """Declare other types for some columns of a CREATE TABLE statement.

    Parameters
    ----------
    sql
        As ``sqlite_schema`` holds it.
    types
        By column.

    Raises
    ------
    ValueError
        A column was not found.
    """
    wanted = {fold(name): declared for name, declared in types.items()}
    changes: list[tuple[int, int, str]] = []
    for definition in _definitions(sql):
        declared = wanted.pop(fold(_unquoted(definition[0])), None)
        if declared is not None:
            start, end = _type_of(definition)
            changes.append((start, end, f" {declared}" if start == definition[0].end else declared))
    if wanted:
        raise ValueError(f"no column {', '.join(wanted)}")
    for start, end, text in reversed(changes):
        sql = sql[:start] + text + sql[end:]
    return sql


def _affinity(declared: str) -> str:
    text = declared.lower()
    return next((kind for part, kind in _AFFINITIES if part in text), "numeric" if text.strip() else "blob")


def _definitions(sql: str) -> list[list[Token]]:
    """The tokens of each definition between the outer parentheses."""
    found: list[list[Token]] = [[]]
    depth = 0
    for token in tokens(sql, "sqlite"):
        mark = token.text if token.kind == "operator" else ""
        depth -= mark == ")"
        if depth == 0 and mark == ")":
            break
        if depth == 1 and mark == ",":
            found.append([])
        elif depth and token.significant:
            found[-1].append(token)
        depth += mark == "("
    return [each for each in found if each]


def _type_of(definition: Sequence[Token]) -> tuple[int, int]:
    """Where the declared type begins and ends; directly behind the name where there is none."""
    start = end = definition[0].end
    depth = 0
    for token in definition[1:]:
        mark = token.text if token.kind == "operator" else ""
        named = token.kind in ("name", "quoted", "string")
        ends = token.kind == "name" and token.text.upper() in _ENDS_TYPE
        if depth == 0 and (ends or not (named or mark == "(")):
            break
        depth += (mark == "(") - (mark == ")")
        start = token.start if start == definition[0].end else start
        end = token.end
    return start, end


def _unquoted(token: Token) -> str:
    text = token.text
    if token.kind not in ("quoted", "string"):
        return text
    return text[1:-1] if text[0] == "[" else text[1:-1].replace(text[0] * 2, text[0])
