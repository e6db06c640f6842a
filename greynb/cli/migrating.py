"""The command ``migrate``: from one database to two, and back."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from greynb.cli.common import complain, progress_line
from greynb.cli.exitcodes import Exit
from greynb.cli.parser import Commands, Parser, WrongCall, add_command
from greynb.errors import UsageError
from greynb.routing import Settings

_ABOUT = """The original is only read, and stays. The .env file is changed last, when all is verified; the
old one is kept beside it. A migration that was stopped goes on when the same command is run again."""


def add(commands: Commands[Parser]) -> None:
    """Add ``migrate``."""
    command = add_command(
        commands,
        "migrate",
        "from one database to two: staging and analytics; and back",
        about=_ABOUT,
        examples=[
            ("migrate --from greyhound_racing_data.db --dry-run", "only show the plan"),
            ("migrate --from greyhound_racing_data.db --yes", "do it without a question"),
            ("migrate --to-single greyhound_racing_data_one.db", "back to one file"),
        ],
    )
    way = command.add_mutually_exclusive_group(required=True)
    way.add_argument("--from", dest="source", type=Path, metavar="PATH", help="the one database")
    way.add_argument(
        "--to-single", dest="single", type=Path, metavar="PATH", help="back: one database for both roles"
    )
    command.add_argument("--staging", type=Path, metavar="PATH", help="default: beside it, the usual name")
    command.add_argument("--analytics", type=Path, metavar="PATH", help="default: beside it, the usual name")
    command.add_argument("--dry-run", action="store_true", help="only show the plan")
    command.add_argument("--yes", action="store_true", help="without a question")
    command.set_defaults(run=_migrate)


def _migrate(args: argparse.Namespace) -> int:
    from greynb.migration.migrating import migrate
    from greynb.migration.plan import plan_single, plan_two

    settings = Settings.current()
    if args.single:
        if args.staging or args.analytics:
            raise WrongCall("--to-single makes one file for both roles", hint="leave out the other two")
        plan = plan_single(args.single, settings)
    else:
        plan = plan_two(args.source, args.staging, args.analytics, settings)
    print(plan)
    if args.dry_run:
        return Exit.OK
    if not args.yes and not _agreed():
        print("nothing was done")
        return Exit.REFUSED
    try:
        print(migrate(plan, progress=progress_line()))
    except KeyboardInterrupt:
        complain("stopped; the same command goes on from here")
        return Exit.INTERRUPTED
    return Exit.OK


def _agreed() -> bool:
    if not (sys.stdin and sys.stdin.isatty()):
        raise UsageError("nobody can be asked here", hint="add --yes, or --dry-run to see the plan only")
    try:
        return input("Do it? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
