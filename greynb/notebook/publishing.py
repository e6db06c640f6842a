"""``%greynb sync``: a publication from a cell, with progress, that Ctrl-C ends without loss."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from greynb import api
from greynb.databases.result import Progress
from greynb.errors import QueryInterrupted, UsageError
from greynb.notebook import execution

if TYPE_CHECKING:
    from greynb.notebook.config import Greynb
    from greynb.publish import SyncResult


class _Words(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"%greynb sync: {message}", hint=self.format_usage().strip())


def _parser() -> argparse.ArgumentParser:
    parser = _Words(prog="%greynb sync", add_help=False)
    parser.add_argument("--mode", choices=["full", "incremental", "etl"], default="incremental")
    parser.add_argument("--plan", metavar="DIR")
    parser.add_argument("--keep", type=int, default=2, metavar="N")
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--no-mirror", dest="mirror", action="store_false")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser


def sync(words: Sequence[str], config: Greynb) -> SyncResult | dict[str, Any]:
    """Publish staging to analytics as the words of the line say.

    Raises
    ------
    UsageError
        The words are off.
    QueryInterrupted
        Ctrl-C; the version before stands.
    """
    asked = _parser().parse_args(words)
    stop = threading.Event()
    fraction = 0.0

    def told(_step: str, part: float) -> None:
        nonlocal fraction
        fraction = part
        # At a fraction of 1 the step is done, and after the last one the version is published.
        if stop.is_set() and part < 1:
            raise QueryInterrupted("stopped while publishing; the version before stands")

    result = execution.run(
        lambda: api.sync(
            asked.mode,
            plan=asked.plan,
            keep=asked.keep,
            verify=asked.verify,
            mirror=asked.mirror,
            dry_run=asked.dry_run,
            progress=told,
        ),
        interrupt=stop.set,
        progress=lambda: Progress(fraction=fraction),
        show_progress=config.progress,
        label="publishing",
    )
    return result.to_dict() if asked.json else result
