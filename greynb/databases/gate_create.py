"""CREATE TEMP TABLE, VIEW and MACRO, and DROP of those, put together anew from checked parts.

Temporary objects live in memory, in a database of their own that is named ``temp``. Every statement made here
names that database, so it cannot touch anything else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from greynb.databases.gate_parser import builtin_functions
from greynb.databases.gate_select import Passed, check_select, refuse_unless, refused
from greynb.databases.gate_text import Piece, Word, balanced
from greynb.databases.gate_tree import Found, refuse_internal
from greynb.databases.identifiers import quote
from greynb.errors import QueryError, WriteRefused

_KINDS: Final = {b"TABLE": "TABLE", b"VIEW": "VIEW", b"MACRO": "MACRO", b"FUNCTION": "MACRO"}


@dataclass
class _Reader:
    """Reads the head of a statement word by word."""

    piece: Piece
    number: int = 1
    found: Found = field(default_factory=Found)
    makes: str = ""

    @property
    def word(self) -> Word | None:
        words = self.piece.words
        return words[self.number] if self.number < len(words) else None

    def take(self, *texts: bytes) -> bool:
        """Step over these words, if they all come next."""
        coming = self.piece.words[self.number : self.number + len(texts)]
        if tuple(word.text for word in coming) != texts:
            return False
        self.number += len(texts)
        return True

    def need(self, text: bytes) -> None:
        if not self.take(text):
            raise self.unexpected(f"{text.decode()} is missing")

    def name(self) -> str:
        """Step over an identifier."""
        word = self.word
        if word is None or not (word.bare or word.quoted):
            raise self.unexpected("a name is missing")
        text = self.piece.sql.encode()[word.start : word.start + len(word.text)].decode()
        if word.quoted and (len(text) < 3 or not text.endswith('"')):
            raise self.unexpected("a name is missing")
        if not word.quoted and any(character.isspace() for character in text):
            raise self.unexpected("a blank that is not a plain space")
        self.number += 1
        name = text[1:-1].replace('""', '"') if word.quoted else text
        refuse_internal(name)
        return name

    def target(self) -> str:
        """Step over ``[temp.[main.]]name`` and return the last part."""
        parts = [self.name()]
        while self.take(b"."):
            parts.append(self.name())
        if [part.lower() for part in parts[:-1]] not in ([], ["temp"], ["temp", "main"]):
            raise WriteRefused(
                f"{'.'.join(parts)} is not temporary, and %%analytics cannot make or drop anything else",
                hint="leave out the schema",
            )
        return parts[-1]

    def unexpected(self, what: str) -> QueryError:
        word = self.word
        place = word.start if word else len(self.piece.sql.encode())
        return QueryError(f"syntax error: {what}", detail=self.piece.pointed(place))


def create(piece: Piece) -> Passed:
    """Pass ``CREATE [OR REPLACE] TEMP TABLE | VIEW | MACRO … AS …``."""
    reader = _Reader(piece)
    replace = "OR REPLACE " if reader.take(b"OR", b"REPLACE") else ""
    temporary = reader.take(b"TEMP") or reader.take(b"TEMPORARY")
    recursive = "RECURSIVE " if temporary and reader.take(b"RECURSIVE") else ""
    word = reader.word
    kind = _KINDS.get(word.text) if word and word.bare else None
    if kind is None or recursive:
        raise refused(piece, f"CREATE {word.text.decode()}" if word and word.bare else "CREATE")
    if not temporary:
        raise WriteRefused(
            f"CREATE {kind} would write, and %%analytics only reads",
            detail=piece.pointed(piece.words[0].start, len("CREATE")),
            hint=f"CREATE {replace}TEMP {kind} … AS … keeps it for this session; to store it use %%staging",
        )
    reader.number += 1
    unless = "IF NOT EXISTS " if reader.take(b"IF", b"NOT", b"EXISTS") else ""
    name = reader.target()
    body = _macro(reader, name) if kind == "MACRO" else _relation(reader, kind)
    sql = f"CREATE {replace}TEMP {kind} {unless}{quote(name)}{body}"
    refuse_unless(sql, {"CREATE", "TRANSACTION"}, piece)
    return Passed(
        sql,
        "create",
        piece.line,
        tuple(reader.found.tables),
        tuple(reader.found.parameters),
        (reader.makes or kind, name),
        reader.found.describes,
    )


def drop(piece: Piece) -> Passed:
    """Pass ``DROP TABLE | VIEW | MACRO [IF EXISTS] name`` of something temporary."""
    reader = _Reader(piece)
    word = reader.word
    kind = _KINDS.get(word.text) if word and word.bare else None
    if kind is None:
        raise refused(piece, f"DROP {word.text.decode()}" if word and word.bare else "DROP")
    reader.number += 1
    if kind == "MACRO" and reader.take(b"TABLE"):
        kind = "MACRO TABLE"
    unless = "IF EXISTS " if reader.take(b"IF", b"EXISTS") else ""
    name = reader.target()
    if not (reader.take(b"CASCADE") or reader.take(b"RESTRICT")) and reader.word:
        raise reader.unexpected("one name at a time")
    if reader.word:
        raise reader.unexpected("nothing may follow")
    return Passed(f"DROP {kind} {unless}temp.main.{quote(name)}", "drop", piece.line, target=(kind, name))


def _relation(reader: _Reader, kind: str) -> str:
    columns = ""
    if reader.take(b"("):
        if kind == "TABLE" and not _only_names(reader):
            raise WriteRefused(
                "a temp table is made from a SELECT here", hint="CREATE OR REPLACE TEMP TABLE … AS SELECT …"
            )
        names = [reader.name()]
        while reader.take(b","):
            names.append(reader.name())
        reader.need(b")")
        columns = f" ({', '.join(map(quote, names))})"
    if not reader.take(b"AS"):
        raise WriteRefused(
            f"a temp {kind.lower()} is made from a SELECT here",
            hint=f"CREATE OR REPLACE TEMP {kind} … AS SELECT …",
        )
    return f"{columns} AS {_select(reader, len(reader.piece.words))}"


def _only_names(reader: _Reader) -> bool:
    coming = reader.piece.words[reader.number :]
    close = next((number for number, word in enumerate(coming) if word.text == b")"), 0)
    return all(word.text == b"," for word in coming[1:close:2]) and close > 0


def _macro(reader: _Reader, name: str) -> str:
    if name.lower() in builtin_functions() or name.lower().startswith("sqlite_"):
        raise WriteRefused(
            f"{name} is a function of the engine, and a macro must not hide it", hint="choose another name"
        )
    definitions = [_definition(reader)]
    while reader.take(b","):
        definitions.append(_definition(reader))
    if reader.word:
        raise reader.unexpected("nothing may follow")
    return ", ".join(definitions)


def _definition(reader: _Reader) -> str:
    reader.need(b"(")
    parameters: list[str] = []
    while not reader.take(b")"):
        if parameters:
            reader.need(b",")
        parameters.append(_parameter(reader))
    reader.need(b"AS")
    head = f"({', '.join(parameters)}) AS "
    if reader.take(b"TABLE"):
        reader.makes = "MACRO TABLE"
        return f"{head}TABLE {_select(reader, _next_overload(reader))}"
    return f"{head}{_expression(reader)}"


def _parameter(reader: _Reader) -> str:
    name = quote(reader.name())
    if reader.take(b",") or reader.take(b")"):
        reader.number -= 1
        return name
    if not reader.take(b":="):
        raise WriteRefused("a macro's parameter is a name, or name := value")
    return f"{name} := {_expression(reader)}"


def _next_overload(reader: _Reader) -> int:
    """The number of the word where ``, (…) AS TABLE`` begins on the macro's own level, or of the end."""
    words = reader.piece.words
    own = [number for number in range(reader.number, len(words)) if words[number].depth == 0]
    for comma, opening, closing, *rest in zip(own, own[1:], own[2:], own[3:], own[4:], strict=False):
        texts = [words[number].text for number in (comma, opening, closing, *rest)]
        if texts == [b",", b"(", b")", b"AS", b"TABLE"]:
            return comma
    return len(words)


def _select(reader: _Reader, end: int) -> str:
    """Step over a SELECT up to word number `end`, checked."""
    start = reader.number
    text = reader.piece.text(start, end)
    if not text:
        raise reader.unexpected("a SELECT is missing")
    check_select(text, reader.piece, reader.piece.words[start].start, reader.found)
    reader.number = end
    return f"{text}\n"


def _expression(reader: _Reader) -> str:
    """Step over an expression up to a comma or bracket of its own level, checked as ``SELECT (…)``."""
    words, start = reader.piece.words, reader.number
    if start >= len(words):
        raise reader.unexpected("an expression is missing")
    depth, end = words[start].depth, start
    while end < len(words) and words[end].depth >= depth:
        if words[end].depth == depth and words[end].text == b",":
            break
        end += 1
    if end == start or not balanced(words[start:end], depth):
        raise reader.unexpected("an expression is missing")
    text = reader.piece.text(start, end)
    check_select(f"SELECT ({text}\n)", reader.piece, words[start].start - len("SELECT ("), reader.found)
    reader.number = end
    return f"({text}\n)"
