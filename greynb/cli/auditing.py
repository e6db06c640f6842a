"""The command that reads scripts without running them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from greynb.errors import UsageError

FOUND = 5  # the exit code for findings at or above --fail-on


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``audit``."""
    command = commands.add_parser("audit", help="where scripts, notebooks and SQL go past the routing")
    command.add_argument("paths", nargs="+", metavar="PATH", help="files, and folders with all below them")
    command.add_argument("--format", choices=["text", "json", "sarif"], default="text", help="default: text")
    command.add_argument(
        "--fail-on",
        choices=["error", "warning", "note", "never"],
        default="warning",
        metavar="LEVEL",
        help="exit with 5 from this level on: error, warning (default), note, never",
    )
    command.add_argument(
        "--baseline", type=Path, metavar="FILE", help="findings that are known and not told again"
    )
    command.add_argument(
        "--write-baseline",
        action="store_true",
        help="write what is found now to the baseline, and exit with 0",
    )
    command.set_defaults(run=_audit)


def _audit(args: argparse.Namespace) -> int:
    from greynb.audit import baseline
    from greynb.audit.findings import at_least
    from greynb.audit.output import FORMATS
    from greynb.audit.running import audit

    if args.write_baseline and args.baseline is None:
        raise UsageError("--write-baseline needs a file", hint="Name it: --baseline FILE.")
    found = audit(args.paths)
    if args.write_baseline:
        number = baseline.write(args.baseline, found.findings)
        print(f"{args.baseline}: {number:,} findings of {found.files:,} files are known from now on")
        return 0
    findings = list(found.findings)
    if args.baseline is not None:
        beside = baseline.compared(args.baseline, findings)
        findings = beside.new
        if args.format == "text" and (beside.known or beside.gone):
            gone = f"; {beside.gone:,} that it knows are gone: --write-baseline" if beside.gone else ""
            print(f"known from the baseline: {len(beside.known):,}{gone}", file=sys.stderr)
    print(FORMATS[args.format](findings, found.files))
    told = [each for each in findings if not each.suppressed]
    return FOUND if args.fail_on != "never" and at_least(told, args.fail_on) else 0
