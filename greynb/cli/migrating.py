"""The command ``migrate``: from one database to two, from files to servers, and back."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from greynb.cli.common import complain, progress_line
from greynb.cli.exitcodes import Exit
from greynb.cli.parser import Commands, Parser, WrongCall, add_command
from greynb.errors import UsageError
from greynb.routing import Settings

if TYPE_CHECKING:
    from greynb.publish.steps import Progress


_ABOUT = """The original is only read, and stays. The .env file is changed last, when all is verified; the
old one is kept beside it. A migration that was stopped goes on when the same command is run again."""


def add(commands: Commands[Parser]) -> None:
    """Add ``migrate``."""
    command = add_command(
        commands,
        "migrate",
        "from one database to two, or from two files to servers; and back",
        about=_ABOUT,
        examples=[
            ("migrate --from greyhound_racing_data.db --dry-run", "only show the plan"),
            ("migrate --from greyhound_racing_data.db --yes", "do it without a question"),
            ("migrate --to-single greyhound_racing_data_one.db", "back to one file"),
            (
                "migrate --to-servers --staging postgresql://ann@db/races --analytics ducklake:r.ducklake",
                "staging to PostgreSQL, analytics to a DuckLake",
            ),
            ("migrate --to-files", "from there back to two files"),
        ],
    )
    way = command.add_mutually_exclusive_group(required=True)
    way.add_argument("--from", dest="source", type=Path, metavar="PATH", help="the one database")
    way.add_argument(
        "--to-single", dest="single", type=Path, metavar="PATH", help="back: one database for both roles"
    )
    way.add_argument(
        "--to-servers", action="store_true", help="staging to PostgreSQL, and analytics published from there"
    )
    way.add_argument("--to-files", action="store_true", help="back: from servers to two files")
    command.add_argument(
        "--staging", metavar="PATH", help="a file (default: the usual name), or with --to-servers an address"
    )
    command.add_argument(
        "--analytics",
        metavar="PATH",
        help="the same; with --to-servers a ducklake: address, or by default where analytics is now",
    )
    command.add_argument("--dry-run", action="store_true", help="only show the plan")
    command.add_argument("--yes", action="store_true", help="without a question")
    command.set_defaults(run=_migrate)


def _migrate(args: argparse.Namespace) -> int:
    plan, carry_out = _planned(args, Settings.current())
    print(plan)
    if args.dry_run:
        return Exit.OK
    if not args.yes and not _agreed():
        print("nothing was done")
        return Exit.REFUSED
    try:
        print(carry_out(progress_line()))
    except KeyboardInterrupt:
        complain("stopped; the same command goes on from here")
        return Exit.INTERRUPTED
    return Exit.OK


def _planned(args: argparse.Namespace, settings: Settings) -> tuple[object, Callable[[Progress], object]]:
    """What is to be done, to print, and what does it."""
    if args.to_servers:
        from greynb.migration.servers.serversplan import plan_servers
        from greynb.migration.servers.toservers import to_servers

        if not args.staging:
            raise WrongCall(
                "--to-servers needs --staging", hint="write --staging postgresql://user@host/database"
            )
        servers = plan_servers(args.staging, args.analytics, settings, progress_line())
        return servers, lambda progress: to_servers(servers, progress=progress)
    staging, analytics = (Path(each) if each else None for each in (args.staging, args.analytics))
    if args.to_files:
        from greynb.migration.servers.filesplan import plan_files
        from greynb.migration.servers.tofiles import to_files

        files = plan_files(staging, analytics, settings)
        return files, lambda progress: to_files(files, progress=progress)
    from greynb.migration.migrating import migrate
    from greynb.migration.plan import plan_single, plan_two

    if args.single:
        if staging or analytics:
            raise WrongCall("--to-single makes one file for both roles", hint="leave out the other two")
        plan = plan_single(args.single, settings)
    else:
        plan = plan_two(args.source, staging, analytics, settings)
    return plan, lambda progress: migrate(plan, progress=progress)


def _agreed() -> bool:
    if not (sys.stdin and sys.stdin.isatty()):
        raise UsageError("nobody can be asked here", hint="add --yes, or --dry-run to see the plan only")
    try:
        return input("Do it? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
