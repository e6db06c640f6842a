"""DataFrames of the notebook as tables of one statement.

DuckDB finds Python variables by itself only while external access is on. It is off here, so the frames
that a statement names are registered for that statement alone, and nothing else of the notebook is reached.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb

FRAME_TYPES = {
    ("pandas", "DataFrame"),
    ("polars", "DataFrame"),
    ("polars", "LazyFrame"),
    ("pyarrow", "Table"),
    ("pyarrow", "RecordBatch"),
    ("pyarrow", "RecordBatchReader"),
}


def is_frame(value: object) -> bool:
    """Whether a value is a DataFrame of pandas or polars, or an Arrow table; imports none of them."""
    return any(
        (base.__module__.partition(".")[0], base.__name__) in FRAME_TYPES for base in type(value).__mro__
    )


@contextmanager
def registered(
    con: duckdb.DuckDBPyConnection,
    tables: Sequence[str],
    variables: Mapping[str, object],
    known: Container[str],
    notices: list[str],
) -> Iterator[None]:
    """Make the notebook's frames that a statement names readable while the block runs.

    Parameters
    ----------
    con
        The session's connection.
    tables
        The tables that the statement names, as written.
    variables
        The notebook's variables; those that are no frames are left alone.
    known
        The analytics tables and views: they win over a frame of the same name.
    notices
        Grows by one line for each frame that an analytics table hides.
    """
    made: list[str] = []
    try:
        for name in dict.fromkeys(tables):
            frame = variables.get(name)
            if not is_frame(frame):
                continue
            if name in known:
                notices.append(f"{name} is the analytics table; the notebook's DataFrame {name} was not used")
            elif not is_temporary(con, name):
                con.register(name, frame)
                made.append(name)
        yield
    finally:
        for name in made:
            con.unregister(name)


def is_temporary(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether the session has a temporary table or view of that name, which then wins."""
    found = con.execute(
        "SELECT 1 FROM information_schema.tables"
        " WHERE table_catalog = 'temp' AND lower(table_name) = lower(?)",
        [name],
    ).fetchone()
    return found is not None
