"""Writing the log beside the cells: a cell hands its statements to a thread and goes on.

So neither a slow disk nor another kernel that holds the log ever delays a cell, and nothing that goes wrong
here reaches one: it is kept in `trouble`, to be told once.
"""

from __future__ import annotations

import atexit
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from greynb.databases.locks import is_busy
from greynb.querylog.entries import Entry
from greynb.querylog.storing import append, open_log, prune

WAITING: Final = 1_000
"""Cells whose statements may wait to be written; those of further ones are dropped."""
PRUNED_EVERY: Final = 200
_BETWEEN: Final = 0.1
AT_EXIT: Final = 2.0
"""Seconds that the end of the process waits for the last ones."""

Made = Callable[[], Sequence[Entry]]


class _Writer:
    """The thread that writes one log of this process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble: str | None = None
        self._told = False
        self._queue: queue.Queue[Made | threading.Event] = queue.Queue(WAITING)
        self._con: sqlite3.Connection | None = None
        self._written = 0
        threading.Thread(target=self._work, name="greynb-query-log", daemon=True).start()

    def put(self, item: Made | threading.Event) -> bool:
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            return False
        return True

    def take_trouble(self) -> str | None:
        if self.trouble is None or self._told:
            return None
        self._told = True
        return self.trouble

    def _work(self) -> None:
        while True:
            item = self._queue.get()
            if isinstance(item, threading.Event):
                item.set()
                continue
            try:
                self._patiently(item())
            except Exception as error:  # whatever it is, it may not end the thread
                self.trouble = f"the query log {self.path} is not written: {error}"
                self._close()

    def _patiently(self, entries: Sequence[Entry]) -> None:
        """Write, and try again where another process is just making the log: SQLite does not wait then."""
        for last in (False, False, False, True):
            try:
                return self._write(entries)
            except sqlite3.OperationalError as error:
                if last or not is_busy(error):
                    raise
                self._close()
                time.sleep(_BETWEEN)

    def _write(self, entries: Sequence[Entry]) -> None:
        if self._con is None or not self.path.exists():
            self._close()
            self._con = open_log(self.path)
            prune(self._con)
        append(self._con, entries)
        before, self._written = self._written, self._written + len(entries)
        if before // PRUNED_EVERY != self._written // PRUNED_EVERY:
            prune(self._con)

    def _close(self) -> None:
        if self._con is not None:
            self._con.close()
        self._con = None


_writers: dict[tuple[int, Path], _Writer] = {}


def note(path: Path, made: Made) -> None:
    """Have statements written to a log; takes some microseconds and never raises.

    Parameters
    ----------
    path
        The log.
    made
        Gives the statements; called on the writing thread.
    """
    _writer(path).put(made)


def flush(timeout: float = AT_EXIT) -> None:
    """Wait until what this process noted before is written."""
    for (pid, _), writer in list(_writers.items()):
        done = threading.Event()
        if pid == os.getpid() and writer.put(done):
            done.wait(timeout)


def trouble(path: Path) -> str | None:
    """Why the log is not written, told once; None where nothing is wrong, or was told."""
    writer = _writers.get((os.getpid(), path))
    return writer.take_trouble() if writer else None


def _writer(path: Path) -> _Writer:
    """The writer of this process; a forked one begins its own, and leaves its parent's alone."""
    key = os.getpid(), path
    if key not in _writers:
        _writers[key] = _Writer(path)
    return _writers[key]


atexit.register(flush)
