"""What one statement of a cell gave back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


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
    """

    number: int
    line: int
    sql: str
    frame: pd.DataFrame | None
    types: tuple[str, ...]
    affected: int | None
    seconds: float
    notices: tuple[str, ...] = ()


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
