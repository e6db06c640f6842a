"""The command ``guard``: a backup before another command, a comparison after it, and the way back."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from greynb.cli.common import naming_staging, positive, progress_line
from greynb.cli.exitcodes import Exit
from greynb.cli.parser import Commands, Parser, WrongCall, add_command
from greynb.routing import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_USAGE = """greynb guard [options] -- CMD …
       greynb guard list [--json]
       greynb guard restore [BACKUP]"""
_ABOUT = """A backup of staging is made first, while its writers go on. After the command the rows of each
table and integrity_check are shown, and the exit code is the command's (5 where it was 0 and the
database is damaged)."""


def add(commands: Commands[Parser]) -> None:
    """Add ``guard``."""
    command = add_command(
        commands,
        "guard",
        "back staging up, run a command, compare, and restore where it went wrong",
        about=_ABOUT,
        usage=_USAGE,
        examples=[
            ("guard -- python ingest_csv.py july.csv", "a backup, the command, the comparison"),
            ("guard --label july --restore-on-failure -- make ingest", "back without a question"),
            ("guard list", "the backups, newest first"),
            ("guard restore", "put back the newest that a guard made"),
        ],
    )
    command.add_argument("--label", default="", metavar="NAME", help="what the backup is called after")
    command.add_argument(
        "--role", choices=["staging", "analytics"], default="staging", help="what is guarded (staging)"
    )
    command.add_argument(
        "--restore-on-failure",
        action="store_true",
        help="restore without a question if the command fails or leaves a damaged database",
    )
    command.add_argument(
        "--keep", type=positive, default=5, metavar="N", help="the newest backups that stay (default 5)"
    )
    command.add_argument(
        "--keep-days", type=positive, metavar="N", help="days after which also one of these goes"
    )
    command.add_argument("words", nargs=argparse.REMAINDER, metavar="-- CMD …", help="the command to run")
    command.set_defaults(run=_guard)


def _guard(args: argparse.Namespace) -> int:
    first, rest = (args.words[0], args.words[1:]) if args.words else ("", [])
    if args.role != "staging":
        raise WrongCall(
            "only staging is guarded",
            hint="versions of analytics are kept already: `greynb history`, `rollback`",
        )
    actions: dict[str, Callable[[], int]] = {
        "--": lambda: _run(args, rest),
        "list": lambda: _list(rest),
        "restore": lambda: _restore(rest),
    }
    if first not in actions:
        raise WrongCall("a command to guard comes after --", hint="greynb guard -- python ingest.py")
    return actions[first]()


def _run(args: argparse.Namespace, words: Sequence[str]) -> int:
    from greynb.guarding.block import guard
    from greynb.guarding.command import check_command, ended, run_command

    check_command(words)
    guarded = guard(
        args.label or words[0].rpartition("/")[2],
        keep=args.keep,
        keep_days=args.keep_days,
        restore_on_failure=args.restore_on_failure,
        show=_show,
        progress=progress_line() if sys.stderr.isatty() else None,
    )
    guarded.begin()
    code = run_command(words)
    try:
        found = guarded.end(ended(code))
    except KeyboardInterrupt:
        from greynb.guarding.block import command

        assert guarded.backup is not None
        _show(f"guard: interrupted; to go back, run: {command(guarded.backup)}")
        return code or Exit.INTERRUPTED
    return code or (Exit.FOUND if found.damage and not guarded.restored else Exit.OK)


def _list(words: Sequence[str]) -> int:
    from greynb.guarding.backups import backups

    parser = Parser("greynb guard list", description="The backups of staging, newest first.")
    parser.add_argument("--json", action="store_true", help="for machines")
    as_json = parser.parse_args(words).json
    found = backups(_staging())
    if as_json:
        print(json.dumps([each.as_dict() for each in found], indent=2))
    else:
        print("\n".join(map(str, found)) or "there are no backups")
    return Exit.OK


def _restore(words: Sequence[str]) -> int:
    from greynb.guarding.backups import backup_named
    from greynb.guarding.block import others_text, restored_text
    from greynb.guarding.restoring import restore

    parser = Parser(
        "greynb guard restore",
        description="Put a backup back, in one transaction; what was there is kept as a backup too.",
    )
    parser.add_argument(
        "backup",
        nargs="?",
        metavar="BACKUP",
        help="its name or folder; default: the newest that a guard made",
    )
    asked = parser.parse_args(words).backup
    with naming_staging():
        backup = backup_named(_staging, asked)
    if others := others_text(backup):
        _show(others)
    print(restored_text(backup, restore(backup, told=progress_line())))
    return Exit.OK


def _staging() -> Path:
    return Settings.current().route("staging").path


def _show(text: str) -> None:
    """Beside the command's own output, which may be piped on."""
    print(text, file=sys.stderr, flush=True)
