"""What several commands share: progress on a terminal, lengths of time, numbers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from greynb.cli.terminal import painted, rewrites
from greynb.errors import GreynbError, UsageError
from greynb.routing import Settings

if TYPE_CHECKING:
    from greynb.publish.steps import Progress


def positive(text: str) -> int:
    """Read a whole number from 1, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number from 1, not {text}")
    return int(text)


def whole(text: str) -> int:
    """Read a whole number from 0, for argparse."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a number from 0, not {text}")
    return int(text)


def tell(text: str) -> None:
    """Print a result for people."""
    print(painted(text, sys.stdout))


def complain(text: str) -> None:
    """Say on standard error what went wrong."""
    end_progress()
    print(painted(f"greynb: {text}", sys.stderr), file=sys.stderr)


class _Line:
    """The line of progress of this process's standard error."""

    unfinished: ClassVar = False
    """Whether the cursor stands behind it."""


def progress_line() -> Progress:
    """Progress as one line that rewrites itself on a terminal, and as one line per step elsewhere."""
    last = ""

    def show(step: str, fraction: float) -> None:
        nonlocal last
        if rewrites(sys.stderr):
            _Line.unfinished = fraction < 1
            end = "" if _Line.unfinished else "\n"
            print(f"\r\x1b[2K{step} {fraction:4.0%}", end=end, file=sys.stderr, flush=True)
        elif step != last:
            print(step, file=sys.stderr, flush=True)
        last = step

    return show


def end_progress() -> None:
    """Go on below a line of progress that an error or an interruption left unfinished."""
    if _Line.unfinished:
        _Line.unfinished = False
        print(file=sys.stderr, flush=True)


def length(text: str) -> float:
    """A length of time in seconds, for argparse."""
    from greynb.publish.durations import duration

    try:
        return duration(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(f"{error.message}: {error.hint}") from error


@contextmanager
def naming_staging() -> Iterator[None]:
    """Let errors of the block that are about staging, and about no other file, say who chose it."""
    try:
        yield
    except GreynbError as error:
        route = Settings.current().route("staging")
        if error.path in (None, route.place):
            error.at(role=route.role, path=str(route.place), chosen_by=route.chosen_by)
        raise
