"""The DuckDB instance behind the analytics side: in memory, knowing SQLite, unable to reach other files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from greynb.databases.duckdb_progress import enable_progress
from greynb.databases.extension import extension_path
from greynb.databases.identifiers import literal


def locked_instance(readable: Iterable[Path] = ()) -> duckdb.DuckDBPyConnection:
    """Open an instance whose current database is ``analytics``, empty, with settings that stay.

    Parameters
    ----------
    readable
        Folders from which mirrors may be attached.
    """
    con = duckdb.connect(
        ":memory:",
        config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"},
    )
    con.execute(f"LOAD {literal(str(extension_path()))}")
    # Multi-threaded scans of DuckDB 1.5.5 lose the last row of a table at rowid 122,880 * k, silently.
    con.execute("SET sqlite_disable_multithreaded_scans = true")
    # It takes two attached tables with the same columns for one (duckdb issue 24781), silently.
    con.execute("SET disabled_optimizers = 'common_subplan'")
    enable_progress(con)
    con.execute("ATTACH ':memory:' AS analytics")
    con.execute("USE analytics")
    folders = ", ".join(literal(str(folder)) for folder in readable)
    con.execute(f"SET allowed_directories = [{folders}]")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con
