"""The command ``greynb``: one function per command, no logic."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from greynb import __version__
from greynb.cli import (
    archiving,
    auditing,
    databases,
    explaining,
    guarding,
    logs,
    migrating,
    publishing,
    reports,
    upkeep,
)
from greynb.errors import GreynbError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv
        The words after ``greynb``; default: the process's.

    Returns
    -------
    int
        0 if it worked, 1 if greynb refused (the reason is on standard error), 2 for a wrong call,
        3 for a lag beyond ``--max-lag``, 4 where ``verify`` found a difference, 5 where ``doctor`` found an
        error or ``audit`` something, 130 after Ctrl-C; ``guard`` gives what its command gave.
    """
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args) or 0)
    except GreynbError as error:
        print(f"greynb: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("greynb: interrupted; nothing was changed", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="greynb",
        description="Staging takes the writes, analytics serves the reads; greynb routes and publishes.",
    )
    parser.add_argument("--version", action="version", version=f"greynb {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    databases.add(commands)
    publishing.add(commands)
    reports.add(commands)
    upkeep.add(commands)
    guarding.add(commands)
    migrating.add(commands)
    archiving.add(commands)
    auditing.add(commands)
    logs.add(commands)
    explaining.add(commands)
    return parser
