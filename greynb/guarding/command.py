"""Running a command so that signals reach it, and its exit code comes back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from greynb.errors import UsageError

_FORWARDED: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_SIGNALLED: Final = 128


def check_command(words: Sequence[str]) -> None:
    """Refuse what cannot be run, before a backup is made for it.

    Raises
    ------
    UsageError
        There is no such program.
    """
    if not words:
        raise UsageError("there is no command to guard", hint="greynb guard -- python ingest.py")
    if shutil.which(words[0]) is None:
        raise UsageError(f"there is no program {words[0]}", hint="check its name and the PATH")


def run_command(words: Sequence[str]) -> int:
    """Run a command, pass Ctrl-C and SIGTERM on to it, and wait for its end.

    A Ctrl-C typed on a terminal goes to the command by itself, as it is of the same process group: passed on
    too, it would arrive twice.

    Returns
    -------
    int
        Its exit code; 128 and the signal's number where a signal ended it, as shells have it.
    """
    running: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and _typed():
            return
        if running:
            running[0].send_signal(number)
        else:
            early.append(number)  # came while the command was being started

    with _handling(forward):
        try:
            running.append(subprocess.Popen(words))
        except OSError as error:
            raise UsageError(f"{words[0]} could not be run ({error.strerror})") from error
        for number in early:
            running[0].send_signal(number)
        code = running[0].wait()
    return code if code >= 0 else _SIGNALLED - code


def ended(code: int) -> str | None:
    """How a command ended, where it did not end well."""
    if code == 0:
        return None
    if code > _SIGNALLED and (code - _SIGNALLED) in set(signal.Signals):
        return f"the command was ended by {signal.Signals(code - _SIGNALLED).name}"
    return f"the command ended with exit code {code}"


def _typed() -> bool:
    """Whether this process is in the group that its terminal sends a typed Ctrl-C to."""
    if sys.platform == "win32":
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False  # there is none
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


@contextmanager
def _handling(handler: Any) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in _FORWARDED}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
