"""The command that explains a message."""

from __future__ import annotations

import argparse


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``why``."""
    command = commands.add_parser("why", help="what a message of greynb means, and what to do about it")
    command.add_argument("message", nargs="+", help="the first line of the error, best in quotes")
    command.set_defaults(run=_why)


def _why(args: argparse.Namespace) -> None:
    from greynb.troubleshooting import explain

    print(explain(" ".join(args.message)))
