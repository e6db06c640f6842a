"""Loading a DataFrame into staging, whatever serves it: one connection for one load."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from greynb.errors import GreynbError
from greynb.locating import located
from greynb.routing import Route

if TYPE_CHECKING:
    from greynb.databases.load_request import LoadResult, OnConflict

_CACHE_KB: Final = 64 * 1024


class Loader(Protocol):
    """A connection to staging, for one load."""

    def load(
        self,
        df: object,
        table: str,
        *,
        key: str | Sequence[str] | None,
        on_conflict: OnConflict,
        create: bool,
        progress: Callable[[int, int], None] | None,
    ) -> LoadResult:
        """Load a frame; see `greynb.load`."""

    def interrupt(self) -> None:
        """Stop the load, from another thread; nothing is kept then."""

    def close(self) -> None:
        """Close the connection."""


def open_loader(route: Route, timeout: float, *, create: bool) -> Loader:
    """Connect to staging.

    Parameters
    ----------
    route
        The route of staging.
    timeout
        Seconds to wait for locks, where the address does not say.
    create
        Whether a table may be created, and so the file where there is none.

    Raises
    ------
    MissingDatabase
        There is no file, and none may be created.
    DatabaseError
        Staging cannot be opened, or the server not be reached.
    """
    try:
        return _FileLoader(route, timeout, create) if route.server is None else _ServerLoader(route, timeout)
    except GreynbError as error:
        raise located(error, route) from error.__cause__


class _FileLoader:
    def __init__(self, route: Route, timeout: float, create: bool) -> None:
        from greynb.databases.sqlite import open_writable

        seconds = float(route.options.get("timeout", timeout))
        self._new_file = None if route.path.exists() else route.path
        self._con = open_writable(route.path, timeout=seconds, create=create)
        # Rows whose keys come in no order touch the whole index: with SQLite's 2 MB a third slower.
        self._con.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        self.interrupt = self._con.interrupt
        self.close = self._con.close

    def load(self, df: object, table: str, **how: Any) -> LoadResult:
        from greynb.databases.load import load_frame

        return replace(load_frame(self._con, df, table, **how), new_file=self._new_file)


class _ServerLoader:
    def __init__(self, route: Route, timeout: float) -> None:
        from greynb.postgres.connecting import connect

        assert route.server is not None
        self._server = route.server
        self._stopped: float | None = None
        self._con = connect(route.server)
        self._con.autocommit = True
        self._con.execute(f"SET lock_timeout = {max(1, round(timeout * 1000))}")
        self.close = self._con.close

    def load(self, df: object, table: str, **how: Any) -> LoadResult:
        from greynb.postgres.committing import outcome
        from greynb.postgres.loading import load_frame
        from greynb.postgres.silence import served

        with served(self._server, self._con):
            return load_frame(
                self._con, df, table, **how, outcome=lambda number: outcome(self._server, number)
            )

    def interrupt(self) -> None:
        from greynb.postgres.silence import stop

        self._stopped = self._stopped or time.monotonic()
        stop(self._con, time.monotonic() - self._stopped)
