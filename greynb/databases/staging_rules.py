"""Which statements a staging cell may hold, and which of them can live in its one transaction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from greynb.databases.sqltext import Statement, words
from greynb.errors import QueryError

WRITING: Final = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE"})
"""The verbs that count rows."""


def verb(statement: str) -> str:
    """The word that says what a statement does, upper-cased; behind ``WITH …`` that of its main part."""
    match = _FIRST_WORD.match(statement)
    first = match.group().upper() if match else ""
    if first != "WITH":
        return first
    depth = 0
    for word in words(statement, "sqlite"):
        depth += (word == "(") - (word == ")")
        if depth == 0 and word in _MAIN_VERBS:
            return word
    return first


def check(statements: Sequence[Statement], *, dry_run: bool) -> bool:
    """Refuse what a cell cannot hold, and say whether its only statement runs outside a transaction.

    Raises
    ------
    QueryError
        A statement would end the cell's transaction, leave its file, or cannot be mixed with others.
    """
    alone = len(statements) == 1
    for number, statement in enumerate(statements, start=1):
        first = verb(statement.text)
        pragma = words(statement.text, "sqlite") if first == "PRAGMA" else []
        name = _pragma_name(pragma)
        sets = "=" in pragma or "(" in pragma
        if first in _REFUSED or (name in _REFUSED_PRAGMAS and sets):
            reason, hint = _REFUSED[first] if first in _REFUSED else _REFUSED_PRAGMAS[name]
            raise _refusal(number, statement, reason, hint)
        outside = first == "VACUUM" or name in _ACTING_PRAGMAS or (name in _OUTSIDE_PRAGMAS and sets)
        if first == "VACUUM" and "INTO" in words(statement.text, "sqlite"):
            raise _refusal(number, statement, *_OTHER_FILES)
        what = f"PRAGMA {name}" if pragma else first
        if outside and not alone:
            raise _refusal(number, statement, f"{what} cannot run inside a transaction", _ALONE_HINT)
        if outside and dry_run:
            raise _refusal(number, statement, f"{what} cannot be undone, so it has no dry run", None)
        if outside:
            return True
    return False


def creates(statements: Sequence[Statement]) -> bool:
    """Whether one of them creates something that stays, and so may create the file as well."""
    return any(verb(each.text) == "CREATE" and not _TEMPORARY.match(each.text) for each in statements)


def _pragma_name(pragma: Sequence[str]) -> str:
    """The name in ``PRAGMA name``, ``PRAGMA main.name`` and ``PRAGMA name = value``, in lower case."""
    qualified = pragma[2:3] == ["."]
    return "".join(pragma[3:4] if qualified else pragma[1:2]).strip("\"'`[]").lower()


def _refusal(number: int, statement: Statement, reason: str, hint: str | None) -> QueryError:
    line = statement.text.splitlines()[0]
    return QueryError(
        f"statement {number}: {reason}; nothing was run", detail=f"line {statement.line}: {line}", hint=hint
    )


_FIRST_WORD: Final = re.compile(r"\w+")
_TEMPORARY: Final = re.compile(r"\w+\s+TEMP(ORARY)?\b", re.IGNORECASE)
_MAIN_VERBS: Final = WRITING | {"SELECT", "VALUES"}
_ALONE_HINT: Final = "put it into a cell of its own"

_TRANSACTION: Final = (
    "the cell is one transaction already: all of its statements take effect, or none",
    "remove it; use --dry-run to try a cell without keeping its changes",
)
_OTHER_FILES: Final = (
    "a staging cell works on the staging file alone, which the environment chooses",
    "set STAGING_DB_PATH to work on another file, or use greynb.load to bring rows in",
)
_REFUSED: Final = {
    "BEGIN": _TRANSACTION,
    "COMMIT": _TRANSACTION,
    "END": _TRANSACTION,
    "ROLLBACK": _TRANSACTION,
    "SAVEPOINT": _TRANSACTION,
    "RELEASE": _TRANSACTION,
    "ATTACH": _OTHER_FILES,
    "DETACH": _OTHER_FILES,
}
_REFUSED_PRAGMAS: Final = {
    "locking_mode": ("a lock kept after the cell would stop every other writer", None),
    "query_only": ("staging takes the writes; the role for reading is analytics", None),
    "busy_timeout": ("cells wait for locks by themselves, so that the wait can be interrupted", None),
}
_OUTSIDE_PRAGMAS: Final = frozenset(
    {"auto_vacuum", "foreign_keys", "journal_mode", "page_size", "synchronous", "temp_store"}
)
_ACTING_PRAGMAS: Final = frozenset({"incremental_vacuum", "wal_checkpoint"})
