"""Commands that move old rows out of staging, and back."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from greynb.cli.common import progress_line
from greynb.routing import Settings

if TYPE_CHECKING:
    from greynb.archive import Archived


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``archive`` and ``restore``."""
    command = commands.add_parser("archive", help="move old rows of staging to Parquet files, still readable")
    command.add_argument("--older-than", required=True, metavar="AGE", help="90d, 6w, 18mo, 3y")
    command.add_argument("--table", required=True, help="the table whose rows move")
    command.add_argument("--date", required=True, metavar="COLUMN", help="its column of dates: YYYY-MM-DD…")
    command.add_argument("--to", required=True, type=Path, metavar="DIR", help="where the files go")
    command.add_argument("--dry-run", action="store_true", help="only count")
    command.add_argument("--json", action="store_true", help="for machines")
    command.set_defaults(run=_archive)

    command = commands.add_parser("restore", help="put archived rows back into staging")
    command.add_argument("path", type=Path, metavar="DIR|FILE", help="one archived file, or all of a folder")
    command.add_argument("--dry-run", action="store_true", help="only read and verify the files")
    command.add_argument("--json", action="store_true", help="for machines")
    command.set_defaults(run=_restore)


def _archive(args: argparse.Namespace) -> int:
    from greynb.archive import archive
    from greynb.archive.cutoff import cutoff

    route = Settings.current().route("staging")
    before = cutoff(args.older_than, dt.date.today())
    begun: list[Archived] = []
    try:
        done = archive(
            *(route.path, args.table, args.date, before, args.to),
            dry_run=args.dry_run,
            told=progress_line(),
            begun=begun.append,
        )
    except KeyboardInterrupt:
        rows = sum(each.rows for each in begun)
        print(f"greynb: stopped; {rows:,} rows are archived, run it again to go on", file=sys.stderr)
        return 130
    print(json.dumps(done.as_dict(), indent=2) if args.json else done)
    return 0


def _restore(args: argparse.Namespace) -> None:
    from greynb.archive import restore

    route = Settings.current().route("staging")
    done = restore(route.path, args.path, dry_run=args.dry_run, told=progress_line())
    print(json.dumps(done.as_dict(), indent=2) if args.json else done)
