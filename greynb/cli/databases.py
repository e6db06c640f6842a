"""Commands about the databases: which they are, how analytics is read."""

from __future__ import annotations

import argparse
import json

from greynb.cli.common import complain, length, progress_line, tell
from greynb.cli.exitcodes import Exit
from greynb.cli.parser import Commands, Parser, add_command
from greynb.overview import status
from greynb.routing import role_of


def add(commands: Commands[Parser]) -> None:
    """Add ``status``, ``route`` and ``mirror``."""
    command = add_command(
        commands,
        "status",
        "which file serves each role, and who chose it",
        examples=[
            ("status", "both files, the versions, the mirror, locks, and the lag"),
            ("status --exact", "also how many rows differ"),
            ("status --max-lag 10m", "for cron: exit code 3 beyond ten minutes"),
            ("status --prometheus > greynb.prom", "for the node exporter"),
        ],
    )
    command.add_argument("--json", action="store_true", help="for machines")
    command.add_argument("--prometheus", action="store_true", help="as metrics for Prometheus")
    command.add_argument("--exact", action="store_true", help="count the rows that differ; copies staging")
    command.add_argument(
        "--max-lag",
        type=length,
        metavar="TIME",
        help="exit with 3 if analytics may be further behind",
    )
    command.set_defaults(run=_status)

    command = add_command(
        commands,
        "route",
        "the role and file of a script of the collector",
        about="Four columns with tabs between: role, file, what chose it, mode.",
        examples=[
            ("route", "both roles"),
            ("route scripts/ingest_csv.py", "what this script gets"),
        ],
    )
    command.add_argument(
        "script", nargs="?", metavar="SCRIPT", help="a script's path; both roles if left out"
    )
    command.set_defaults(run=_route)

    command = add_command(
        commands,
        "mirror",
        "the columnar mirror from which cells read analytics",
        examples=[
            ("mirror status", "whether there is one, and how large it is"),
            ("mirror build", "make one where the version has none"),
            ("mirror drop", "free what was built beside the versions"),
        ],
    )
    command.add_argument(
        "action",
        choices=["build", "status", "drop"],
        metavar="build|status|drop",
        help="build: where the version has none; drop: those that were not published with a version",
    )
    command.add_argument("--json", action="store_true", help="for machines")
    command.set_defaults(run=_mirror)


def _status(args: argparse.Namespace) -> int:
    now = status(exact=args.exact)
    if args.prometheus:
        from greynb.prometheus import metrics

        print(metrics(now), end="")
    elif args.json:
        print(json.dumps(now.as_dict(), indent=2))
    else:
        tell(str(now))
    if args.max_lag is None or not now.lag.is_beyond(args.max_lag):
        return Exit.OK
    complain(f"analytics is too far behind: {now.lag}")
    return Exit.LAG


def _route(args: argparse.Namespace) -> None:
    from greynb.routing import Settings

    settings = Settings.current()
    for role in [role_of(args.script)] if args.script else ["staging", "analytics"]:
        route = settings.route(role)  # type: ignore[arg-type]  # the literals above are roles
        print(f"{route.role}\t{route.place}\t{route.chosen_by}\t{route.mode}")


def _mirror(args: argparse.Namespace) -> None:
    from greynb import columnar

    if args.action == "drop":
        print(f"{columnar.drop() / 1e6:,.1f} MB freed; mirrors that were published stay with their versions")
        return
    progress = progress_line()
    found = (
        columnar.build(told=lambda part: progress("mirror", part))
        if args.action == "build"
        else columnar.status()
    )
    print(json.dumps(found.as_dict(), indent=2) if args.json else found)
