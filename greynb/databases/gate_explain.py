"""EXPLAIN of a SELECT, and the PRAGMAs that only read."""

from __future__ import annotations

from typing import Final

from greynb.databases.gate_select import Passed, check_select, refuse_unless, refused
from greynb.databases.gate_text import Piece
from greynb.databases.gate_tree import Found
from greynb.databases.identifiers import literal
from greynb.errors import QueryError, WriteRefused

_OPTIONS: Final = frozenset(b"( ) , ANALYZE FORMAT TEXT JSON HTML YAML GRAPHVIZ MERMAID TRUE FALSE".split())
_PRAGMAS: Final = {b"SHOW_TABLES": "SHOW TABLES", b"VERSION": "SELECT * FROM pragma_version()"}


def explain(piece: Piece) -> Passed:
    """Pass ``EXPLAIN [ANALYZE] [(options)] select``, with the options put together anew."""
    found = Found()
    number = 1
    while number < len(piece.words) and _is_option(piece, number):
        number += 1
    options = " ".join(word.text.decode() for word in piece.words[1:number])
    select = piece.text(number)
    if not select:
        raise QueryError("EXPLAIN what?", detail=piece.pointed(piece.words[0].start))
    check_select(select, piece, piece.words[number].start, found)
    sql = f"EXPLAIN {options} {select}"
    refuse_unless(sql, {"EXPLAIN", "CREATE", "TRANSACTION"}, piece)
    tables, parameters = tuple(found.tables), tuple(found.parameters)
    return Passed(sql, "explain", piece.line, tables, parameters, describes=found.describes)


def pragma(piece: Piece) -> Passed:
    """Pass ``PRAGMA table_info(t)``, ``show_tables`` and ``version``, as the SELECTs that they stand for."""
    name = piece.words[1].text if len(piece.words) > 1 and piece.words[1].bare else b""
    if len(piece.words) == 2 and name in _PRAGMAS:
        sql = _PRAGMAS[name]
    elif name == b"TABLE_INFO" and len(piece.words) == 5:
        sql = f"SELECT * FROM pragma_table_info({_argument(piece)})"
    else:
        raise refused(piece)
    found = Found()
    check_select(sql, piece, 0, found)
    return Passed(sql, "select", piece.line, tuple(found.tables))


def _is_option(piece: Piece, number: int) -> bool:
    word = piece.words[number]
    if word.text == b"(" and number > 1 and piece.words[number - 1].text != b"ANALYZE":
        return False
    following = piece.words[number + 1].text if number + 1 < len(piece.words) else b""
    if word.text == b"(" and following not in (b"ANALYZE", b"FORMAT"):
        return False
    return word.text in _OPTIONS and (word.bare or word.depth >= piece.words[0].depth)


def _argument(piece: Piece) -> str:
    text = piece.text(3, 4).strip()
    if piece.words[2].text != b"(" or piece.words[4].text != b")":
        raise refused(piece)
    if text.startswith("'") and text.endswith("'"):
        return text
    if piece.words[3].quoted:
        return literal(text[1:-1].replace('""', '"'))
    if not piece.words[3].bare:
        raise WriteRefused("PRAGMA table_info takes a table's name")
    return literal(text)
