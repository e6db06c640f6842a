"""Which part of a cell belongs to a magic of greynb: its words, and its SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from greynb.errors import GreynbError, UsageError
from greynb.routing import Settings

if TYPE_CHECKING:
    from greynb.databases.sqltext import Dialect
    from greynb.routing import Role

_CELL: Final = re.compile(r"\s*%%(analytics|staging)(?!\w)")
_LINE: Final = re.compile(r"^[ \t]*(?:[\w \t,]+=)?[ \t]*%(analytics|staging|greynb)(?!\w)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Magic:
    """A magic, with its place in the text of its cell.

    Attributes
    ----------
    name
        ``analytics``, ``staging`` or ``greynb``.
    words
        Offset after the name, where its words begin.
    sql
        Offset where its SQL begins; `end` where there is none.
    end
        Offset of its end.
    """

    name: str
    words: int
    sql: int
    end: int

    @property
    def role(self) -> Role:
        """Whose SQL it is."""
        return cast("Role", self.name)

    @property
    def dialect(self) -> Dialect:
        """Which engine reads the SQL."""
        return dialect_of(self.name)


def dialect_of(name: str) -> Dialect:
    """Which engine reads the SQL of a magic."""
    if name != "staging":
        return "duckdb"
    try:
        return Settings.current().route("staging").dialect
    except GreynbError:  # said by the cell when it runs
        return "sqlite"


def magic_at(cell: str, offset: int) -> Magic | None:
    """The magic whose words or SQL stand at an offset; None in other code."""
    found = _CELL.match(cell)
    if found is not None:
        if offset < found.end():
            return None
        line_end = _end_of_line(cell, found.end())
        sql = _sql_of_line(cell, found.end(), line_end, found[1], body=True)
        return Magic(found[1], found.end(), line_end + 1 if sql is None else sql, len(cell))
    for found in _LINE.finditer(cell):
        end = _end_of_line(cell, found.end())
        if found.end() < offset <= end:
            sql = None if found[1] == "greynb" else _sql_of_line(cell, found.end(), end, found[1], body=False)
            return Magic(found[1], found.end(), end + 1 if sql is None else sql, end)
    return None


def _end_of_line(cell: str, offset: int) -> int:
    end = cell.find("\n", offset)
    return len(cell) if end < 0 else end


def _sql_of_line(cell: str, begin: int, end: int, role: str, *, body: bool) -> int | None:
    """Where SQL begins on the magic's own line; None where it holds only words, or is not finished."""
    from greynb.notebook.options import parse

    line = cell[begin:end]
    if line.split(None, 1)[:1] == ["load"] and role == "staging":
        return None
    try:
        sql = parse(line, body=body, staging=role == "staging").sql
    except UsageError:
        return None
    return begin + len(line.rstrip()) - len(sql) if sql else None
