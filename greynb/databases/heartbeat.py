"""Noticing that a server has fallen silent under something that waits for its answer.

A frozen machine, or a pooler before it, goes on holding its connections: TCP finds nothing wrong with them,
and what waits would wait for ever. Whether an answer only takes long cannot be seen from its connection. So
the server is asked on another one, every few seconds, once a wait is no longer short; and where it lets
several of these time out, one after the other, what waits is ended.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from greynb.errors import GreynbError

EVERY: Final = 3.0
"""Seconds between two questions to a server that answers, and after which the first is asked."""
_SILENCES: Final = 3
_AGAIN: Final = 0.25
"""Seconds between two attempts to end what waits: it may have begun anew on another connection."""
_SILENT: Final = "the server has not answered anybody for several seconds, so its connections were ended"


class _Wait:
    """One wait for a server; `over` is set when it has ended."""

    def __init__(self, answers: Callable[[], bool], end: Callable[[], None]) -> None:
        self.over = threading.Event()
        self.is_silent = False
        self._answers = answers
        self._end = end
        self._lock = threading.Lock()

    def watch(self) -> None:
        """Ask until the wait is over, and end it where the server does not answer."""
        silences = 0
        while not self.over.is_set() and silences < _SILENCES:
            silences = 0 if self._answers() else silences + 1
            self.over.wait(0 if silences else EVERY)
        while not self._ended():
            self.over.wait(_AGAIN)

    def finish(self) -> None:
        """Leave the connections alone from now on."""
        with self._lock:
            self.over.set()

    def _ended(self) -> bool:
        with self._lock:  # never under what comes after this wait
            if self.over.is_set():
                return True
            self.is_silent = True
            self._end()
            return False


_waits: set[_Wait] = set()
_lock = threading.Lock()
_watcher: threading.Thread | None = None


@contextmanager
def attended(answers: Callable[[], bool], end: Callable[[], None]) -> Iterator[None]:
    """Do not let the block wait for a server that has fallen silent.

    Parameters
    ----------
    answers
        Whether the server says anything to a new connection, found out within seconds.
    end
        Ends the connections that the block waits on, so that it fails; called from another thread, and again
        until the block has ended. An error of greynb's that the block raises says why.
    """
    wait = _Wait(answers, end)
    _begin(wait)
    try:
        yield
    except GreynbError as error:
        if wait.is_silent:
            error.detail = error.detail or _SILENT
        raise
    finally:
        wait.finish()
        with _lock:
            _waits.discard(wait)


def _begin(wait: _Wait) -> None:
    """Note a wait. Most end at once: so one thread looks after all of them, while there are any."""
    global _watcher
    with _lock:
        _waits.add(wait)
        if _watcher is None:
            _watcher = threading.Thread(target=_look_after, name="greynb-heartbeat", daemon=True)
            _watcher.start()


def _look_after() -> None:
    """Watch each wait that has lasted from one look to the next."""
    global _watcher
    pause = threading.Event()
    before: set[_Wait] = set()
    watched: set[_Wait] = set()
    while True:
        pause.wait(EVERY)
        with _lock:
            now = set(_waits)
            if not now:
                _watcher = None
                return
        for each in (now & before) - watched:
            threading.Thread(target=each.watch, name="greynb-heartbeat", daemon=True).start()
        watched, before = now & before, now


def _forget() -> None:
    """A forked process has none of these threads."""
    global _watcher, _lock
    _watcher, _lock = None, threading.Lock()
    _waits.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
