"""Work beside the other steps of a publication, on threads of their own.

SQLite, hashing and waiting for the disk let other threads run, so what only reads the finished copy goes
side by side. What is done aside is stopped, and waited for, however its block is left; its progress is told
by the thread that waits for it, so that whoever is told need not know of threads.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Final, TypeVar

from greynb.publish.steps import Steps, Told

T = TypeVar("T")

_MOST: Final = 4
_SLICE: Final = 0.05


class _NotWanted(Exception):
    """Raised to end what nobody waits for any more."""


class Aside:
    """Begins steps on other threads; see `beside`."""

    def __init__(self, steps: Steps, pool: ThreadPoolExecutor) -> None:
        self._steps = steps
        self._pool = pool
        self._stopped = threading.Event()

    def begin(self, name: str, work: Callable[[Told], T]) -> Callable[[], T]:
        """Begin a step.

        Parameters
        ----------
        name
            Of the step.
        work
            Called on another thread with what it tells the part done, 0 to 1, which may raise to stop it.

        Returns
        -------
        Callable
            Waits for the end and gives what `work` gave, or raises what it raised. The time that is noted is
            that of `work` itself, not of waiting for it.
        """
        done, took = [0.0], [0.0]

        def told(part: float) -> None:
            done[0] = part
            if self._stopped.is_set():
                raise _NotWanted

        def timed() -> T:
            begun = time.perf_counter()
            try:
                return work(told)
            finally:
                took[0] = time.perf_counter() - begun

        future = self._pool.submit(timed)

        def ended() -> T:
            with self._steps.step(name) as waiting:
                while not wait([future], _SLICE).done:
                    waiting(done[0])
                value = future.result()
            self._steps.seconds[name] = took[0]
            return value

        return ended

    def stop(self) -> None:
        """Stop what is under way and wait for it."""
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def beside(steps: Steps) -> Iterator[Aside]:
    """Let steps be done aside during the block; what nobody waited for is stopped at its end."""
    aside = Aside(steps, ThreadPoolExecutor(_MOST, "greynb aside"))
    try:
        yield aside
    finally:
        aside.stop()
