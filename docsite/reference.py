"""The parts of the reference that are read from the program itself."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

_INSERT = re.compile(r"^<!-- (\w+) of greynb -->$", re.MULTILINE)


def filled(markdown: str) -> str:
    """Put the generated part where a page asks for it, as in ``<!-- commands of greynb -->``."""
    return _INSERT.sub(lambda found: _PARTS[found[1]](), markdown)


def commands() -> str:
    """Give every command with its help, from the parser of the command line."""
    from greynb.cli import parser

    return "\n\n".join(documented(parser()))


def documented(parser: argparse.ArgumentParser) -> list[str]:
    """Give each command of a parser as Markdown."""
    return [_command(each) for each in _with_commands(parser)]


def _with_commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    nested = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    if not nested:
        yield parser
    for action in nested:
        told = {each.dest: (each.help or "").replace("%%", "%") for each in action._choices_actions}
        for name, inner in action.choices.items():
            inner.description = inner.description or told.get(name)
            yield from _with_commands(inner)


def _command(parser: argparse.ArgumentParser) -> str:
    told = parser.description or ""
    usage = parser.format_usage().removeprefix("usage: ").rstrip()
    rows = [_argument(each) for each in parser._actions if not isinstance(each, argparse._HelpAction)]
    parts = [
        f"## {parser.prog}",
        told[:1].upper() + told[1:],
        f"```text\n{usage}\n```",
        "\n".join(["| option | |", "|---|---|", *rows]) if rows else "",
        f"```text\n{parser.epilog.strip()}\n```" if parser.epilog else "",
    ]
    return "\n\n".join(filter(None, parts))


def _argument(action: argparse.Action) -> str:
    """Give the row of an option or argument, with its help as argparse fills it in."""
    value = action.metavar or (action.dest.upper() if action.option_strings else action.dest)
    if action.choices is not None and not action.metavar:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    words = [", ".join(action.option_strings)] if action.option_strings else []
    words += [str(value)] if action.nargs != 0 else []
    told = (action.help or "") % {**vars(action), "prog": "greynb"}
    return f"| `{' '.join(words)}` | {_cell(told)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def settings() -> str:
    """Give the settings of ``%config Greynb``, from their traits."""
    from greynb.notebook.config import Greynb

    rows = [
        f"| `Greynb.{name}` | `{trait.default_value!r}` | {_cell(str(trait.help))} |"
        for name, trait in sorted(Greynb.class_own_traits(config=True).items())
    ]
    return "\n".join(["| setting | default | |", "|---|---|---|", *rows])


def notebook_help() -> str:
    """Give what ``%greynb help`` prints."""
    from greynb.notebook.commands import HELP

    return f"```text\n{HELP}\n```"


def python() -> str:
    """Give the public names that are no errors, from their docstrings."""
    return _named(each for each in _names() if not _is_error(each))


def errors() -> str:
    """Give the classes of errors, from their docstrings."""
    return _named(each for each in _names() if _is_error(each))


def _names() -> list[str]:
    import greynb

    return [each for each in greynb.__all__ if not each.startswith("__")]


def _is_error(name: str) -> bool:
    import greynb

    return isinstance(value := getattr(greynb, name), type) and issubclass(value, Exception)


def _named(names: Iterator[str]) -> str:
    return "\n\n".join(f"::: greynb.{name}" for name in names)


_PARTS = {
    "commands": commands,
    "settings": settings,
    "help": notebook_help,
    "python": python,
    "errors": errors,
}
