"""Tab in cells of SQL: a matcher for IPython's completer, which every front end asks.

See https://ipython.readthedocs.io/en/stable/api/generated/IPython.core.completer.html#matcher-api. Nothing is
imported before the first Tab in a cell of ours, and what goes wrong gives no suggestions, never an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

    from greynb.completion.schema import Schema
    from greynb.notebook.magiccells import Magic

Matcher = Callable[["CompletionContext"], "SimpleMatcherResult"]
Found = tuple[str, list[tuple[str, str]]]
"""The text before the cursor that is replaced, and what may replace it, each with its kind."""


def matcher(shell: InteractiveShell) -> Matcher:
    """Make the matcher for a shell."""

    @context_matcher(priority=100, identifier="greynb")  # type: ignore[untyped-decorator]  # IPython's own
    def match(context: CompletionContext) -> SimpleMatcherResult:
        found: Found | None = None
        if "%" in context.full_text:
            try:
                found = complete(context.full_text, _offset(context), shell.user_ns)
            except Exception:  # a key must never print a traceback into a cell
                found = None
        if found is None:
            return {"completions": [], "suppress": False}
        written, suggestions = found
        return {
            "completions": [SimpleCompletion(text=text, type=kind) for text, kind in suggestions],
            "matched_fragment": written,
            "ordered": True,
            "suppress": True,
        }

    return match  # type: ignore[no-any-return]


def complete(cell: str, offset: int, variables: dict[str, Any]) -> Found | None:
    """Suggest what may be written in a cell; None outside of greynb's magics.

    Parameters
    ----------
    cell
        The whole text.
    offset
        Where the cursor stands.
    variables
        The notebook's.
    """
    from greynb.notebook.magiccells import magic_at

    magic = magic_at(cell, offset)
    if magic is None:
        return None
    if offset < magic.sql or magic.name == "greynb":
        return _words(cell[magic.words : offset], magic, variables)
    return _sql(cell[magic.sql : magic.end], offset - magic.sql, magic, variables)


def _sql(text: str, offset: int, magic: Magic, variables: dict[str, Any]) -> Found:
    from greynb.completion.suggesting import suggest

    found = suggest(text, offset, magic.dialect, schema_of(magic.role), variables)
    if found is None or not found.found:  # in a string, or unknown: what Python would suggest is wrong
        word = text[:offset].split()[-1:] if text[:offset][-1:].strip() else []
        return "".join(word), [(each, "text") for each in word]
    return found.written, [(each.text, each.kind) for each in found.found]


def _words(text: str, magic: Magic, variables: dict[str, Any]) -> Found:
    """Suggest a command, an option or a value."""
    from greynb.notebook.usage import cell_usage, commands, expected

    words = text.split()
    written = words.pop() if words and not text[-1:].isspace() else ""
    load = magic.name == "staging" and words[:1] == ["load"]
    known: list[tuple[str, str]]
    if magic.name == "greynb" and not words:
        known = [(name, "command") for name in commands()]
    elif magic.name == "greynb":
        usage = commands().get(words[0])
        known = [
            each for word in (expected(words[1:], usage) if usage else ()) for each in _named(word, variables)
        ]
    else:
        usage = cell_usage(staging=magic.name == "staging", load=load)
        known = [each for word in expected(words, usage) for each in _named(word, variables, magic)]
        known += [] if load else _openers(written, magic)
    lower = written.lower()
    return written, [each for each in known if each[0].lower().startswith(lower)]


def _openers(written: str, magic: Magic) -> list[tuple[str, str]]:
    from greynb.completion.words import OPENERS

    return [] if written.startswith("-") else [(each, "keyword") for each in OPENERS[magic.dialect]]


def _named(word: str, variables: dict[str, Any], magic: Magic | None = None) -> Iterator[tuple[str, str]]:
    """What a word of usage stands for: itself, or the names that it is a name for."""
    from greynb.completion.notebook_names import is_public
    from greynb.databases.notebook_frames import is_frame

    if word in ("TABLE", "T"):
        tables = schema_of(magic.role if magic else "analytics").tables.values()
        yield from ((each.name, each.kind) for each in tables)
    elif word in ("VERSION", "V1", "V2"):
        yield from ((each, "version") for each in _versions())
    elif word in ("NAME", "FRAME"):
        yield from (
            (each, "DataFrame")
            for each, value in variables.items()
            if is_frame(value) and is_public(each, value)
        )
    elif not word[:1].isupper():
        yield word, "option" if word.startswith("-") else "value"


def _versions() -> list[str]:
    """The versions of analytics that are there, newest first."""
    from greynb import api

    return [each.id for each in api.history()]


def schema_of(role: str) -> Schema:
    """What is known now of the tables of a role's file; nothing where it has none."""
    from greynb.completion.schema import SCHEMAS, Schema
    from greynb.connections import analytics_session, staging_session
    from greynb.errors import GreynbError
    from greynb.routing import Settings

    try:
        route = Settings.current().route("staging" if role == "staging" else "analytics")
    except GreynbError:  # said by the cell when it runs
        return Schema()
    return SCHEMAS.opened(lambda: staging_session(route) if role == "staging" else analytics_session(route))


def _offset(context: CompletionContext) -> int:
    lines = context.full_text.split("\n")[: context.cursor_line]
    return sum(len(line) + 1 for line in lines) + context.cursor_position
