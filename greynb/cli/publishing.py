"""Commands that publish staging to analytics, and look after the versions."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from greynb import api
from greynb.cli.common import length, progress_line, tell, whole
from greynb.cli.exitcodes import Exit
from greynb.cli.parser import Commands, Parser, WrongCall, add_command

if TYPE_CHECKING:
    from greynb.publish import SyncResult
    from greynb.publish.steps import Progress

_SYNC = [
    ("sync", "publish what changed; nothing if nothing did"),
    ("sync --dry-run", "only say what would happen"),
    ("sync --mode full --verify", "everything anew, each row compared"),
    ("sync --mode etl --plan project", "as project/greynb.toml says"),
    ("sync --watch --every 2s", "and again whenever staging changed"),
]


def add(commands: Commands[Parser]) -> None:
    """Add ``sync``, ``history``, ``rollback``, ``changes`` and ``verify``."""
    _add_sync(add_command(commands, "sync", "publish staging to analytics", examples=_SYNC))

    command = add_command(
        commands,
        "history",
        "the versions of analytics that are there",
        examples=[
            ("history", "when, how, by whom, rows, disk use"),
            ("history --json", "for machines"),
        ],
    )
    command.add_argument("--json", action="store_true", help="for machines")
    command.set_defaults(run=_history)

    command = add_command(
        commands,
        "rollback",
        "publish an older version of analytics again",
        examples=[
            ("rollback", "the one before"),
            ("rollback gen-000041", "this one; 41 will do"),
        ],
    )
    command.add_argument(
        "version", nargs="?", metavar="VERSION", help="gen-000041 or 41; the one before if left out"
    )
    command.set_defaults(run=_rollback)

    command = add_command(
        commands,
        "changes",
        "what changed between two versions of analytics",
        examples=[
            ("changes", "the last publication, table by table"),
            ("changes 41 44 --table odds_history", "rows before and after"),
        ],
    )
    command.add_argument("old", nargs="?", metavar="V1", help="a version; default: the one before V2")
    command.add_argument("new", nargs="?", metavar="V2", help="a version; default: the current one")
    command.add_argument("--table", metavar="T", help="the changed rows of this table, before and after")
    command.add_argument("--json", action="store_true", help="for machines")
    command.set_defaults(run=_changes)

    command = add_command(
        commands,
        "verify",
        "compare analytics with staging, or a report's numbers with the data",
        examples=[
            ("verify", "analytics with staging, row by row"),
            ("verify july.html july.xlsx", "run their queries again, number by number"),
        ],
    )
    command.add_argument(
        "files", nargs="*", metavar="FILE", help="reports and exports, whose queries are run again"
    )
    command.add_argument("--json", action="store_true", help="for machines")
    command.set_defaults(run=_verify)


def _add_sync(command: Parser) -> None:
    command.add_argument(
        "--mode",
        choices=["full", "incremental", "etl"],
        default="incremental",
        help="incremental (default): nothing if staging is unchanged, else only what changed is examined;"
        " full: everything anew; etl: as greynb.toml says",
    )
    command.add_argument("--plan", metavar="DIR", help="with etl: where greynb.toml is (default: here)")
    command.add_argument(
        "--keep", type=whole, default=2, metavar="N", help="old versions that stay (default 2)"
    )
    command.add_argument("--verify", action="store_true", help="compare each row with staging's")
    command.add_argument(
        "--no-mirror", dest="mirror", action="store_false", help="without a columnar mirror: cells are slower"
    )
    command.add_argument("--dry-run", action="store_true", help="only say what would happen")
    command.add_argument("--json", action="store_true", help="for machines")
    command.add_argument("--watch", action="store_true", help="publish after each change, until stopped")
    command.add_argument(
        "--every", type=length, metavar="TIME", help="with --watch: at most so often (default 1s)"
    )
    command.set_defaults(run=_sync)


def _sync(args: argparse.Namespace) -> None:
    def publish(progress: Progress) -> SyncResult:
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
        raise WrongCall(
            "--every goes with --watch, and --watch not with --dry-run",
            hint="`greynb sync --help` shows how they are used",
        )
    if args.watch:
        from greynb import service

        service.watch(
            publish,
            every=args.every or service.EVERY,
            log=lambda line: print(line, flush=True),
        )
        return
    result = publish(progress_line())
    print(json.dumps(result.to_dict(), indent=2) if args.json else result)


def _history(args: argparse.Namespace) -> None:
    from greynb.publish.history import history_text

    found = api.history()
    print(json.dumps([each.as_dict() for each in found], indent=2) if args.json else history_text(found))


def _rollback(args: argparse.Namespace) -> None:
    print(api.rollback(args.version, progress=progress_line()))


def _changes(args: argparse.Namespace) -> None:
    if args.table:
        rows = api.changed_rows(args.table, args.old, args.new)
        if args.json:
            print(json.dumps(rows.to_dict("records"), default=_plain))
        else:  # texts that are not valid UTF-8 must not stop the output
            print(rows.to_string().encode("utf-8", "replace").decode("utf-8"))
    else:
        found = api.changes(args.old, args.new)
        print(json.dumps(found.to_dict(), indent=2) if args.json else found)


def _plain(value: object) -> str:
    """A value that JSON does not know: a blob as hexadecimal digits, a date as it is written."""
    return value.hex() if isinstance(value, bytes) else str(value)


def _verify(args: argparse.Namespace) -> int:
    if args.files:
        from greynb.cli.verifying import verify_files

        return verify_files(args.files, as_json=args.json)
    found = api.verify(progress=progress_line())
    if args.json:
        print(json.dumps(found.as_dict(), indent=2, default=repr))
    else:
        tell(str(found))
    return Exit.OK if found.equal else Exit.DIFFERS
