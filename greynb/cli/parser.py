"""The parser of all commands: help with examples, and a wrong call answered with the nearest right one."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from greynb.cli.exitcodes import Exit
from greynb.cli.terminal import painted
from greynb.errors import UsageError


class WrongCall(UsageError):
    """Words of the command line that do not go together; ends with `Exit.USAGE`."""


Commands = argparse._SubParsersAction  # what `add_subparsers` gives; argparse has no public name for it


class Parser(argparse.ArgumentParser):
    """One command's options and arguments.

    Parameters
    ----------
    examples
        Commands that are tried in the tests, each with what it does.
    more
        Text for the end of the help.
    """

    def __init__(
        self,
        prog: str | None = None,
        *,
        examples: Sequence[tuple[str, str]] = (),
        more: str = "",
        **kwargs: Any,
    ) -> None:
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        super().__init__(prog, **kwargs)
        self.examples = examples
        self.epilog = "\n\n".join(filter(None, [_example_lines(examples), more]))
        self.color = False  # Python 3.14 would colour the help itself; `terminal` does
        self._words: list[str] = []

    def parse_known_args(  # type: ignore[override]  # one signature for its overloads
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse; words that are left over are an error here, where the options are known that were meant."""
        given = list(sys.argv[1:] if args is None else args)
        self._words = given[: given.index("--")] if "--" in given else given  # the rest is another program's
        found, left = super().parse_known_args(args, namespace)
        if left:
            self.error(f"{self.prog} does not take {' '.join(left)}")
        return found, left

    def error(self, message: str) -> NoReturn:
        """End with a short block: what is wrong, and what was probably meant."""
        wrong = next((word for word in self._words if self._is_unknown(word)), "")
        meant = nearest(wrong.split("=")[0], self._option_string_actions)
        hint = f"did you mean {meant}? " if meant else ""
        text = UsageError(message, hint=f"{hint}`{self.prog} --help` shows how it is used")
        self.exit(Exit.USAGE, painted(f"greynb: {text}\n", sys.stderr))

    def _is_unknown(self, word: str) -> bool:
        name = word.split("=")[0]
        return name.startswith("--") and not any(
            each.startswith(name) for each in self._option_string_actions
        )

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        meant = nearest(str(value), action.choices)
        if isinstance(action, argparse._SubParsersAction):
            said = f"there is no command {value}"
            meant = f"`{self.prog} {meant}`" if meant else None
        else:
            name = "/".join(action.option_strings) or action.dest
            said = f"{name} takes {', '.join(map(str, action.choices))}, not {value}"
        hint = f"did you mean {meant}? " if meant else ""
        text = UsageError(said, hint=f"{hint}`{self.prog} --help` lists them")
        self.exit(Exit.USAGE, painted(f"greynb: {text}\n", sys.stderr))

    def print_help(self, file: Any = None) -> None:
        """Print the help, coloured where the terminal wants it."""
        stream = file or sys.stdout
        stream.write(painted(self.format_help(), stream))


def add_command(
    commands: Commands[Parser],
    name: str,
    summary: str,
    *,
    examples: Sequence[tuple[str, str]],
    about: str = "",
    **kwargs: Any,
) -> Parser:
    """Add a command.

    Parameters
    ----------
    commands
        Those of `greynb`.
    name, summary
        As in the list of commands.
    examples
        The words after ``greynb``, each with what they do.
    about
        What its own help says beyond the summary.
    """
    description = f"{summary[0].upper()}{summary[1:]}." + (f"\n\n{about}" if about else "")
    full = [(f"greynb {words}", what) for words, what in examples]
    return commands.add_parser(name, help=summary, description=description, examples=full, **kwargs)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None."""
    return next(iter(difflib.get_close_matches(word, list(known), 1, 0.5)), None)


def _example_lines(examples: Sequence[tuple[str, str]]) -> str:
    lines = (f"  # {what}\n  {words}" for words, what in examples)
    return "\n".join(["examples:", *lines]) if examples else ""
