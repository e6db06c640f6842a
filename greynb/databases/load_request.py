"""What a load is asked for and what it did, the same for every database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from greynb.databases.identifiers import fold
from greynb.databases.load_table import Table, check_fit, check_names
from greynb.errors import LoadError

OnConflict = Literal["error", "ignore", "update"]


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a load did.

    Attributes
    ----------
    table
        The table, as declared.
    inserted
        Rows that were added.
    updated
        Rows of the frame that met a row with their key and wrote over it, whether or not that changed a
        value. Where the frame has a key twice, the second row counts here.
    ignored
        Rows of the frame that left nothing behind.
    created
        Whether the table was created for it.
    seconds
        Wall time, including the conversion of the values.
    new_file
        The database file, where it did not exist and was created as well; else None.
    """

    table: str
    inserted: int
    updated: int
    ignored: int
    created: bool
    seconds: float
    new_file: Path | None = None

    def __str__(self) -> str:
        counts = f"{self.inserted:,} inserted, {self.updated:,} updated, {self.ignored:,} ignored"
        created = ", created" * self.created + (f" in the new file {self.new_file}" if self.new_file else "")
        return f"{self.table}{created}: {counts} in {self.seconds:.2f} s"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))


def keys_of(key: str | Sequence[str] | None, on_conflict: OnConflict) -> tuple[str, ...]:
    """The key columns, once it is clear that they and `on_conflict` go together.

    Raises
    ------
    LoadError
        An update has no key, or `on_conflict` is none of the three.
    """
    keys = () if key is None else (key,) if isinstance(key, str) else tuple(key)
    if on_conflict == "update" and not keys:
        raise LoadError("an update needs a key", hint="name the columns that identify a row: key=[…]")
    if on_conflict not in ("error", "ignore", "update"):
        raise LoadError(f"on_conflict={on_conflict!r} is unknown", hint='it is "error", "ignore" or "update"')
    return keys


def fitting_table(
    frame: pd.DataFrame,
    keys: Sequence[str],
    on_conflict: OnConflict,
    found: Table | None,
    make: Callable[[], tuple[Table, str]],
) -> tuple[Table, str | None]:
    """The table that a frame goes into, once it is clear that the frame fits.

    Parameters
    ----------
    frame, keys, on_conflict
        What is asked for.
    found
        The table that is there; None where it is to be made.
    make
        Plans one for the frame.

    Returns
    -------
    tuple
        The table, and the statement that creates it; None where it is there.

    Raises
    ------
    LoadError
        The frame does not fit.
    """
    names = frame.columns.tolist()
    check_names(names, keys)
    table, create_sql = (found, None) if found is not None else make()
    check_fit(table, names, keys, on_conflict)
    if on_conflict != "error":
        check_keys(frame, keys)
    return table, create_sql


def check_keys(frame: pd.DataFrame, key: Sequence[str]) -> None:
    """Refuse rows without a value in a key column; raises LoadError."""
    wanted = set(map(fold, key))
    for position, name in enumerate(frame.columns):
        missing = frame.iloc[:, position].isna().to_numpy() if fold(name) in wanted else None
        if missing is not None and missing.any():
            row = int(missing.argmax())
            raise LoadError(
                f"row {row} of the frame (df.iloc[{row}]) has no value in the key column {name}",
                hint="drop it: NULL equals no other NULL, so such a row would be inserted again at each load",
            )
