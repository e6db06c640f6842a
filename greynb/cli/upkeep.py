"""Commands that look after the databases: what is wrong with them, and what makes them quicker."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from greynb.cli.common import length, progress_line, tell
from greynb.cli.exitcodes import Exit
from greynb.cli.parser import Commands, Parser, add_command
from greynb.errors import GreynbError
from greynb.routing import Settings

if TYPE_CHECKING:
    from greynb.doctor import Examination


def add(commands: Commands[Parser]) -> None:
    """Add ``doctor`` and ``optimize``."""
    command = add_command(
        commands,
        "doctor",
        "what is wrong with both databases, and what mends it",
        examples=[
            ("doctor", "each finding, why it matters, and the command that mends it"),
            ("doctor --fix", "apply the safe fixes, each shown first"),
            ("doctor --max-lag 10m --json", "for cron: exit code 5 after an error"),
        ],
    )
    command.add_argument("--fix", action="store_true", help="apply the safe fixes, each shown first")
    command.add_argument("--json", action="store_true", help="for machines")
    command.add_argument(
        "--max-lag",
        type=length,
        metavar="TIME",
        help="how far analytics may be behind: beyond it is an error (default: a warning beyond 1d)",
    )
    command.set_defaults(run=_doctor)

    command = add_command(
        commands,
        "optimize",
        "statistics, free space and log of staging",
        examples=[
            ("optimize --dry-run", "what would be done, and what it would save"),
            ("optimize", "do it, with sizes before and after"),
        ],
    )
    command.add_argument("--dry-run", action="store_true", help="only say what would be done")
    command.add_argument("--json", action="store_true", help="for machines")
    command.set_defaults(run=_optimize)


def _doctor(args: argparse.Namespace) -> int:
    from greynb.doctor import Patient, examine, treat
    from greynb.doctor.working import run

    def looked() -> Examination:
        patient = Patient(Settings.current(), max_lag=args.max_lag)
        try:
            return run(lambda: examine(patient, progress_line() if sys.stderr.isatty() else _quiet), patient)
        finally:
            patient.close()

    found = looked()
    treated = []
    if args.fix:
        if not args.json:
            tell(f"{found}\n")
        treated = treat(found, lambda line: print(line, file=sys.stderr if args.json else sys.stdout))
        found = looked() if treated else found
    if args.json:
        fixes = {"fixes": [each.as_dict() for each in treated]} if args.fix else {}
        print(json.dumps({**found.as_dict(), **fixes}, indent=2))
    else:
        tell(_outcome(found, bool(treated)) if args.fix else str(found))
    return Exit.FOUND if found.count("error") else Exit.OK


def _outcome(found: Examination, treated: bool) -> str:
    return f"\nafter the fixes: {found.summary}" if treated else "there is nothing that --fix may mend"


def _quiet(_step: str, _part: float) -> None:
    """Say nothing of the checks in a log of cron."""


def _optimize(args: argparse.Namespace) -> None:
    from greynb.doctor.optimizing import optimize
    from greynb.doctor.working import Work, run

    route, work = Settings.current().route("staging"), Work()
    told = progress_line() if sys.stderr.isatty() else _quiet
    try:
        done = run(lambda: optimize(route.path, dry_run=args.dry_run, told=told, work=work), work)
    except GreynbError as error:
        raise error.at(role="staging", path=route.path, chosen_by=route.chosen_by) from error.__cause__
    print(json.dumps(done.as_dict(), indent=2) if args.json else done)
