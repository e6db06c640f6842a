"""What may run on the analytics side: statements that only read, told apart by DuckDB's own parser.

A SELECT in any of its forms (VALUES, FROM first, DESCRIBE, SHOW, SUMMARIZE, PIVOT …) is parsed to a tree by
DuckDB (``json_serialize_sql``) and every node of the tree is looked at (``gate_tree``): only known kinds of
nodes, only table functions that read nothing, no file names. What the parser gives no tree for is refused,
but for four whose heads are read with DuckDB's tokenizer against a small grammar, whose remainders must be
such a SELECT, and which are put together anew: CREATE TEMP TABLE/VIEW/MACRO and DROP of those
(``gate_create``), EXPLAIN and a few PRAGMAs that only read (``gate_explain``).

This is the first of three fences. The second is the engine's: external access off, configuration locked. The
third is the attachment, which is READ_ONLY.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from greynb.databases.gate_create import create, drop
from greynb.databases.gate_explain import explain, pragma
from greynb.databases.gate_select import Passed, check_select
from greynb.databases.gate_text import Piece, pieces
from greynb.databases.gate_tree import Found

__all__ = ["Passed", "check"]


def check(sql: str) -> list[Passed]:
    """Check the statements of a text; all of them pass, or none.

    Raises
    ------
    WriteRefused
        A statement might write, or read something other than the analytics file.
    QueryError
        A statement that DuckDB cannot parse; the detail is its line with a caret.
    """
    return list(_checked(sql))


@lru_cache(maxsize=256)
def _checked(sql: str) -> tuple[Passed, ...]:
    return tuple(_statement(piece) for piece in pieces(sql))


def _statement(piece: Piece) -> Passed:
    head = piece.words[0]
    return _HEADS.get(head.text if head.bare else b"", _select)(piece)


def _select(piece: Piece) -> Passed:
    found = Found()
    check_select(piece.sql, piece, 0, found)
    tables, parameters = tuple(found.tables), tuple(found.parameters)
    return Passed(piece.sql, "select", piece.line, tables, parameters, describes=found.describes)


_HEADS: Final[Mapping[bytes, Callable[[Piece], Passed]]] = {
    b"CREATE": create,
    b"DROP": drop,
    b"EXPLAIN": explain,
    b"PRAGMA": pragma,
}
