"""One SELECT, checked: from DuckDB's tree of it to what it refers to, or to the reason why it may not run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import duckdb

from greynb.databases.gate_functions import STATEMENTS
from greynb.databases.gate_parser import statement_types, syntax_tree
from greynb.databases.gate_pivot import with_values
from greynb.databases.gate_text import Piece
from greynb.databases.gate_tree import Found, inspect
from greynb.errors import QueryError, WriteRefused

Kind = Literal["select", "explain", "create", "drop"]

_WRITES_HINT: Final = "write in %%staging, then publish with `greynb sync`"
_LOCAL_HINT: Final = "keep a result with CREATE OR REPLACE TEMP TABLE … AS SELECT …"


@dataclass(frozen=True, slots=True)
class Passed:
    """A statement that may run.

    Attributes
    ----------
    sql
        What to execute; put together anew for EXPLAIN, CREATE, DROP and PRAGMA.
    kind
        What it does.
    line
        The line that it begins on in the text given, from 1.
    tables
        Tables, views and DataFrames that it names, last part only, as written, in order; not its CTEs.
    parameters
        The parameters that it names, without ``$``.
    target
        For CREATE and DROP: ``"TABLE"``, ``"VIEW"``, ``"MACRO"`` or ``"MACRO TABLE"``, and the name (in
        ``temp``), as in ``DROP <kind> temp.<name>``.
    describes
        Whether it reads the engine's own lists, where the columns of every table are.
    """

    sql: str
    kind: Kind
    line: int
    tables: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    target: tuple[str, str] | None = None
    describes: bool = False


def check_select(sql: str, piece: Piece, offset: int, found: Found) -> None:
    """Check a text that must be one SELECT, and collect what it refers to.

    Parameters
    ----------
    sql
        The text, in general a part of a statement.
    piece, offset
        That statement, and where the text begins in it (UTF-8), for messages.
    found
        Takes the names of tables and parameters.

    Raises
    ------
    WriteRefused, QueryError
        As `check`.
    """
    try:
        tree = syntax_tree(sql)
        if tree["error"] and tree["error_type"] != "parser" and _is_pivot(sql):
            tree = syntax_tree(with_values(sql))
            if tree["error"]:
                raise WriteRefused(
                    "the check cannot see through this PIVOT", hint="add IN (…) to its ON columns"
                )
        if tree["error"]:
            # DuckDB counts characters here.
            before = sql[: int(tree.get("position", 0))]
            raise _no_tree(tree, piece, offset + len(before.encode()))
    except RecursionError:
        raise WriteRefused("the statement is nested too deeply to be checked") from None
    except duckdb.Error as error:
        raise QueryError(str(error)) from error
    if len(tree["statements"]) != 1:
        raise QueryError("a SELECT is missing", detail=piece.pointed(offset))
    inspect(tree["statements"], found)


def refused(piece: Piece, verb: str | None = None) -> WriteRefused:
    """The refusal of a whole statement by its first word, or by `verb`."""
    verb = verb or piece.words[0].text.decode().upper()
    reason = STATEMENTS.get(verb.partition(" ")[0])
    hint = _WRITES_HINT if reason == "it writes" else _LOCAL_HINT if verb in ("SET", "USE") else None
    message = f"{verb} is not allowed in %%analytics" + (f": {reason}" if reason else ", which only reads")
    return WriteRefused(message, detail=piece.pointed(piece.words[0].start, len(verb)), hint=hint)


def refuse_unless(sql: str, allowed: set[str], piece: Piece) -> None:
    """Parse what was put together: it must hold only statements of the classes `allowed`.

    Raises
    ------
    WriteRefused, QueryError
        It does not, or does not parse.
    """
    try:
        types = statement_types(sql)
    except duckdb.Error as error:
        message = str(error).partition("\n")[0].removeprefix("Parser Error: ")
        raise QueryError(message, detail=piece.pointed(piece.words[0].start)) from error
    if not set(types) <= allowed:
        raise refused(piece)


def _no_tree(tree: Mapping[str, Any], piece: Piece, place: int) -> QueryError | WriteRefused:
    if tree["error_type"] != "parser":
        if "parameters" in str(tree["error_message"]):
            return QueryError(str(tree["error_message"]))
        return refused(piece, _verb(piece))
    return QueryError(str(tree["error_message"]), detail=piece.pointed(place))


def _verb(piece: Piece) -> str | None:
    """What kind of statement hides behind WITH or an unknown word."""
    first = piece.words[0].text.decode().upper()
    if first in STATEMENTS:
        return None
    try:
        types = statement_types(piece.sql)
    except duckdb.Error:
        return None
    return next((name for name in types if name != "SELECT"), None)


def _is_pivot(sql: str) -> bool:
    """Whether the engine turned one SELECT into the enums of its PIVOTs and itself."""
    try:
        types = statement_types(sql)
    except duckdb.Error:
        return False
    return len(types) > 1 and types[-1] == "SELECT" and set(types[:-1]) == {"CREATE"}
