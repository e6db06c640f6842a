"""From paths to findings: each file read, audited by its language, and judged by its suppressions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from greynb.audit import notebook, shell, sqlfile
from greynb.audit.files import Language, Unreadable, found, text_of
from greynb.audit.findings import Finding, Found, Place
from greynb.audit.python import reading
from greynb.audit.rules import RULES
from greynb.audit.suppressions import is_suppressed, suppressions

_CHECKS: dict[Language, Callable[[str, str], Iterator[Found]]] = {
    "python": reading.check,
    "shell": shell.check,
    "notebook": notebook.check,
    "sql": sqlfile.check,
}
# A file without any of these has nothing that a rule is about, and is not even parsed.
_SIGNS = (
    "sqlite",
    "duckdb",
    "apsw",
    ".db",
    "_db_path",
    "database_",
    "execute",
    "read_sql",
    "get_conn",
    "to_sql",
    "create_engine",
    "analytics",
    "staging",
    "attach",
)


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found.

    Attributes
    ----------
    findings
        By file, line and column; suppressed ones included.
    files
        Number of files read.
    """

    findings: tuple[Finding, ...]
    files: int


def audit(paths: Sequence[str | os.PathLike[str]]) -> Audit:
    """Audit the scripts, notebooks and SQL files below paths, without running them.

    Raises
    ------
    UsageError
        A path does not exist.
    """
    findings: list[Finding] = []
    files = 0
    for path, language in found(paths):
        files += 1
        findings += audit_file(path, language)
    return Audit(tuple(findings), files)


def audit_file(path: Path, language: Language) -> list[Finding]:
    """Audit one file; whatever it holds gives findings or a note."""
    name = shown(path)
    try:
        text = text_of(path, language)
    except Unreadable as error:
        return [_finding(_note(str(error)), name, "", {})]
    lower = text.lower()
    if not any(sign in lower for sign in _SIGNS):
        return []
    try:
        every = list(_CHECKS[language](text, name))
    except (RecursionError, MemoryError):  # the parser's own words for it differ
        every = [_note("it is nested too deeply")]
    ignored = suppressions(text)
    lines = text.splitlines()
    told = dict.fromkeys(_finding(each, name, _line(lines, each.place), ignored) for each in every)
    return sorted(told, key=lambda each: (each.place.line, each.place.column, each.rule))


def shown(path: Path) -> str:
    """A path as reports show it: relative to the working directory where it lies below it."""
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return path.as_posix()


def _note(why: str) -> Found:
    return Found("not-checked", Place(1), f"not audited: {why}", "nothing, if it is no script of yours")


def _line(lines: list[str], place: Place) -> str:
    return lines[place.line - 1].strip()[:200] if place.line <= len(lines) else ""


def _finding(each: Found, path: str, snippet: str, ignored: dict[int, frozenset[str]]) -> Finding:
    return Finding(
        each.rule,
        each.level or RULES[each.rule].level,
        path,
        each.place,
        each.message,
        each.suggestion,
        snippet,
        is_suppressed(each.rule, each.place, ignored),
    )
