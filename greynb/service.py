"""``greynb sync --watch`` as a service: it stops cleanly when the system or Ctrl-C says so."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from greynb.errors import QueryInterrupted
from greynb.routing import Settings

if TYPE_CHECKING:
    from types import FrameType

    from greynb.publish import SyncResult

EVERY: Final = 1.0
"""Seconds between two publications unless told otherwise."""


def watch(
    publish: Callable[[Callable[[str, float], None]], SyncResult], every: float, log: Callable[[str], None]
) -> None:
    """Publish whenever staging has changed, until SIGTERM or Ctrl-C; call it on the main thread.

    Parameters
    ----------
    publish
        Makes one publication and passes on what it is given: told the step and the fraction done, it raises
        when the watch is to stop.
    every
        Seconds between the starts of two publications, at least.
    log
        Told one line per publication and failure.

    Raises
    ------
    RoutingError
        The environment does not say which file serves a role, or analytics is no file.
    """
    from greynb.publish.watching import watch as run

    settings = Settings.current()
    source, target = settings.route("staging").place, settings.route("analytics").path
    stop, done = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    def progress(_step: str, fraction: float) -> None:
        # At a fraction of 1 the step is done, and after the last one the version is published.
        if stop.is_set() and fraction < 1:
            raise QueryInterrupted("stopped while publishing; the old version stands")

    def work() -> None:
        try:
            run(source, target, every=every, publish=lambda: publish(progress), stop=stop, log=log)
        except BaseException as error:
            failed.append(error)
        finally:
            done.set()

    with _told_to_stop(stop):
        threading.Thread(target=work, name="greynb-watch").start()
        # In slices: on Windows a wait without end would not let Ctrl-C through.
        while not done.wait(0.5):
            continue
    if failed:
        raise failed[0]


@contextmanager
def _told_to_stop(stop: threading.Event) -> Iterator[None]:
    """Set an event on SIGTERM and Ctrl-C during the block.

    The event must not be waited for on the main thread: a handler that sets it there, while the wait holds
    the event's lock, would wait for itself.
    """
    told = False

    def handler(_signal: int, _frame: FrameType | None) -> None:
        nonlocal told
        if not told:
            told = True
            stop.set()

    before = {each: signal.signal(each, handler) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, old in before.items():
            signal.signal(each, old)
