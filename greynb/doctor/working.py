"""Long work on SQLite files that Ctrl-C stops: on a thread of its own, by its connections' interrupt."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol, TypeVar

from greynb.errors import QueryInterrupted

T = TypeVar("T")

_SLICE = 0.05


class Work:
    """The connections that one piece of work has open, for those who want to stop it."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._open: set[sqlite3.Connection] = set()

    def opened(self, con: sqlite3.Connection) -> sqlite3.Connection:
        """Remember a connection; it must allow other threads."""
        self._open.add(con)
        return con

    @contextmanager
    def using(self, con: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        """Remember a connection during the block, and close it."""
        self.opened(con)
        try:
            yield con
        finally:
            self._open.discard(con)
            con.close()

    def interrupt(self) -> None:
        """Stop the statement that runs now, and what would come after it; for other threads."""
        self.stop.set()
        for con in list(self._open):
            with suppress(sqlite3.ProgrammingError):  # closed meanwhile
                con.interrupt()

    def check(self) -> None:
        """Raise if the work was stopped.

        Raises
        ------
        QueryInterrupted
            It was.
        """
        if self.stop.is_set():
            raise QueryInterrupted("stopped; no data was changed")


class Stoppable(Protocol):
    """What another thread can stop."""

    def interrupt(self) -> None:
        """Stop it; any number of times."""


def run(task: Callable[[], T], work: Stoppable) -> T:
    """Run a task on a thread and give what it gives; Ctrl-C stops its work and is raised when it has ended.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C, unless the task had ended well before.
    """
    done = threading.Event()
    results: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            results.append(task())
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    stopped = False
    threading.Thread(target=body, name="greynb work", daemon=True).start()
    while not done.is_set():
        try:
            done.wait(_SLICE)
        except KeyboardInterrupt:
            stopped = True
        if stopped:
            work.interrupt()  # again each time: one that comes before the engine has begun is lost
    if results:
        return results[0]
    if stopped:
        raise KeyboardInterrupt
    raise errors[0]
