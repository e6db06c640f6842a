"""What an engine's error means: one short block with the line, a near name and the other engine's habit.

The engine's own words are kept where they are clear; the patterns and hints are data in
`dialect_hints`. Nothing here opens or queries a database, except that `tables` is asked once.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import duckdb

from greynb.databases import dialect_hints as known
from greynb.databases.sqltext import Dialect, Token, pointed, tokens
from greynb.errors import (
    DatabaseLocked,
    GreynbError,
    QueryError,
    QueryInterrupted,
    UnreadableDatabase,
)
from greynb.routing.route import Role

Tables = Mapping[str, Sequence[str]]


class _Engine(NamedTuple):
    dialect: Dialect
    rules: Sequence[known.Rule]
    slips: Sequence[known.Slip]
    functions: Mapping[str, str]


_OF_A_SHELL: Final = known.Slip(
    re.compile(r"^[\\.]"),
    "such commands are a shell's own: `%greynb tables` lists tables, `%greynb columns TABLE` its columns",
)
_DUCKDB: Final = _Engine(
    "duckdb", known.DUCKDB_RULES, (_OF_A_SHELL, *known.DUCKDB_SLIPS), known.DUCKDB_FUNCTIONS
)
_SQLITE: Final = _Engine(
    "sqlite", known.SQLITE_RULES, (_OF_A_SHELL, *known.SQLITE_SLIPS), known.SQLITE_FUNCTIONS
)

# SQLite's sentences (also when DuckDB passes them on) that are about the file, not about the statement.
_FILE_TROUBLE: Final[tuple[tuple[re.Pattern[str], type[GreynbError], str], ...]] = (
    (
        re.compile(r"database (?:table )?is locked|schema is locked"),
        DatabaseLocked,
        "another program is writing: run the cell again when it is done",
    ),
    (
        re.compile(
            r"disk image is malformed|not a database|disk I/O error|unable to open database|file is encrypted"
        ),
        UnreadableDatabase,
        "check the file with PRAGMA integrity_check, and publish again from a good one",
    ),
)
_LINE_BLOCK: Final = re.compile(r"\n+LINE (\d+): (.*)\n( *)\^", re.S)


def explain_error(
    error: Exception,
    sql: str,
    *,
    role: Role,
    tables: Callable[[], Tables],
    line_offset: int = 0,
) -> GreynbError:
    """Put an engine's error into greynb's words.

    Parameters
    ----------
    error
        What DuckDB or sqlite3 raised; any other exception keeps its own words.
    sql
        The statement as the engine got it.
    role
        Where it ran.
    tables
        Gives the columns of every table that can be named; asked only for a name that is not found.
    line_offset
        Lines of the cell before the statement's first.
    """
    if isinstance(error, GreynbError):
        return error.at(role=role)
    if isinstance(error, duckdb.InterruptException):
        return QueryInterrupted("the query was interrupted", role=role)
    text = str(error)
    sentence = _sentence(text)
    for pattern, kind, hint in _FILE_TROUBLE:
        if pattern.search(sentence) and not isinstance(error, duckdb.ParserException):
            return kind(sentence, role=role, hint=hint)
    engine = _DUCKDB if isinstance(error, duckdb.Error) else _SQLITE
    rule, found = _rule(engine, sentence)
    groups = {key: value or "" for key, value in (found.groupdict() if found else {}).items()}
    detail = _caret(engine, text, sql, groups.get("name"), line_offset)
    message = rule.message.format(**groups) if rule else sentence
    return QueryError(message, detail=detail, role=role, hint=_hint(engine, rule, groups, sql, tables))


def _sentence(text: str) -> str:
    """The engine's words without its class prefix, caret block, candidates and native stack."""
    text = re.split(r"\n+LINE \d+: |\n+Stack Trace|\n+This error signals", text)[0]
    text = re.sub(r"^[A-Z][\w ()-]{2,40} (?:Error|Exception): ", "", text)
    text = re.split(r"\n\s*(?:Candidate|Did you mean)", text)[0]
    text = text.replace("_LITERAL", "")
    return " ".join(text.split())


def _rule(engine: _Engine, sentence: str) -> tuple[known.Rule | None, re.Match[str] | None]:
    for rule in engine.rules:
        if found := rule.pattern.search(sentence):
            return rule, found
    return None, None


# ---- where -------------------------------------------------------------------------------------------


def _caret(engine: _Engine, text: str, sql: str, name: str | None, line_offset: int) -> str | None:
    block = _LINE_BLOCK.search(text)
    if block:
        offset = _offset(sql, int(block[1]), block[2], len(block[3]) - len(f"LINE {block[1]}: "))
        offset = offset if offset is None else _nearest(engine, sql, name, offset)
    else:
        offset = _offset_of_name(engine, sql, name)
    if offset is None:
        return None
    token = next((t for t in tokens(sql, engine.dialect) if t.start <= offset < t.end), None)
    length = token.end - offset if token and token.significant and "\n" not in token.text else 1
    return pointed("\n" * line_offset + sql, line_offset + offset, length)


