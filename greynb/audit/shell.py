"""Shell scripts, cut into commands by `shlex`: what sqlite3, cp and export do to the databases.

It knows words, quotes, comments, here-documents, ``$NAME``, ``${NAME:-default}`` and assignments in the order
of the lines. It does not know which branch of an ``if`` runs, functions, arrays, or what ``$(…)`` prints.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from greynb.audit.copies import VARIABLES, copy_of, judged
from greynb.audit.families.paths import attachment, copied
from greynb.audit.families.roles import Use, reader, writer
from greynb.audit.findings import Found, Level, Place
from greynb.audit.python.opening import category
from greynb.audit.shelltext import whole
from greynb.audit.shellwords import Variables, expanded
from greynb.audit.sql import attached, first_word, known_text, writing
from greynb.audit.targets import Target, looks_like_file, named, target_of
from greynb.audit.values import Env, Text, Value, orders, reads
from greynb.routing.route import Role

_SIGNS = "();<>|&\n`"
_KEYWORDS = {
    "then",
    "do",
    "else",
    "elif",
    "if",
    "while",
    "until",
    "!",
    "{",
    "time",
    "sudo",
    "exec",
    "nohup",
    "env",
}
_SETTERS = {"export", "declare", "local", "readonly", "typeset", "set"}
_COPIERS = {"cp", "mv", "rsync", "scp", "ln", "install"}


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command.

    Attributes
    ----------
    words
        Its words, without redirections.
    place
        The lines that it is on.
    stdin
        The text of a here-document or here-string, with the line it begins on.
    """

    words: tuple[str, ...]
    place: Place
    stdin: tuple[str, int] | None = None


def check(text: str, path: str) -> Iterator[Found]:
    """Audit a shell script; `path` is for its name."""
    variables: Variables = {}
    try:
        for command in commands(text):
            yield from _command(command, variables, path)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        yield Found("not-checked", Place(line), f"not audited from here on: {what}", "bash -n shows where")


def _command(command: Command, variables: Variables, path: str) -> Iterator[Found]:
    words = list(command.words)
    while words and words[0] in _KEYWORDS:
        words.pop(0)
    setting = bool(words) and words[0] in _SETTERS
    if setting:
        words.pop(0)
    script = category(path)
    while words and (pair := _assignment(words[0])):
        words.pop(0)
        yield from _assigned(*pair, command, variables, script)
    if not setting and words:
        yield from _ran(words, command, variables, script, path)


def commands(text: str) -> Iterator[Command]:
    """The simple commands of a script.

    Raises
    ------
    SyntaxError
        A quote is never closed; its line is the error's. The commands before it were given.
    """
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        found = whole(lines, number)
        if found is None:
            raise SyntaxError("a quote is never closed", ("", number + 1, 1, lines[number]))
        source, end = found
        lexer = shlex.shlex(source, posix=True, punctuation_chars=_SIGNS)
        lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
        tokens = list(lexer)
        bodies, after = _documents(tokens, lines, end)
        yield from _split(tokens, Place(number + 1, 1, end), bodies)
        number = after


def _documents(tokens: list[str], lines: list[str], begin: int) -> tuple[list[tuple[str, int]], int]:
    found: list[tuple[str, int]] = []
    for place, token in enumerate(tokens[:-1]):
        if token == "<<<":
            found.append((tokens[place + 1], begin))
        elif token == "<<":
            last = tokens[place + 1].removeprefix("-")
            end = begin
            while end < len(lines) and lines[end].strip() != last:
                end += 1
            found.append(("\n".join(lines[begin:end]), begin + 1))
            begin = end + 1
    return found, begin


def _split(tokens: list[str], place: Place, bodies: list[tuple[str, int]]) -> Iterator[Command]:
    words: list[str] = []
    stdin: tuple[str, int] | None = None
    skip = False
    for token in [*tokens, ";"]:
        if skip:
            skip = False
        elif token and set(token) <= set("<>&") and ("<" in token or ">" in token):
            skip = True
            if token.startswith("<<") and bodies:
                stdin = bodies.pop(0)
        elif token and set(token) <= set(_SIGNS):
            if words:
                yield Command(tuple(words), place, stdin)
            words, stdin = [], None
        else:
            words.append(token)


def _assignment(word: str) -> tuple[str, str] | None:
    name, sign, value = word.partition("=")
    return (name, value) if sign and name.isidentifier() else None


