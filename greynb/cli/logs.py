"""Commands about the statements that cells ran: the query log."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from greynb.cli.common import positive
from greynb.cli.parser import Commands, Parser, add_command


def add(commands: Commands[Parser]) -> None:
    """Add ``log`` and ``slow``."""
    command = add_command(
        commands,
        "log",
        "the statements that cells ran, where the query log is on",
        about="`%config Greynb.log = True` turns it on in a notebook.",
        examples=[
            ("log", "the last twenty, newest last"),
            ("log -n 100 --json", "for machines"),
        ],
    )
    _common(command, 20)
    command.set_defaults(run=_log)

    command = add_command(
        commands,
        "slow",
        "the statements that took the longest, and why",
        about="Statements that differ in their values alone are one.",
        examples=[
            ("slow", "the ten that cost the most time"),
            ("slow 3", "why the third is slow, in plain words"),
            ("slow --role staging -n 5", "one role's"),
        ],
    )
    command.add_argument("number", nargs="?", type=positive, metavar="N", help="explain the N-th of the list")
    command.add_argument("--role", choices=["staging", "analytics"], help="one role's only")
    _common(command, 10)
    command.set_defaults(run=_slow)


def _common(command: Parser, count: int) -> None:
    command.add_argument(
        "-n", dest="count", type=positive, metavar="N", default=count, help=f"how many (default {count})"
    )
    command.add_argument(
        "--file", type=Path, metavar="FILE", help="the log, where %%config Greynb.log_file names one"
    )
    command.add_argument("--json", action="store_true", help="for machines")


def _log(args: argparse.Namespace) -> None:
    from greynb import querylog

    entries = querylog.last(args.file or querylog.default_file(), args.count)
    if args.json:
        print(json.dumps([each.as_dict() for each in entries], indent=2))
        return
    for each in reversed(entries):
        rows = "" if each.rows is None else f" · {each.rows:,} rows"
        print(f"{each.time} {each.role} · {each.seconds:.3f} s{rows} · {each.version or each.file}")
        print("\n".join(f"    {line}" for line in each.sql.splitlines()))
        if each.error:
            print(f"    {each.error}")


def _slow(args: argparse.Namespace) -> None:
    from greynb import querylog
    from greynb.querylog.explaining import explained

    path = args.file or querylog.default_file()
    if args.number:
        print(explained(querylog.nth(path, args.number, role=args.role)))
        return
    groups = querylog.slowest(path, args.count, role=args.role)
    if args.json:
        print(json.dumps([each.as_dict() for each in groups], indent=2))
        return
    print(f"{'':>3} {'count':>6} {'median s':>9} {'total s':>9}  statement; `greynb slow N` explains one")
    for number, each in enumerate(groups, 1):
        print(f"{number:>3} {len(each.entries):>6,} {each.median:>9.3f} {each.total:>9.1f}  {each.sql[:100]}")
