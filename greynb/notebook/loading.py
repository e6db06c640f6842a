"""``%staging load FRAME --into TABLE``: `greynb.load` as one line."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, NoReturn

from greynb.databases.notebook_frames import is_frame
from greynb.databases.result import Progress
from greynb.errors import GreynbError, UsageError
from greynb.loading import open_loader
from greynb.locating import located
from greynb.notebook import execution
from greynb.routing import Settings

if TYPE_CHECKING:
    from greynb.databases.load_request import LoadResult
    from greynb.notebook.config import Greynb

USAGE = "%staging load FRAME --into TABLE [--key COLUMN,…] [--on-conflict error|ignore|update] [--create]"


class _Parser(argparse.ArgumentParser):
    """Raises instead of ending the process, as argparse does by itself."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=USAGE)


def load(line: str, variables: Mapping[str, Any], config: Greynb) -> LoadResult:
    """Load a DataFrame of the notebook into a staging table, with progress.

    Parameters
    ----------
    line
        The magic's line, beginning with ``load``.
    variables
        The notebook's variables.
    config
        The notebook's settings.

    Raises
    ------
    UsageError
        The line is not understood, or names no DataFrame.
    LoadError
        The frame does not fit the table; nothing was written.
    """
    args = _parser().parse_args(shlex.split(line)[1:])
    frame = variables.get(args.frame)
    if not is_frame(frame):
        known = ", ".join(name for name in variables if is_frame(variables[name])) or "none"
        raise UsageError(f"{args.frame} is not a DataFrame of this notebook", hint=f"DataFrames: {known}")
    key = args.key.split(",") if args.key else None
    return _load(frame, args.into, key, args.on_conflict, args.create, config)


def _load(
    frame: Any, table: str, key: list[str] | None, on_conflict: Any, create: bool, config: Greynb
) -> LoadResult:
    route = Settings.current().route("staging")
    done = Progress(rows=0)

    def note(rows: int, total: int) -> None:
        nonlocal done
        done = Progress(fraction=rows / total if total else None, rows=rows)

    try:
        with closing(open_loader(route, config.timeout, create=create)) as loader:
            return execution.run(
                lambda: loader.load(
                    frame, table, key=key, on_conflict=on_conflict, create=create, progress=note
                ),
                interrupt=loader.interrupt,
                progress=lambda: done,
                show_progress=config.progress,
                label=f"load {table}",
            )
    except GreynbError as error:
        raise located(error, route) from error.__cause__


def _parser() -> _Parser:
    parser = _Parser(prog="%staging load", add_help=False)
    parser.add_argument("frame")
    parser.add_argument("--into", required=True)
    parser.add_argument("--key")
    parser.add_argument("--on-conflict", choices=["error", "ignore", "update"], default="error")
    parser.add_argument("--create", action="store_true")
    return parser
