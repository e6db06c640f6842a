"""Stopping a long statement: sqlite3 swallows what its callbacks raise, so it is kept and raised again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_EVERY: Final = 200_000  # SQLite's virtual instructions between two calls: some milliseconds


class Watch:
    """Tells how far a long piece of work is, and remembers what its callbacks raised.

    Attributes
    ----------
    fraction
        The part done, 0 to 1.
    """

    def __init__(self, progress: Callable[[float], None] | None) -> None:
        self._progress = progress
        self.fraction = 0.0
        self.raised: BaseException | None = None

    def told(self, fraction: float) -> None:
        """Tell the part done; what that raises goes to the caller."""
        self.fraction = fraction
        if self._progress is not None:
            self._progress(fraction)

    def tick(self) -> int:
        """Be called while a statement runs; stops it where `progress` raises or Ctrl-C arrives."""
        try:
            self.told(self.fraction)
        except BaseException as error:
            self.raised = self.raised or error
        return self.raised is not None

    def guarded(self, function: Callable[P, T]) -> Callable[P, T]:
        """Let what a function raises inside SQLite reach the caller of the statement."""

        @wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return function(*args, **kwargs)
            except BaseException as error:
                self.raised = self.raised or error
                raise

        return called

    @contextmanager
    def over(self, con: sqlite3.Connection) -> Iterator[None]:
        """Watch the statements of a connection during the block."""
        con.set_progress_handler(self.tick, _EVERY)
        try:
            yield
        except Exception as error:
            if self.raised is not None:
                raise self.raised from error
            if is_stop(error):
                raise KeyboardInterrupt from error
            raise
        finally:
            con.set_progress_handler(None, 0)


def is_stop(error: BaseException) -> bool:
    """Tell whether an error of SQLite only says that one of its callbacks raised something.

    Ctrl-C can arrive between the call of a callback and its first line, where nothing can catch it.
    """
    if not isinstance(error, sqlite3.Error):
        return False
    code = getattr(error, "sqlite_errorcode", None)
    stopped = code in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_AUTH)
    return stopped or str(error) == "user-defined function raised exception"
