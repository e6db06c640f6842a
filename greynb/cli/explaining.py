"""The command that explains a message."""

from __future__ import annotations

import argparse

from greynb.cli.parser import Commands, Parser, add_command


def add(commands: Commands[Parser]) -> None:
    """Add ``why``."""
    command = add_command(
        commands,
        "why",
        "what a message of greynb means, and what to do about it",
        about="The entries are those of the documentation's chapter on messages.",
        examples=[
            ("why 'substr() does not take (DATE, INTEGER, INTEGER)'", "the first line of an error"),
            ("why there is no older version to go back to", "quotes are needed for signs of the shell only"),
        ],
    )
    command.add_argument(
        "message", nargs="+", metavar="MESSAGE", help="the first line of the error, best in quotes"
    )
    command.set_defaults(run=_why)


def _why(args: argparse.Namespace) -> None:
    from greynb.troubleshooting import explain

    print(explain(" ".join(args.message)))
