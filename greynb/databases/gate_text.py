"""The text of statements, cut by DuckDB's own tokenizer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import duckdb

from greynb.databases.sqltext import line_of, pointed
from greynb.errors import QueryError

_OPENING, _CLOSING = (b"(", b"[", b"{"), (b")", b"]", b"}")


class Word(NamedTuple):
    """One token of SQL.

    Attributes
    ----------
    kind
        DuckDB's own class of it.
    text
        Upper-case for a bare word, as written for a quoted name, else its first character; UTF-8.
    start
        Offset in the UTF-8 text.
    depth
        How many brackets are open around it.
    """

    kind: duckdb.token_type
    text: bytes
    start: int
    depth: int

    @property
    def bare(self) -> bool:
        """Whether it is a word without quotes."""
        return self.kind in (duckdb.token_type.keyword, duckdb.token_type.identifier) and not self.quoted

    @property
    def quoted(self) -> bool:
        """Whether it is a name in double quotes."""
        return self.text.startswith(b'"')


_END = Word(duckdb.token_type.operator, b";", 0, 0)


class Piece(NamedTuple):
    """One statement as typed, without its semicolon.

    Attributes
    ----------
    sql
        Its text.
    words
        Its tokens; offsets count in its own UTF-8 text.
    whole, offset
        The whole text that it was cut from, and where in it (UTF-8) it begins.
    line
        The line of its first token, from 1.
    """

    sql: str
    words: tuple[Word, ...]
    whole: str
    offset: int
    line: int

    def text(self, first: int, last: int | None = None) -> str:
        """The text from word number `first` up to, not including, word number `last`."""
        if first >= len(self.words):
            return ""
        end = None if last is None or last >= len(self.words) else self.words[last].start
        return self.sql.encode()[self.words[first].start : end].decode()

    def pointed(self, start: int, length: int = 1) -> str:
        """The line at an offset of this piece (UTF-8), with carets under it."""
        before = self.whole.encode()[: self.offset + start].decode(errors="ignore")
        return pointed(self.whole, len(before), length)


def pieces(sql: str) -> Iterator[Piece]:
    """Cut a text into its statements; those without a single token are left out.

    Raises
    ------
    QueryError
        The text holds a NUL character or a lone surrogate, which the engine's parser would stop at.
    """
    data = _encoded(sql)
    start = 0
    for word in (*words(sql), _END._replace(start=len(data))):
        if word.text != b";":
            continue
        between = data[start : word.start].decode()
        for first in words(between)[:1]:
            begin = start + first.start
            part = data[begin : word.start].decode().rstrip()
            if part:
                yield Piece(part, words(part), sql, begin, line_of(sql, len(data[:begin].decode())))
        start = word.start + 1


def words(sql: str) -> tuple[Word, ...]:
    """The tokens of a text, without comments; a string that never ends is the last."""
    data = sql.encode()
    found = []
    depth = 0
    for start, kind in duckdb.tokenize(sql):
        text = _token(data, start, kind)
        depth -= text in _CLOSING  # a bracket has the depth of what it stands in, on both sides
        found.append(Word(kind, text, start, depth))
        depth += text in _OPENING
    return tuple(found)


def balanced(part: Sequence[Word], depth: int) -> bool:
    """Whether brackets close only what was opened inside this part, and all of it."""
    if not part:
        return True
    rises = sum(word.text in _OPENING for word in part)
    falls = sum(word.text in _CLOSING for word in part)
    return rises == falls and all(word.depth >= depth for word in part)


def _encoded(sql: str) -> bytes:
    if "\0" in sql:
        raise QueryError("a NUL character in SQL", detail=pointed(sql, sql.index("\0")))
    try:
        return sql.encode()
    except UnicodeEncodeError as error:
        raise QueryError("a character in SQL that is half of one", detail=repr(sql[error.start])) from None


def _token(data: bytes, start: int, kind: duckdb.token_type) -> bytes:
    first = data[start : start + 1]
    if kind == duckdb.token_type.operator:
        return b":=" if data[start : start + 2] == b":=" else first
    if first == b'"':
        return data[start : _quoted_end(data, start)]
    end = start
    while end < len(data) and (chr(data[end]).isalnum() or data[end] in b"_$" or data[end] >= 0x80):
        end += 1
    return data[start:end].upper() if end > start else first


def _quoted_end(data: bytes, start: int) -> int:
    end = start + 1
    while end < len(data):
        if data[end : end + 2] == b'""':
            end += 2
        elif data[end : end + 1] == b'"':
            return end + 1
        else:
            end += 1
    return end
