"""What one statement of a cell gave back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    import pandas as pd

    from greynb.databases.frames import Fetched
    from greynb.databases.making import Making


@dataclass(frozen=True, slots=True)
class Kept:
    """When a result was computed that came from the result cache, and the seconds that it took then."""

    time: dt.datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one statement.

    Attributes
    ----------
    number
        Its place in the cell, from 1.
    line
        The line of the cell it starts on, from 1.
    sql
        Its text as sent to the engine.
    frame
        Its rows, or None for a statement that returns none.
    types
        The engine's type name of each column of the frame, in order (``BIGINT``; for SQLite the
        storage classes seen, such as ``integer``).
    affected
        Rows inserted, updated or deleted; None where the statement counts none.
    seconds
        Wall time, including the fetch.
    notices
        Things the user should know (a column read as text, a variable hidden by a table).
    kept
        What the result cache says of it; None where it was computed now.
    engine
        What ran it, where that was not the engine of the role.
    setup
        The statements that made the temporary tables, views and macros which it reads.
    frames
        The notebook's DataFrames that it reads, by itself or through `setup`.
    """

    number: int
    line: int
    sql: str
    frame: pd.DataFrame | None
    types: tuple[str, ...]
    affected: int | None
    seconds: float
    notices: tuple[str, ...] = ()
    kept: Kept | None = None
    engine: str = ""
    setup: tuple[Making, ...] = ()
    frames: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ran:
    """A statement that was run: its result but for the frame, and the rows that make the frame."""

    result: Result
    fetched: Fetched | None

    def finished(self) -> Result:
        """The result with its frame."""
        return self.result if self.fetched is None else replace(self.result, frame=self.fetched.frame())

    def noted(self, notice: str) -> Ran:
        """The same with one notice more."""
        return replace(self, result=replace(self.result, notices=(*self.result.notices, notice)))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running query is.

    Attributes
    ----------
    fraction
        0 to 1 where the engine knows, else None.
    rows
        Rows fetched so far where known, else None.
    """

    fraction: float | None = None
    rows: int | None = None
