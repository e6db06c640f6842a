"""The statements of a cell as PostgreSQL gets them, and which of them a cell may hold.

PostgreSQL numbers its parameters, so ``$name`` becomes ``$1``; nothing else of the text changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.sqltext import Statement, tokens, words
from greynb.errors import QueryError

if TYPE_CHECKING:
    import psycopg

_COUNTED: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})


@dataclass(frozen=True, slots=True)
class Numbered:
    """One statement with numbered parameters.

    Attributes
    ----------
    sql
        The text for the server.
    values
        What ``$1``, ``$2``, … stand for.
    """

    sql: str
    values: tuple[object, ...]
    _shifts: tuple[tuple[int, int], ...]

    def offset(self, position: int) -> int:
        """Where in the statement as written a place of `sql` lies, both from 0."""
        shift = 0
        for start, after in self._shifts:
            if position < start:
                break
            shift = after
        return position - shift


def numbered(sql: str, values: Mapping[str, object]) -> Numbered:
    """Number the ``$name`` of a statement, each name once."""
    numbers: dict[str, int] = {}
    pieces: list[str] = []
    shifts: list[tuple[int, int]] = []
    length = 0
    for token in tokens(sql, "postgresql"):
        text = token.text
        if token.kind == "parameter":
            text = f"${numbers.setdefault(token.text[1:], len(numbers) + 1)}"
        pieces.append(text)
        length += len(text)
        if text != token.text:
            shifts.append((length, length - token.end))
    return Numbered("".join(pieces), tuple(values[name] for name in numbers), tuple(shifts))


def check(statements: Sequence[Statement], *, dry_run: bool) -> bool:
    """Refuse what a cell cannot hold, and say whether its only statement runs outside a transaction.

    Raises
    ------
    QueryError
        A statement would end the cell's transaction, needs another way in, or cannot be mixed with others.
    """
    for number, statement in enumerate(statements, start=1):
        written = words(statement.text, "postgresql")
        first = written[0]
        if first in _NEVER:
            raise _refusal(number, statement, *_NEVER[first])
        if first == "PREPARE" and written[1:2] == ["TRANSACTION"]:
            raise _refusal(number, statement, *_TRANSACTION)
        if first == "COPY" and {"STDIN", "STDOUT"} & set(written):
            raise _refusal(number, statement, *_COPY)
        if _runs_outside(written):
            what = " ".join(written[:2])
            if len(statements) > 1:
                raise _refusal(number, statement, f"{what} cannot run inside a transaction", _ALONE_HINT)
            if dry_run:
                raise _refusal(number, statement, f"{what} cannot be undone, so it has no dry run", None)
            return True
    return False


def _runs_outside(written: Sequence[str]) -> bool:
    """Whether PostgreSQL refuses a statement inside a transaction."""
    start = " ".join(written[:5])
    if _OUTSIDE.match(start):
        return True
    # REFRESH MATERIALIZED VIEW CONCURRENTLY is the one that may be inside.
    return "CONCURRENTLY" in written[:5] and written[0] in ("CREATE", "DROP", "REINDEX")


def _refusal(number: int, statement: Statement, reason: str, hint: str | None) -> QueryError:
    line = statement.text.splitlines()[0]
    return QueryError(
        f"statement {number}: {reason}; nothing was run", detail=f"line {statement.line}: {line}", hint=hint
    )


_OUTSIDE: Final = re.compile(
    r"VACUUM\b|ALTER SYSTEM\b|(CREATE|DROP) (DATABASE|TABLESPACE)\b|(CREATE|DROP|ALTER) SUBSCRIPTION\b"
    r"|CLUSTER$|REINDEX (\( .*)?(DATABASE|SYSTEM|SCHEMA)\b"
)
_ALONE_HINT: Final = "put it into a cell of its own"
_TRANSACTION: Final = (
    "the cell is one transaction already: all of its statements take effect, or none",
    "remove it; use --dry-run to try a cell without keeping its changes",
)
_COPY: Final = (
    "COPY has no file to read from or write to in a cell",
    "greynb.load(df, table) brings rows in, by COPY; --export writes a result out",
)
_NEVER: Final = {
    **dict.fromkeys(
        ("BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"), _TRANSACTION
    ),
    "\\": ("commands with a backslash are psql's own", "SELECT tablename FROM pg_tables lists tables"),
}


def affected_by(cursor: psycopg.Cursor[Any]) -> int | None:
    """Rows inserted, updated or deleted, by what the server says it has done; None for other statements."""
    return cursor.rowcount if (cursor.statusmessage or "").partition(" ")[0] in _COUNTED else None
