"""Commands that move old rows out of staging, and back."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING

from greynb.cli.common import complain, naming_staging, progress_line
from greynb.cli.exitcodes import Exit
from greynb.cli.parser import Commands, Parser, add_command
from greynb.errors import UsageError
from greynb.routing import Settings

if TYPE_CHECKING:
    from greynb.archive import Archived

_ODDS = "archive --older-than 3y --table odds_history --date timestamp"


def add(commands: Commands[Parser]) -> None:
    """Add ``archive`` and ``restore``."""
    command = add_command(
        commands,
        "archive",
        "move old rows of staging to Parquet files, still readable",
        examples=[
            (f"{_ODDS} --to archive --dry-run", "only count"),
            (f"{_ODDS} --to archive", "move them; the same again goes on after a stop"),
        ],
    )
    command.add_argument("--older-than", required=True, type=_before, metavar="AGE", help="90d, 6w, 18mo, 3y")
    command.add_argument("--table", required=True, metavar="TABLE", help="the table whose rows move")
    command.add_argument("--date", required=True, metavar="COLUMN", help="its column of dates: YYYY-MM-DD…")
    command.add_argument("--to", required=True, type=Path, metavar="DIR", help="where the files go")
    command.add_argument("--dry-run", action="store_true", help="only count")
    command.add_argument("--json", action="store_true", help="for machines")
    command.set_defaults(run=_archive)

    command = add_command(
        commands,
        "restore",
        "put archived rows back into staging",
        examples=[
            ("restore archive --dry-run", "only read and verify the files"),
            ("restore archive", "all that is in the folder"),
        ],
    )
    command.add_argument("path", type=Path, metavar="DIR|FILE", help="one archived file, or all of a folder")
    command.add_argument("--dry-run", action="store_true", help="only read and verify the files")
    command.add_argument("--json", action="store_true", help="for machines")
    command.set_defaults(run=_restore)


def _before(age: str) -> dt.date:
    """The day before which rows are old, for argparse."""
    from greynb.archive.cutoff import cutoff

    try:
        return cutoff(age, dt.date.today())
    except UsageError as error:
        raise argparse.ArgumentTypeError(f"{error.message}: {error.hint}") from error


def _archive(args: argparse.Namespace) -> int:
    from greynb.archive import archive

    begun: list[Archived] = []
    try:
        with naming_staging():
            done = archive(
                *(Settings.current().route("staging").path, args.table, args.date, args.older_than, args.to),
                dry_run=args.dry_run,
                told=progress_line(),
                begun=begun.append,
            )
    except KeyboardInterrupt:
        rows = sum(each.rows for each in begun)
        complain(f"stopped; {rows:,} rows are archived, run it again to go on")
        return Exit.INTERRUPTED
    print(json.dumps(done.as_dict(), indent=2) if args.json else done)
    return Exit.OK


def _restore(args: argparse.Namespace) -> None:
    from greynb.archive import restore

    with naming_staging():
        path = Settings.current().route("staging").path
        done = restore(path, args.path, dry_run=args.dry_run, told=progress_line())
    print(json.dumps(done.as_dict(), indent=2) if args.json else done)
