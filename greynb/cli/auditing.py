"""The command that reads scripts without running them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from greynb.cli.common import tell
from greynb.cli.exitcodes import Exit
from greynb.cli.parser import Commands, Parser, WrongCall, add_command


def add(commands: Commands[Parser]) -> None:
    """Add ``audit``."""
    command = add_command(
        commands,
        "audit",
        "where scripts, notebooks and SQL go past the routing",
        about="Nothing is run: Python, shell, notebooks and SQL are read as text.",
        examples=[
            ("audit scripts notebooks", "all below two folders"),
            ("audit . --format sarif > audit.sarif", "for a code-scanning service"),
            ("audit . --baseline audit.json --write-baseline", "what is there now is known"),
            ("audit . --baseline audit.json --fail-on error", "only what is new, only errors"),
        ],
    )
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
        raise WrongCall("--write-baseline needs a file", hint="name it: --baseline FILE")
    found = audit(args.paths)
    if args.write_baseline:
        number = baseline.write(args.baseline, found.findings)
        print(f"{args.baseline}: {number:,} findings of {found.files:,} files are known from now on")
        return Exit.OK
    findings = list(found.findings)
    if args.baseline is not None:
        beside = baseline.compared(args.baseline, findings)
        findings = beside.new
        if args.format == "text" and (beside.known or beside.gone):
            gone = f"; {beside.gone:,} that it knows are gone: --write-baseline" if beside.gone else ""
            print(f"known from the baseline: {len(beside.known):,}{gone}", file=sys.stderr)
    tell(FORMATS[args.format](findings, found.files))
    told = [each for each in findings if not each.suppressed]
    return Exit.FOUND if args.fail_on != "never" and at_least(told, args.fail_on) else Exit.OK
