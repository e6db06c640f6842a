"""SQL, read by sqlglot: whether a statement writes, what it attaches, where values were spliced into it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from greynb.audit.values import NOTHING, Env, Marks, Number, Text, Unknown, Value, alternatives
from greynb.databases.sqltext import Statement, split_statements, words

if TYPE_CHECKING:
    from sqlglot import exp

Dialect = Literal["sqlite", "duckdb"]
# First words of statements; the rest of their grammar is sqlglot's matter.
_WRITES = frozenset("INSERT UPDATE DELETE REPLACE MERGE DROP ALTER CREATE TRUNCATE VACUUM REINDEX".split())
_SQL = _WRITES | frozenset(
    "SELECT WITH VALUES PRAGMA EXPLAIN ATTACH DETACH ANALYZE BEGIN FROM SUMMARIZE DESCRIBE PIVOT COPY".split()
)
# Statements that take names, and no parameters.
_NAMING = frozenset("ALTER CREATE DROP PRAGMA REINDEX VACUUM ANALYZE ATTACH DETACH".split())
_HOLE = "greynb_hole_"
_LONGEST = 200_000  # characters of SQL in one string that are read


class Hole(NamedTuple):
    """A value that is spliced into SQL.

    Attributes
    ----------
    code
        How it is written.
    use
        ``"name"``: where a table or column is named; ``"quoted"``: between quotes; ``"value"``: as any other
        value; ``"unknown"``: where the SQL could not be parsed.
    """

    code: str
    use: Literal["name", "quoted", "value", "unknown"]


def is_sql(text: str) -> bool:
    """Whether a text begins as SQL does."""
    return first_word(text) in _SQL


def first_word(text: str) -> str:
    """The first word of a statement, in capitals; empty where there is none."""
    found = words(text[:2000], "sqlite")
    return next((word for word in found if word not in ("(", ";")), "").rstrip(";")


def writing(sql: str, dialect: Dialect = "sqlite") -> Iterator[Statement]:
    """The statements of a text that write to a database (a temporary table is nobody's)."""
    for statement in split_statements(sql[:_LONGEST], dialect):
        if writes(statement.text, dialect):
            yield statement


@lru_cache(maxsize=4096)
def writes(statement: str, dialect: Dialect) -> bool:
    """Whether one statement writes."""
    word = first_word(statement)
    if word not in ("WITH", "CREATE"):
        return word in _WRITES
    tree = parsed(statement, dialect)
    if tree is None:
        return word == "CREATE" and not {"TEMP", "TEMPORARY"} & set(words(statement, dialect)[:4])
    from sqlglot import exp

    if isinstance(tree, exp.Create):
        return not any(
            isinstance(each, exp.TemporaryProperty) for each in tree.find_all(exp.TemporaryProperty)
        )
    if isinstance(tree, exp.Command):
        return not {"TEMP", "TEMPORARY"} & set(words(statement, dialect)[:4])
    return isinstance(tree, exp.Insert | exp.Update | exp.Delete | exp.Merge) or word == "CREATE"


def attached(sql: str, dialect: Dialect = "sqlite") -> Iterator[tuple[Statement, str]]:
    """The files that a text attaches or scans by name."""
    lower = sql.lower()
    if "attach" not in lower and "_scan" not in lower:
        return
    from sqlglot import exp

    for statement in split_statements(sql[:_LONGEST], dialect):
        tree = parsed(statement.text, dialect)
        if isinstance(tree, exp.Attach):
            for literal in list(tree.find_all(exp.Literal))[:1]:
                yield statement, _shown(str(literal.this))
        elif tree is not None:
            for call in tree.find_all(exp.Anonymous):
                scanned = call.expressions[:1]
                if str(call.this).lower() in ("sqlite_scan", "sqlite_attach") and isinstance(
                    scanned[0], exp.Literal
                ):
                    yield statement, _shown(str(scanned[0].this))


def holes(text: Text, dialect: Dialect = "sqlite") -> list[Hole]:
    """The values in a text of SQL that are neither known, nor numbers, nor parameter marks."""
    codes: list[str] = []
    sql = _rendered(text, codes)
    if not codes:
        return []
    uses: dict[int, str] = {}
    for statement in split_statements(sql[:_LONGEST], dialect):
        tree = None if first_word(statement.text) == "PRAGMA" else parsed(statement.text, dialect)
        if tree is not None:
            uses |= _uses(tree)
        if first_word(statement.text) in _NAMING:
            uses |= {number: uses.get(number, "name") for number in _numbers(statement.text)}
    return [Hole(code, uses.get(number, "unknown")) for number, code in enumerate(codes)]  # type: ignore[arg-type]


def known_text(value: Value) -> str | None:
    """A text of SQL with its holes filled by names, None where the value is no text."""
    for each in alternatives(value):
        if isinstance(each, Text):
            return _rendered(each, [])
    return None


def _rendered(value: Value | str, codes: list[str]) -> str:
    match value:
        case str():
            return value
        case Text():
            return "".join(_rendered(part, codes) for part in value.parts)
        case Marks():
            return "?"
        case Number():
            return "1"
    options = [each for each in alternatives(value) if each != NOTHING]
    texts = [each for each in options if isinstance(each, Text | Marks | Number)]
    if options and len(texts) == len(options):
        inner: list[str] = []
        rendered = [_rendered(each, inner) for each in texts]
        if not inner:
            return rendered[0]
    codes.append(_code(value))
    return f"{_HOLE}{len(codes) - 1}"


def _code(value: Value) -> str:
    for each in alternatives(value):
        if isinstance(each, Unknown):
            return each.code
        if isinstance(each, Env):
            return each.name
    return "…"


def _uses(tree: exp.Expression) -> dict[int, str]:
    from sqlglot import exp

    found: dict[int, str] = {}
    for node in tree.walk():
        if isinstance(node, exp.Literal) and node.is_string:
            found |= dict.fromkeys(_numbers(str(node.this)), "quoted")
        elif isinstance(node, exp.Identifier):
            found |= dict.fromkeys(_numbers(str(node.this)), _use_of(node))
    return found


def _use_of(node: exp.Identifier) -> str:
    from sqlglot import exp

    column = node.parent
    if not isinstance(column, exp.Column) or column.args.get("table"):
        return "name"
    around = column.parent
    while isinstance(around, exp.Paren | exp.Tuple):
        column, around = around, around.parent
    if isinstance(
        around, exp.Values | exp.Limit | exp.Offset | exp.Where | exp.Having | exp.And | exp.Or | exp.Not
    ):
        return "value"
    if isinstance(around, exp.In) and around.this is not column:
        return "value"
    if isinstance(around, exp.Binary) and around.expression is column:
        return "value"
    if isinstance(around, exp.Between) and around.this is not column:
        return "value"
    return "name"


def _numbers(text: str) -> Iterator[int]:
    for piece in text.split(_HOLE)[1:]:
        digits = piece[: len(piece) - len(piece.lstrip("0123456789"))]
        if digits:
            yield int(digits)


def _shown(path: str) -> str:
    """A path whose unknown pieces are shown as such."""
    for number in list(_numbers(path)):
        path = path.replace(f"{_HOLE}{number}", "…")
    return path


@lru_cache(maxsize=4096)
def parsed(statement: str, dialect: Dialect) -> exp.Expression | None:
    """The tree of one statement, read as the other dialect if need be; None where it is in neither."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    for read in (dialect, "duckdb" if dialect == "sqlite" else "sqlite"):
        with _silent(), suppress(SqlglotError, RecursionError, ValueError, AttributeError, TypeError):
            return cast("exp.Expression", sqlglot.parse_one(statement, read=read))
    return None


@contextmanager
def _silent() -> Iterator[None]:
    """Keep quiet: sqlglot logs a warning for each statement that it keeps as text; that is no news here."""
    logger = logging.getLogger("sqlglot")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
