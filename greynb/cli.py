"""The command ``greynb``: one function per command, no logic."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from greynb import __version__, api
from greynb.errors import GreynbError, UsageError
from greynb.overview import status
from greynb.routing import role_of

if TYPE_CHECKING:
    from greynb.publish import SyncResult


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
        3 for a lag beyond ``--max-lag``, 4 where ``verify`` found a difference, 130 after Ctrl-C.
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


def _status(args: argparse.Namespace) -> int:
    now = status(exact=args.exact)
    if args.prometheus:
        from greynb.prometheus import metrics

        print(metrics(now), end="")
    elif args.json:
        print(json.dumps(now.as_dict(), indent=2))
    else:
        print(now)
    if args.max_lag is None or not now.lag.is_beyond(args.max_lag):
        return 0
    print(f"greynb: analytics is too far behind: {now.lag}", file=sys.stderr)
    return 3


def _route(args: argparse.Namespace) -> None:
    from greynb.routing import Settings

    settings = Settings.current()
    for role in [role_of(args.script)] if args.script else ["staging", "analytics"]:
        route = settings.route(role)  # type: ignore[arg-type]  # the literals above are roles
        print(f"{route.role}\t{route.path}\t{route.chosen_by}\t{route.mode}")


def _sync(args: argparse.Namespace) -> None:
    def publish(progress: Callable[[str, float], None]) -> SyncResult:
        return api.sync(
            args.mode,
            plan=args.plan,
            keep=args.keep,
            verify=args.verify,
            mirror=args.mirror,
            dry_run=args.dry_run,
            progress=progress,
        )

    if (args.every and not args.watch) or (args.watch and args.dry_run):
        raise UsageError("--every goes with --watch, and --watch not with --dry-run")
    if args.watch:
        from greynb import service

        service.watch(
            publish,
            every=args.every or service.EVERY,
            log=lambda line: print(line, flush=True),
        )
        return
    result = publish(_progress())
    print(json.dumps(result.to_dict(), indent=2) if args.json else result)


def _mirror(args: argparse.Namespace) -> None:
    from greynb import columnar

    if args.action == "drop":
        print(f"{columnar.drop() / 1e6:,.1f} MB freed; mirrors that were published stay with their versions")
        return
    progress = _progress()
    found = (
        columnar.build(told=lambda part: progress("mirror", part))
        if args.action == "build"
        else columnar.status()
    )
    print(json.dumps(found.as_dict(), indent=2) if args.json else found)


def _history(args: argparse.Namespace) -> None:
    from greynb.publish.history import history_text

    found = api.history()
    print(json.dumps([each.as_dict() for each in found], indent=2) if args.json else history_text(found))


def _rollback(args: argparse.Namespace) -> None:
    print(api.rollback(args.version, progress=_progress()))


def _changes(args: argparse.Namespace) -> None:
    if args.table:
        rows = api.changed_rows(args.table, args.old, args.new)
        # Blobs as hexadecimal digits; texts that are not valid UTF-8 must not stop the output.
        shown = rows.to_string().encode("utf-8", "replace").decode("utf-8")
        print(json.dumps(rows.to_dict("records"), default=bytes.hex) if args.json else shown)
    else:
        found = api.changes(args.old, args.new)
        print(json.dumps(found.to_dict(), indent=2) if args.json else found)


def _verify(args: argparse.Namespace) -> int:
    found = api.verify(progress=_progress())
    print(json.dumps(found.as_dict(), indent=2, default=repr) if args.json else found)
    return 0 if found.equal else 4


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


def _length(text: str) -> float:
    """A length of time in seconds, for argparse."""
    from greynb.publish.durations import duration

    try:
        return duration(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(f"{error.message}: {error.hint}") from error


def _add_sync(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--mode",
        choices=["full", "incremental", "etl"],
        default="incremental",
        help="incremental (default): nothing if staging is unchanged, else only what changed is examined;"
        " full: everything anew; etl: as greynb.toml says",
    )
    command.add_argument("--plan", metavar="DIR", help="with etl: where greynb.toml is (default: here)")
    command.add_argument(
        "--keep", type=int, default=2, metavar="N", help="old versions that stay (default 2)"
    )
    command.add_argument("--verify", action="store_true", help="compare each row with staging's")
    command.add_argument(
        "--no-mirror", dest="mirror", action="store_false", help="without a columnar mirror: cells are slower"
    )
    command.add_argument("--dry-run", action="store_true", help="only say what would happen")
    command.add_argument("--json", action="store_true", help="for machines")
    command.add_argument("--watch", action="store_true", help="publish after each change, until stopped")
    command.add_argument(
        "--every", type=_length, metavar="TIME", help="with --watch: at most so often (default 1s)"
    )
    command.set_defaults(run=_sync)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="greynb",
        description="Staging takes the writes, analytics serves the reads; greynb routes and publishes.",
    )
    parser.add_argument("--version", action="version", version=f"greynb {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("status", help="which file serves each role, and who chose it")
    command.add_argument("--json", action="store_true", help="for machines")
    command.add_argument("--prometheus", action="store_true", help="as metrics for Prometheus")
    command.add_argument("--exact", action="store_true", help="count the rows that differ; copies staging")
    command.add_argument(
        "--max-lag",
        type=_length,
        metavar="TIME",
        help="exit with 3 if analytics may be further behind",
    )
    command.set_defaults(run=_status)

    command = commands.add_parser("route", help="the role and file of a script of the collector")
    command.add_argument("script", nargs="?", help="a script's path; both roles if left out")
    command.set_defaults(run=_route)

    _add_sync(commands.add_parser("sync", help="publish staging to analytics"))

    command = commands.add_parser("mirror", help="the columnar mirror from which cells read analytics")
    command.add_argument(
        "action",
        choices=["build", "status", "drop"],
        help="build: where the version has none; drop: those that were not published with a version",
    )
    command.add_argument("--json", action="store_true", help="for machines")
    command.set_defaults(run=_mirror)

    command = commands.add_parser("history", help="the versions of analytics that are there")
    command.add_argument("--json", action="store_true", help="for machines")
    command.set_defaults(run=_history)

    command = commands.add_parser("rollback", help="publish an older version of analytics again")
    command.add_argument("version", nargs="?", help="gen-000041 or 41; the one before if left out")
    command.set_defaults(run=_rollback)

    command = commands.add_parser("changes", help="what changed between two versions of analytics")
    command.add_argument("old", nargs="?", metavar="V1", help="a version; default: the one before V2")
    command.add_argument("new", nargs="?", metavar="V2", help="a version; default: the current one")
    command.add_argument("--table", metavar="T", help="the changed rows of this table, before and after")
    command.add_argument("--json", action="store_true", help="for machines")
    command.set_defaults(run=_changes)

    command = commands.add_parser("verify", help="compare analytics with staging; exit with 4 if they differ")
    command.add_argument("--json", action="store_true", help="for machines")
    command.set_defaults(run=_verify)

    command = commands.add_parser("demo", help="build a season, publish it, and write an evaluation report")
    command.add_argument(
        "--races", type=_positive, default=20_000, help="size of the season (default 20,000)"
    )
    command.add_argument("--to", default="demo", metavar="DIR", help="folder to fill (default ./demo)")
    command.set_defaults(run=_demo)
    return parser
