"""Commands that make things to read: the demo and its report."""

from __future__ import annotations

import argparse
from pathlib import Path

from greynb.cli.common import positive, progress_line


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``demo``."""
    command = commands.add_parser("demo", help="build a season, publish it, and write an evaluation report")
    command.add_argument("--races", type=positive, default=20_000, help="size of the season (default 20,000)")
    command.add_argument("--to", default="demo", metavar="DIR", help="folder to fill (default ./demo)")
    command.set_defaults(run=_demo)


def _demo(args: argparse.Namespace) -> None:
    from greynb.demo.run import run_demo

    report = run_demo(Path(args.to), races=args.races, progress=progress_line())
    print(f"report: {report}")