def _assigned(
    name: str, value: str, command: Command, variables: Variables, script: Role | None
) -> Iterator[Found]:
    place = command.place
    meant = expanded(value, variables, place)
    variables[name] = meant
    yield from _copy(meant, place, script, name)
    text = meant.known if isinstance(meant, Text) else None
    if name in VARIABLES and text and looks_like_file(text):
        yield Found(
            "hardcoded-path",
            place,
            f"{name} is set to {text} for everything that this script starts",
            "the .env file, or the environment of the machine; greynb status shows what is in force",
        )
    elif text and looks_like_file(text) and (target := named(text, place)).kind == "ours":
        yield Found(
            "hardcoded-path", place, f"{text} is written in the script", _path_instead(target.role or script)
        )


def _copy(value: Value, place: Place, script: Role | None, name: str) -> Iterator[Found]:
    if len(names := {each.name for each in reads(value)}) == 1 and names == {name} and isinstance(value, Env):
        return  # X="$X" passes on what is there
    if isinstance(value, Env):
        return  # one variable without a default chooses nothing by itself
    for order in orders(value):
        if (copy := copy_of(order)) is not None:
            found = judged(copy, place, script)
            yield Found(found.rule, place, found.message, _path_instead(script), found.level)


def _path_instead(role: Role | None) -> str:
    call = f"get_{role or 'analytics'}_db_path"
    return f"\"$(python -c 'from greynb.db_utils import {call}; print({call}())')\""


def _ran(
    words: list[str], command: Command, variables: Variables, script: Role | None, path: str
) -> Iterator[Found]:
    name = PurePath(words[0]).name
    if name in ("sqlite3", "duckdb"):
        yield from _sqlite(name, words[1:], command, variables, script)
    elif name in _COPIERS:
        yield from _copied(name, words[1:], command, variables)
    elif name.startswith("python"):
        yield from _python(words[1:], command, path)


def _sqlite(
    name: str, words: list[str], command: Command, variables: Variables, script: Role | None
) -> Iterator[Found]:
    options = [word for word in words if word.startswith("-")]
    rest = [word for word in words if not word.startswith("-")]
    taken = sum(
        option.lstrip("-") in ("cmd", "separator", "init", "nullvalue", "newline") for option in options
    )
    place = command.place
    if len(rest) <= taken:
        return
    target = target_of(expanded(rest[taken], variables, place))
    if target.kind == "temporary" or (name == "duckdb" and not target.sqlite):
        return
    readonly = any(option.lstrip("-") == "readonly" for option in options)
    level: Level | None = "note" if target.kind == "other" else None
    yield from _role(Use(target.role, readonly, name, place), script) if target.role else ()
    what = target.name or rest[taken]
    yield Found(
        "raw-connect",
        place,
        f"{name} opens {what}{'' if level else ' past greynb' + chr(39) + 's routing'}",
        "nothing, if the database is the script's own" if level else _path_instead(target.role or script),
        level,
    )
    sql = " ".join(rest[taken + 1 :]) or (command.stdin[0] if command.stdin else "")
    yield from _statements(known_text(expanded(sql, variables, place)) or "", target, readonly, place)


def _role(use: Use, script: Role | None) -> Iterator[Found]:
    if script == "analytics" and use.role == "staging":
        yield reader(use, "warning" if use.readonly else "error")
    elif script == "staging" and use.role == "analytics":
        yield writer(use, "warning" if use.readonly else "error")


def _statements(sql: str, target: Target, readonly: bool, place: Place) -> Iterator[Found]:
    for statement in writing(sql):
        if readonly or target.role == "analytics":
            yield Found(
                "readonly-write",
                place,
                f"{first_word(statement.text)} runs on {'a read-only database' if readonly else 'analytics'}",
                "the same on staging, then greynb sync",
            )
            break
    for _, path in attached(sql):
        if looks_like_file(path):
            yield attachment(named(path, None), place)


def _copied(name: str, words: list[str], command: Command, variables: Variables) -> Iterator[Found]:
    files = [word for word in words if not word.startswith("-")]
    if len(files) < 2:
        return
    place = command.place
    copy = target_of(expanded(files[-1], variables, place))
    for word in files[:-1]:
        source = target_of(expanded(word, variables, place))
        if source.kind == "ours" or (source.kind == "other" and looks_like_file(source.name or "")):
            yield copied(name, source, copy, place)


def _python(words: list[str], command: Command, path: str) -> Iterator[Found]:
    """Python inside a shell script: ``python -c '…'`` and ``python - <<EOF``."""
    from greynb.audit.python import reading

    if "-c" in words and words.index("-c") + 1 < len(words):
        source, line = words[words.index("-c") + 1], command.place.line
    elif command.stdin and (not words or words[0] == "-"):
        source, line = command.stdin
    else:
        return
    for found in reading.check(source, path):
        place = found.place
        moved = Place(place.line + line - 1, place.column, place.last_line + line - 1, place.end_column)
        yield Found(found.rule, moved, found.message, found.suggestion, found.level)
