"""Statements that differ only in values, names' case and white space, as one text."""

from __future__ import annotations

import re
from typing import Final

from greynb.databases.sqltext import Dialect, tokens

_VALUES: Final = {"string", "number", "parameter", "mark"}
_LIST: Final = re.compile(r"\(\s*\?(?:\s*,\s*\?)*\s*\)")


def normalised(sql: str, dialect: Dialect) -> str:
    """Give the statement without its values.

    Literals and parameters become ``?``, a list of them ``(?)``; comments go, white space is one blank, and
    what is not quoted is lower case.
    """
    pieces: list[str] = []
    for token in tokens(sql, dialect):
        if not token.significant:
            pieces.append(" ")
        elif token.kind in _VALUES:
            pieces.append("?")
        else:
            pieces.append(token.text.lower() if token.kind == "name" else token.text)
    text = " ".join("".join(pieces).split()).rstrip("; ")
    return _LIST.sub("(?)", text)
