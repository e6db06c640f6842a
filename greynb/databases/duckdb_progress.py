"""DuckDB's own figure of how far a query is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def enable_progress(con: DuckDBPyConnection) -> bool:
    """Let ``con.query_progress()`` tell per cent (-1 where unknown), without DuckDB drawing its own bar.

    Returns
    -------
    bool
        False where DuckDB refuses: inside a Jupyter kernel without ipywidgets it raises at each attempt to
        turn progress on, printed or not, also by the configuration of ``connect``. Queries run all the
        same and ``query_progress()`` stays at -1.
    """
    try:
        con.execute("SET enable_progress_bar_print = false")
        con.execute("SET enable_progress_bar = true")
    except duckdb.Error:
        return False
    return True
