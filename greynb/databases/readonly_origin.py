"""Where the DataFrames of the raw connection come from, kept in their ``attrs`` as cells do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

    from greynb.databases.gate import Passed

Place = Callable[[], tuple[object, str]]
"""Gives the file that a connection reads, and its version."""


class Statement(NamedTuple):
    """A statement whose result can be made again, the values bound to it, and when it began."""

    sql: str
    parameters: Mapping[str, object]
    begun: float


class Origins:
    """Describes the frames of one connection.

    Only a result that a query of the file gives again, whole, is described: none that may come from what the
    connection alone knows (temporary tables, registered frames), none with values by position, and none of
    which rows were taken before.

    Parameters
    ----------
    place
        None where nothing is described.
    """

    def __init__(self, place: Place | None) -> None:
        self.place = place
        self._is_private = place is None
        self._last = threading.local()

    def private(self) -> None:
        """Say that the connection has something now that no other one has."""
        self._is_private = True

    def begin(self, passed: Passed, parameters: Mapping[str, object] | Sequence[object] | None) -> None:
        """Remember a statement of this thread that is about to be run."""
        self._last.statement = self.of(passed, parameters)

    def of(
        self, passed: Passed, parameters: Mapping[str, object] | Sequence[object] | None
    ) -> Statement | None:
        """The statement, if its result can be described."""
        if passed.kind in ("create", "drop"):
            self.private()
        if self._is_private or (parameters and not isinstance(parameters, Mapping)):
            return None
        given = parameters if isinstance(parameters, Mapping) else {}
        values = {name: given[name] for name in passed.parameters if name in given}
        return Statement(passed.sql, values, time.perf_counter())

    def taken(self) -> Statement | None:
        """The last statement of this thread, none of whose rows was taken yet; from now on they are."""
        statement: Statement | None = getattr(self._last, "statement", None)
        self._last.statement = None
        return statement

    def described(self, frame: pd.DataFrame, statement: Statement | None) -> pd.DataFrame:
        """The frame, which says from now on where it came from."""
        if statement is not None and self.place is not None:
            from greynb.databases.provenance import provenance

            file, version = self.place()
            frame.attrs["greynb"] = provenance(
                sql=statement.sql,
                parameters=statement.parameters,
                role="analytics",
                file=file,
                snapshot=version,
                rows=len(frame),
                columns=list(map(str, frame.columns)),
                seconds=time.perf_counter() - statement.begun,
            )
        return frame
