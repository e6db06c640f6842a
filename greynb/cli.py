"""The command ``greynb``: one function per command, no logic."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from greynb import __version__, api
from greynb.errors import GreynbError
from greynb.overview import status
from greynb.routing import role_of


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
        130 after Ctrl-C.
    """
    args = _parser().parse_args(argv)
    try:
        args.run(args)
    except GreynbError as error:
        print(f"greynb: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("greynb: interrupted; nothing was changed", file=sys.stderr)
        return 130
    return 0


def _status(args: argparse.Namespace) -> None:
    now = status()
    if args.json:
        print(json.dumps({"staging": now.staging.as_dict(), "analytics": now.analytics.as_dict()}, indent=2))
    else:
        print(now)


def _route(args: argparse.Namespace) -> None:
    from greynb.routing import Settings

    settings = Settings.current()
    for role in [role_of(args.script)] if args.script else ["staging", "analytics"]:
        route = settings.route(role)  # type: ignore[arg-type]  # the literals above are roles
        print(f"{route.role}\t{route.path}\t{route.chosen_by}\t{route.mode}")


def _sync(args: argparse.Namespace) -> None:
    print(api.sync(mode=args.mode, progress=_progress()))


def _demo(args: argparse.Namespace) -> None:
    from greynb.demo.run import run_demo

    report = run_demo(Path(args.to), races=args.races, progress=_progress())
    print(f"report: {report}")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number from 1, not {text}")
    return int(text)


def _progress() -> Callable[[str, float], None]:
    """Progress as one line that rewrites itself on a terminal, and as one line per step elsewhere."""
    last = ""

    def show(step: str, fraction: float) -> None:
        nonlocal last
        if sys.stderr.isatty():
            end = "\n" if fraction >= 1 else ""
            print(f"\r\x1b[2K{step} {fraction:4.0%}", end=end, file=sys.stderr, flush=True)
        elif step != last:
            print(step, file=sys.stderr, flush=True)
        last = step

    return show


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="greynb",
        description="Staging takes the writes, analytics serves the reads; greynb routes and publishes.",
    )
    parser.add_argument("--version", action="version", version=f"greynb {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("status", help="which file serves each role, and who chose it")
    command.add_argument("--json", action="store_true", help="for machines")
    command.set_defaults(run=_status)

    command = commands.add_parser("route", help="the role and file of a script of the collector")
    command.add_argument("script", nargs="?", help="a script's path; both roles if left out")
    command.set_defaults(run=_route)

    command = commands.add_parser("sync", help="publish staging to analytics")
    command.add_argument("--mode", choices=["full"], default="full", help="full: the whole database")
    command.set_defaults(run=_sync)

    command = commands.add_parser("demo", help="build a season, publish it, and write an evaluation report")
    command.add_argument(
        "--races", type=_positive, default=20_000, help="size of the season (default 20,000)"
    )
    command.add_argument("--to", default="demo", metavar="DIR", help="folder to fill (default ./demo)")
    command.set_defaults(run=_demo)
    return parser