def _offset(sql: str, line: int, excerpt: str, column: int) -> int | None:
    """Where DuckDB's caret points in the statement, whose long lines it shows in part."""
    lines = sql.split("\n")
    if not 0 < line <= len(lines):
        return None
    cut = excerpt.startswith("...")
    body = excerpt[3 if cut else 0 :].removesuffix("...")
    begin = lines[line - 1].find(body)
    if begin < 0:
        return None
    within = _characters(body, column - (3 if cut else 0))
    return sum(len(each) + 1 for each in lines[: line - 1]) + begin + within


def _characters(text: str, columns: int) -> int:
    """How many characters fill so many columns of DuckDB's: wide ones count twice, tabs not at all."""
    filled = 0
    for index, character in enumerate(text):
        width = _width(character)
        if filled >= columns and width:
            return index
        filled += width
    return len(text)


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Cc", "Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _nearest(engine: _Engine, sql: str, name: str | None, offset: int) -> int:
    """The place of a name closest to where the caret points: it may point at the alias before it."""
    places = [t.start for t in _significant(engine, sql) if name and _bare(t).casefold() == name.casefold()]
    return min(places, key=lambda place: abs(place - offset), default=offset)


def _offset_of_name(engine: _Engine, sql: str, name: str | None) -> int | None:
    """Where SQLite, which gives no position, must have stumbled: at the only token of that text.

    A name that is nowhere to be found is wrong wherever it stands, so its first place will do; a word
    at which the syntax broke must be the only one, else the caret could point at the wrong one.
    """
    if not name or engine.dialect == "duckdb":
        return None
    exact = [t.start for t in _significant(engine, sql) if _bare(t).casefold() == name.casefold()]
    if name.isidentifier() or len(exact) == 1:
        return exact[0] if len(exact) == 1 or (exact and name.casefold() not in _KEYWORDS) else None
    longer = [t.start for t in _significant(engine, sql) if t.text.startswith(name)]
    return longer[0] if not exact and longer else None


_KEYWORDS: Final = frozenset(
    {
        "all",
        "and",
        "as",
        "between",
        "by",
        "case",
        "else",
        "end",
        "from",
        "group",
        "having",
        "in",
        "into",
        "is",
    }
    | {"join", "left", "limit", "not", "null", "on", "or", "order", "replace", "select", "set", "where"}
)


# ---- what to do --------------------------------------------------------------------------------------


def _hint(
    engine: _Engine,
    rule: known.Rule | None,
    groups: Mapping[str, str],
    sql: str,
    tables: Callable[[], Tables],
) -> str | None:
    if rule is None:
        return None
    if rule.hint:
        return rule.hint.format(**groups)
    name = groups.get("name", "")
    match rule.about:
        case "table":
            return _did_you_mean(name, tables()) or "`%greynb tables` lists the tables"
        case "column":
            return _slip(engine, sql, of=name) or _column_hint(
                engine, name, groups.get("table"), sql, tables()
            )
        case "function":
            return engine.functions.get(name.casefold()) or _did_you_mean(name, engine.functions)
        case "syntax":
            return _slip(engine, sql) or _did_you_mean(name, _STATEMENTS)
    return None


_STATEMENTS: Final = (
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "ORDER",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "WITH",
)


def _slip(engine: _Engine, sql: str, *, of: str | None = None) -> str | None:
    """The hint for another engine's syntax in the statement; with `of`, only where it includes that word."""
    plain = " ".join("''" if t.kind == "string" else t.text.upper() for t in _significant(engine, sql))
    for slip in engine.slips:
        found = slip.pattern.search(plain)
        if found and (of is None or of.upper() in found[0].split()):
            return slip.hint
    return None


def _column_hint(engine: _Engine, name: str, table: str | None, sql: str, tables: Tables) -> str | None:
    named = _named_tables(engine, sql, tables)
    here = {table: tables[table]} if table and table in tables else named or tables
    if near := _did_you_mean(name, sorted({column for columns in here.values() for column in columns})):
        return near
    if any(t.kind == "quoted" and t.text == f'"{name}"' for t in _significant(engine, sql)):
        return f"double quotes are for names; text is in single quotes: '{name}'"
    elsewhere = [t for t, columns in tables.items() if name.casefold() in map(str.casefold, columns)]
    if elsewhere:
        return f"{name!r} is a column of {', '.join(sorted(elsewhere)[:3])}"
    return f"`%greynb columns {next(iter(here))}` lists the columns" if len(here) == 1 else None


def _named_tables(engine: _Engine, sql: str, tables: Tables) -> dict[str, Sequence[str]]:
    written = {_bare(token).casefold() for token in _significant(engine, sql)}
    return {table: columns for table, columns in tables.items() if table.casefold() in written}


def _did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.75)
    return f"did you mean {' or '.join(by_folded[each] for each in near)}?" if near else None


def _significant(engine: _Engine, sql: str) -> list[Token]:
    return [token for token in tokens(sql, engine.dialect) if token.significant]


def _bare(token: Token) -> str:
    """A name without its quotes."""
    if token.kind != "quoted":
        return token.text
    return token.text[1:-1].replace('""', '"')
