r"""One tokenizer for three kinds of SQL, just deep enough to find parameters and statement ends.

Sources: https://www.sqlite.org/lang_expr.html, https://www.sqlite.org/draft/tokenreq.html, DuckDB's
documentation and, where that is silent (nested comments, ``--`` ending at ``\r``), DuckDB 1.5.5 as tried;
https://www.postgresql.org/docs/current/sql-syntax-lexical.html, whose grammar DuckDB's began as.

The colon of DuckDB is ambiguous, and that of PostgreSQL in slices: ``x[a:b]`` is a slice, ``{k: v}`` a
struct, ``SELECT k: v`` an alias and ``:v`` a parameter. It counts as punctuation where it

- follows an operand: a string, a number, a quoted name, a parameter, a closing bracket;
- follows a bare name directly (``k:v``), or anywhere inside ``{…}`` or ``x[…]``, keywords excepted;
- opens a subscript (``x[:n]`` is a slice up to the column ``n``; write ``x[$n]`` for a parameter).

Anywhere else it begins a parameter. ``$name`` always is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

Dialect = Literal["duckdb", "sqlite", "postgresql"]
Kind = Literal[
    "space", "comment", "string", "quoted", "number", "name", "parameter", "mark", "operator", "broken"
]


class Token(NamedTuple):
    """A piece of SQL; the pieces of a text, joined, are the text.

    Attributes
    ----------
    kind
        ``parameter`` is ``:name`` or ``$name``; ``mark`` is any other parameter mark (``$1``, in SQLite
        ``@name``, in SQLite and DuckDB ``?``); ``broken`` is a string, quoted name or comment that never
        ends.
    text
        As written.
    start
        Offset of its first character.
    """

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        """Offset after its last character."""
        return self.start + len(self.text)

    @property
    def significant(self) -> bool:
        """Whether the engine sees it at all."""
        return self.kind not in ("space", "comment")


class Statement(NamedTuple):
    """One statement of a cell.

    Attributes
    ----------
    text
        From its first to its last token, without the semicolon.
    line
        The line it begins on, from 1.
    offset
        The offset it begins at.
    """

    text: str
    line: int
    offset: int


def tokens(sql: str, dialect: Dialect) -> list[Token]:
    """Cut SQL into tokens; never fails, whatever the text is."""
    found = _raw(sql, _PATTERNS[dialect], nested=dialect != "sqlite")
    return list(_resolved(found) if dialect != "sqlite" else found)


def split_statements(sql: str, dialect: Dialect) -> list[Statement]:
    """Cut a cell into its statements; text without any (comments, stray semicolons) gives none.

    The body of a SQLite trigger stays in one piece: it ends with ``; END``. So does that of a function of
    PostgreSQL in standard SQL: ``BEGIN ATOMIC … END``.
    """
    statements: list[Statement] = []
    current: list[Token] = []
    for token in tokens(sql, dialect):
        if token.text == ";" and token.kind == "operator" and not _inside_body(current, dialect):
            statements += _statement(sql, current)
            current = []
        elif token.significant:
            current.append(token)
    return statements + _statement(sql, current)


def parameter_names(sql: str, dialect: Dialect) -> list[str]:
    """The names behind ``:`` and ``$``, in order of appearance."""
    return list(dict.fromkeys(each.text[1:] for each in tokens(sql, dialect) if each.kind == "parameter"))


def words(statement: str, dialect: Dialect) -> list[str]:
    """The bare words and symbols of a statement, upper-cased; quoted names and strings as written."""
    return [
        token.text.upper() if token.kind == "name" else token.text
        for token in tokens(statement, dialect)
        if token.significant
    ]


def line_of(sql: str, offset: int) -> int:
    """The line, from 1, that an offset lies on."""
    return len(_NEWLINE.findall(sql, 0, offset)) + 1


def pointed(sql: str, offset: int, length: int = 1) -> str:
    """The line that an offset lies on, with its number in front and carets under `length` characters."""
    number = line_of(sql, offset)
    begin = max((match.end() for match in _NEWLINE.finditer(sql, 0, offset)), default=0)
    following = _NEWLINE.search(sql, offset)
    line = sql[begin : following.start() if following else len(sql)]
    label = f"line {number}: "
    indent = re.sub(r"[^\t]", " ", line[: offset - begin])
    return f"{label}{line}\n{' ' * len(label)}{indent}{'^' * max(1, length)}"


_NEWLINE: Final = re.compile(r"\r\n|\r|\n")

_NAME: Final = r"(?:[A-Za-z_]|[^\x00-\x7f])(?:[\w$]|[^\x00-\x7f])*"
_SIMPLE: Final = r"[^\W\d]\w*"
_ENDED: Final = r"(?![\w$])"
"""Not ``:a$b``: SQLite takes that for one name, and as ``$a$b`` DuckDB would begin a quoted string."""

_NUMBER: Final = r"(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?"
_OPERATOR: Final = r"::|:=|->>|->|=>|\|\||[<>!=]=|<>|<<|>>|."


def _compiled(**kinds: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in kinds.items()), re.DOTALL)


_POSTGRES_LIKE: Final = {
    "space": r"\s+",
    "comment": r"--[^\r\n]*|(?P<block>/\*)",
    "string": rf"[eE]'(?:[^'\\]|\\.|'')*'|'[^']*(?:''[^']*)*'|(?P<tag>\$(?:{_SIMPLE})?\$).*?(?P=tag)",
    "quoted": r'"[^"]*(?:""[^"]*)*"',
    "broken": rf"(?:[eE]?'|\"|\$(?:{_SIMPLE})?\$).*",
    "number": _NUMBER,
    "name": _NAME,
    "parameter": rf"[:$]{_SIMPLE}{_ENDED}",
}
_PATTERNS: Final = {
    "sqlite": _compiled(
        space=r"[ \t\n\f\r\ufeff]+",
        comment=r"--[^\n]*|/\*.*?(?:\*/|\Z)",
        string=r"'[^']*(?:''[^']*)*'",
        quoted=r'"[^"]*(?:""[^"]*)*"|`[^`]*(?:``[^`]*)*`|\[[^\]]*\]',
        broken=r"['\"`\[].*",
        number=rf"0[xX][0-9a-fA-F]+|{_NUMBER}",
        name=_NAME,
        parameter=rf"[:$]{_SIMPLE}{_ENDED}",
        mark=rf"\?\d*|[:$@]\d+|@{_SIMPLE}[\w$]*",
        operator=_OPERATOR,
    ),
    "duckdb": _compiled(**_POSTGRES_LIKE, mark=r"\?\d*|\$\d+", operator=_OPERATOR),
    "postgresql": _compiled(**_POSTGRES_LIKE, mark=r"\$\d+", operator=_OPERATOR),
}

_BEFORE_EXPRESSION: Final = re.compile(
    """(?ix)
    ALL|AND|ANY|AS|ASC|BETWEEN|BY|CASE|DESC|DISTINCT|ELSE|ESCAPE|EXCEPT|FILTER|FROM|GLOB|GROUPS|HAVING|
    ILIKE|IN|INTERSECT|INTERVAL|IS|LIKE|LIMIT|MATCH|NOT|OFFSET|ON|OR|ORDER|QUALIFY|RANGE|REGEXP|
    REPLACE|RETURNING|RLIKE|ROWS|SAMPLE|SELECT|SET|SIMILAR|SOME|STEP|THEN|TO|UNION|USING|VALUES|WHEN|
    WHERE|WITH
    """
)


def _raw(sql: str, pattern: re.Pattern[str], *, nested: bool) -> Iterator[Token]:
    start = 0
    while start < len(sql):
        match = pattern.match(sql, start)
        assert match is not None, "the last alternative takes any character"
        kind, end = match.lastgroup, match.end()
        if nested and match["block"]:
            closed = _comment_end(sql, start)
            kind, end = ("comment", closed) if closed else ("broken", len(sql))
        yield Token(kind, sql[start:end], start)  # type: ignore[arg-type]  # group names are kinds
        start = end


def _comment_end(sql: str, start: int) -> int | None:
    """Where a comment ends that may hold others, or None."""
    depth = 0
    for match in re.compile(r"/\*|\*/").finditer(sql, start):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end()
    return None


def _resolved(found: Iterator[Token]) -> Iterator[Token]:
    """Break ``:name`` up into punctuation and a name where DuckDB means no parameter by it."""
    brackets: list[str] = []
    before: list[Token] = []
    for token in found:
        pieces = [token]
        if token.kind == "parameter" and token.text[0] == ":" and _is_punctuation(token, before, brackets):
            pieces = [
                Token("operator", ":", token.start),
                Token("name", token.text[1:], token.start + 1),
            ]
        yield from pieces
        if token.significant:
            _follow(token, before, brackets)
            before = [*before, *pieces][-2:]


def _follow(token: Token, before: Sequence[Token], brackets: list[str]) -> None:
    if token.kind != "operator":
        return
    if token.text in ("(", "{"):
        brackets.append(token.text)
    elif token.text == "[":
        brackets.append("subscript" if before and _ends_operand(before[-1]) else "list")
    elif token.text in (")", "]", "}") and brackets:
        brackets.pop()


def _is_punctuation(colon: Token, before: Sequence[Token], brackets: Sequence[str]) -> bool:
    if not before:
        return False
    last, inside = before[-1], brackets[-1] if brackets else ""
    if last.text == "[":
        return inside == "subscript"
    if last.kind != "name":
        return _ends_operand(last)
    if inside == "{" and before[0].text in ("{", ","):
        return True
    if _BEFORE_EXPRESSION.fullmatch(last.text):
        return False
    return inside in ("{", "subscript") or last.end == colon.start


def _ends_operand(token: Token) -> bool:
    if token.kind == "name":
        return not _BEFORE_EXPRESSION.fullmatch(token.text)
    return token.kind in ("string", "quoted", "number", "parameter", "mark") or token.text in (")", "]", "}")


def _inside_body(current: Sequence[Token], dialect: Dialect) -> bool:
    if dialect == "duckdb":
        return False
    return _inside_trigger(current) if dialect == "sqlite" else _inside_atomic(current)


def _inside_atomic(current: Sequence[Token]) -> bool:
    """Whether a ``BEGIN ATOMIC`` is open; a ``CASE`` ends with ``END``, too."""
    written = [token.text.upper() for token in current if token.kind == "name"]
    if written[:1] != ["CREATE"] or "ATOMIC" not in written:
        return False
    body = written[written.index("ATOMIC") :]
    return body.count("END") <= body.count("CASE")


def _inside_trigger(current: Sequence[Token]) -> bool:
    opening = [token.text.upper() for token in current[:6]]
    while opening and opening[0] in ("EXPLAIN", "QUERY", "PLAN"):
        opening.pop(0)
    if opening[:1] != ["CREATE"] or "TRIGGER" not in opening[1:3]:
        return False
    return [token.text.upper() for token in current[-2:]] != [";", "END"]


def _statement(sql: str, current: Sequence[Token]) -> list[Statement]:
    if not current:
        return []
    start, end = current[0].start, current[-1].end
    return [Statement(sql[start:end], line_of(sql, start), start)]
