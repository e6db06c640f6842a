"""DataFrames of the notebook as tables of one statement.

DuckDB finds Python variables by itself only while external access is on. It is off here, so the frames
that a statement names are registered for that statement alone, and nothing else of the notebook is reached.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from greynb.databases.decimals import decimals_written_out
from greynb.databases.temporary import is_temporary
from greynb.errors import WriteRefused

if TYPE_CHECKING:
    import duckdb

    from greynb.databases.gate import Passed

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
    passed: Passed,
    variables: Mapping[str, object],
    known: Container[str],
    notices: list[str],
) -> Iterator[list[str]]:
    """Make the notebook's frames that a statement names readable while the block runs.

    Parameters
    ----------
    con
        The session's connection.
    passed
        The statement.
    variables
        The notebook's variables; those that are no frames are left alone.
    known
        The analytics tables and views: they win over a frame of the same name.
    notices
        Grows by one line for each frame that an analytics table hides.

    Yields
    ------
    list of str
        The names of the frames.

    Raises
    ------
    WriteRefused
        A view or macro would read a frame that is not there any more when it is used.
    """
    made: list[str] = []
    try:
        for name in dict.fromkeys(passed.tables):
            frame = variables.get(name)
            if not is_frame(frame):
                continue
            if name in known:
                notices.append(f"{name} is the analytics table; the notebook's DataFrame {name} was not used")
            elif not is_temporary(con, name):
                _refuse_later(passed, name)
                con.register(name, decimals_written_out(frame))
                made.append(name)
        yield made
    finally:
        for name in made:
            con.unregister(name)


def _refuse_later(passed: Passed, frame: str) -> None:
    """Refuse what would read a frame only later, when nothing says any more that it is needed."""
    if passed.kind != "create" or not passed.target or passed.target[0] == "TABLE":
        return
    kind, name = passed.target
    table = name if kind == "VIEW" else f"{frame}_kept"
    raise WriteRefused(
        f"a temporary {kind.split()[0].lower()} cannot keep the notebook's DataFrame {frame}, which only the"
        " statement that names it can read",
        hint=f"CREATE OR REPLACE TEMP TABLE {table} AS … keeps the rows",
    )
