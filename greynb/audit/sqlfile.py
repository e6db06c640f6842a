"""SQL files: what they attach, and whether a file that should only read writes."""

from __future__ import annotations

from collections.abc import Iterator

from greynb.audit.families.paths import attachment
from greynb.audit.findings import Found, Place
from greynb.audit.python.opening import category
from greynb.audit.sql import Dialect, attached, first_word, writing
from greynb.audit.targets import looks_like_file, named
from greynb.routing.route import Role

_MOST = 20  # writes of one file that are told


def check(text: str, path: str) -> Iterator[Found]:
    """Audit a SQL file; `path` is for its name."""
    sql = "\n".join("" if line.startswith(".") else line for line in text.splitlines())
    yield from _commands(text)
    role = category(path)
    why = "by its name this file only reads, so that it is run on analytics"
    yield from check_sql(sql, 0, "sqlite", role, why)


def check_sql(sql: str, above: int, dialect: Dialect, role: Role | None, why: str) -> Iterator[Found]:
    """Audit SQL that begins `above` lines down, and that runs on the database of `role` (None: not known)."""
    for statement, path in attached(sql, dialect):
        if looks_like_file(path):
            yield attachment(named(path, None), _place(above + statement.line, statement.text))
    if role != "analytics":
        return
    for number, statement in enumerate(writing(sql, dialect)):
        if number == _MOST:
            return
        yield Found(
            "readonly-write",
            _place(above + statement.line, statement.text),
            f"{first_word(statement.text)} writes, and {why}",
            'a %%staging cell or greynb.get_conn("staging"), then greynb sync',
        )


def _place(line: int, text: str) -> Place:
    return Place(line, 1, line + text.count("\n"))


def _commands(text: str) -> Iterator[Found]:
    """The dot-commands of the sqlite3 shell that open a file."""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if words[:1] == [".open"]:
            path = next((word for word in words[1:] if not word.startswith("-")), "").strip("'\"")
            if looks_like_file(path):
                yield attachment(named(path, None), Place(number))
