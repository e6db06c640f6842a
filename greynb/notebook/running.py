"""Which task of this notebook runs now, and telling others of it while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final

from greynb.databases.result import Progress

FIRST: Final = 0.3
"""Seconds before a task is long enough to be told of."""
INTERVAL: Final = 1.0
"""Seconds between two messages about it, at least."""

_listeners: list[Callable[[dict[str, Any]], None]] = []
_running: list[Task] = []


class Task:
    """One task, from entering the context to leaving it; `tick` is called now and then in between.

    Those who listen are told ``{"event": "running", "label": …, "seconds": …, "fraction": …, "rows": …}``
    once it has run for a moment and each second from then on, and ``{"event": "ended"}`` if they were told.

    Parameters
    ----------
    label
        What is running.
    progress
        How far it is; called by `tick` alone.
    """

    def __init__(self, label: str, progress: Callable[[], Progress | None]) -> None:
        self._label = label
        self._progress = progress
        self._begun = time.monotonic()
        self._next = self._begun + FIRST
        self._told = False
        self._state = Progress()

    def __enter__(self) -> Task:
        _running.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _running.remove(self)
        if self._told:
            _tell({"event": "ended"})

    def tick(self) -> None:
        """Tell how far it is, if it is time to and anybody listens."""
        now = time.monotonic()
        if now < self._next or not _listeners:
            return
        self._next = now + INTERVAL
        self._told = True
        self._state = self._progress() or self._state
        _tell({"event": "running", **self.as_dict()})

    def as_dict(self) -> dict[str, Any]:
        """Label, seconds since it began, fraction done (None where it is not known) and rows so far."""
        return {
            "label": self._label,
            "seconds": time.monotonic() - self._begun,
            "fraction": self._state.fraction or None,  # 0 is what DuckDB says as long as it cannot tell
            "rows": self._state.rows,
        }


def now() -> Task | None:
    """The task that runs now; of several, the one that began last."""
    return _running[-1] if _running else None


def listen(listener: Callable[[dict[str, Any]], None]) -> None:
    """Have every message given to a listener, on the thread that waits for the task."""
    _listeners.append(listener)


def forget(listener: Callable[[dict[str, Any]], None]) -> None:
    """Take a listener back."""
    _listeners.remove(listener)


def _tell(message: dict[str, Any]) -> None:
    for listener in tuple(_listeners):
        with suppress(Exception):  # a front end that is gone must not end what is running
            listener(message)
