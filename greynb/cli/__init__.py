"""The command ``greynb``: one function per command, no logic."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from greynb import __version__
from greynb.cli import (
    archiving,
    auditing,
    databases,
    exitcodes,
    explaining,
    guarding,
    logs,
    migrating,
    publishing,
    reports,
    shells,
    upkeep,
)
from greynb.cli.common import complain, end_progress
from greynb.cli.exitcodes import Exit
from greynb.cli.parser import Parser, WrongCall
from greynb.cli.terminal import completing
from greynb.errors import GreynbError, QueryInterrupted

_CODES = {WrongCall: Exit.USAGE, QueryInterrupted: Exit.INTERRUPTED}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv
        The words after ``greynb``; default: the process's.

    Returns
    -------
    int
        One of `greynb.cli.exitcodes.Exit`; ``guard`` gives what its command gave.
    """
    try:
        code = _run(argv)
        if sys.stdout is not None:  # a full disk or a closed pipe is found here, not at the end of Python
            sys.stdout.flush()
        return code
    except GreynbError as error:
        complain(str(error))
        return next((code for kind, code in _CODES.items() if isinstance(error, kind)), Exit.REFUSED)
    except KeyboardInterrupt:
        complain("interrupted")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        _let_go_of_output()
        return Exit.PIPE_CLOSED
    except OSError as error:
        if error.filename is not None or sys.stdout is None:
            raise
        _let_go_of_output()
        complain(f"the output could not be written: {error.strerror}")
        return Exit.REFUSED


def parser() -> Parser:
    """The parser of all commands."""
    whole = Parser(
        prog="greynb",
        description="Staging takes the writes, analytics serves the reads; greynb routes and publishes.",
        examples=[
            ("greynb status", "which file serves each role, and how far analytics is behind"),
            ("greynb sync", "publish what changed in staging"),
            ("greynb doctor", "what is wrong with both databases"),
            ("greynb sync --help", "the options of a command, with examples"),
        ],
        more=f"exit codes:\n{exitcodes.listed()}\n  `guard` gives the code of its command.",
    )
    whole.add_argument("--version", action="version", version=f"greynb {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND", title="commands", parser_class=Parser)
    for part in (
        *(databases, publishing, reports, upkeep, guarding, migrating, archiving, auditing, logs),
        *(explaining, shells),
    ):
        part.add(commands)
    return whole


def _run(argv: Sequence[str] | None) -> int:
    whole = parser()
    if completing():
        from greynb.cli.completing import complete

        complete(whole)
    args = whole.parse_args(argv)
    try:
        return int(args.run(args) or 0)
    finally:
        end_progress()


def _let_go_of_output() -> None:
    """What is still to be written goes nowhere, so that Python does not try it again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
