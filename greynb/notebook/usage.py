"""What may follow a magic's name: commands, options and their values, read from the lines of help."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from greynb.notebook.commands import HELP
from greynb.notebook.options import known_options

_COMMAND: Final = re.compile(r"%greynb (\w+)((?: (?:\[[^\]]*\]|[A-Z][A-Z0-9]*…?(?!\w)))*)")
_LOAD: Final = "FRAME [--into TABLE] [--key COLUMN] [--on-conflict error|ignore|update] [--create]"
_OPTION: Final = re.compile(r"(--?[\w-]+)(?: ([^\s\]]+))?")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a command takes: its options with the name of their value (or ``a|b``), and its other words."""

    options: dict[str, str]
    words: tuple[str, ...]


@cache
def commands() -> dict[str, Usage]:
    """The commands of ``%greynb``."""
    return {name: usage(rest) for name, rest in _COMMAND.findall(HELP)}


@cache
def usage(text: str) -> Usage:
    """Read a line of usage: ``NAME [--force] [--mode full|etl] [build|drop]``."""
    bracketed = re.findall(r"\[([^\]]*)\]", text)
    bare = re.sub(r"\[[^\]]*\]", "", text).split()
    options = {found[1]: found[2] or "" for each in bracketed if (found := _OPTION.match(each))}
    optional = (word for each in bracketed if not each.startswith("-") for word in each.split())
    return Usage(options, (*bare, *optional))


def cell_usage(*, staging: bool, load: bool) -> Usage:
    """What the line of ``%%analytics`` or ``%%staging`` takes, or ``%staging load``."""
    return usage(_LOAD) if load else Usage(known_options(staging=staging), ())


def expected(words: list[str], known: Usage) -> Iterator[str]:
    """What the next word may be: an option, a value (``full``), or the name of a value (``TABLE``)."""
    if words and (value := known.options.get(words[-1])):
        yield from value.split("|")
        return
    for word in known.words:
        yield from word.split("|")
    yield from (option for option in known.options if option not in words)
