"""The DuckDB instance behind the analytics side: in memory, knowing SQLite, unable to reach other files."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final
from weakref import WeakSet

import duckdb

from greynb.databases.duckdb_progress import enable_progress
from greynb.databases.extension import Extension, extension_path, has_extension
from greynb.databases.identifiers import literal

_BACKGROUND: Final = "allocator_background_threads"


def locked_instance(readable: Iterable[Path] = (), **settings: str | int) -> duckdb.DuckDBPyConnection:
    """Open an instance whose current database is ``analytics``, empty, with settings that stay.

    Parameters
    ----------
    readable
        Folders from which mirrors may be attached.
    settings
        DuckDB's, for the whole instance.
    """
    con = sqlite_instance(**settings) if has_extension() else plain_instance(**settings)
    lock(con, map(str, readable))
    return con


def lock(con: duckdb.DuckDBPyConnection, readable: Iterable[str]) -> None:
    """Make ``analytics`` the current database, empty, and let nothing more be opened or set.

    Parameters
    ----------
    con
        An instance in which everything is loaded and attached that needs the outside.
    readable
        Folders whose files may be read from now on.
    """
    enable_progress(con)
    con.execute("ATTACH ':memory:' AS analytics")
    con.execute("USE analytics")
    con.execute(f"SET allowed_directories = [{', '.join(map(literal, readable))}]")
    con.execute("SET enable_external_access = false")
    con.execute(f"SET allowed_configs = ['{_BACKGROUND}']")
    con.execute("SET lock_configuration = true")


def give_back_when_idle(con: duckdb.DuckDBPyConnection) -> None:
    """Let the process give memory back, seconds after a query, that it does not need any more.

    DuckDB's allocator serves the whole process, and every instance that is opened, whoever opens it, makes it
    keep its memory again, unless told otherwise: so this is said again and again.

    Parameters
    ----------
    con
        A connection of a locked instance.
    """
    with suppress(duckdb.Error):  # an interrupt that came late; the next query says it again
        con.execute(f"SET {_BACKGROUND} = true")


def sqlite_instance(**settings: str | int) -> duckdb.DuckDBPyConnection:
    """Open an in-memory instance that knows SQLite, if its extension is there.

    Parameters
    ----------
    settings
        DuckDB's, for the whole instance.

    Raises
    ------
    DatabaseError
        The extension is not there.
    """
    return extended_instance("sqlite_scanner", **settings)


def extended_instance(*names: Extension, **settings: str | int) -> duckdb.DuckDBPyConnection:
    """Open an in-memory instance with extensions.

    Parameters
    ----------
    names
        The extensions.
    settings
        DuckDB's, for the whole instance.

    Raises
    ------
    DatabaseError
        An extension is not there.
    """
    paths = [extension_path(name) for name in names]
    seen = {(path, path.stat().st_mtime_ns) for path in paths}
    # Checking the signature of 35 MB takes 0.1 s, and once in a process is enough.
    con = plain_instance(**settings, allow_unsigned_extensions="true" if seen <= _checked else "false")
    for path in paths:
        con.execute(f"LOAD {literal(str(path))}")
    _checked.update(seen)
    if "sqlite_scanner" in names:
        # Multi-threaded scans of DuckDB 1.5.5 lose the last row of a table at rowid 122,880 * k, silently.
        # GLOBAL, since a setting of a session is not that of its cursors.
        con.execute("SET GLOBAL sqlite_disable_multithreaded_scans = true")
    if "httpfs" in names:
        _forget_keys(con)
    return con


def plain_instance(**settings: str | int) -> duckdb.DuckDBPyConnection:
    """Open an in-memory instance that loads nothing by itself."""
    own: dict[str, str | bool | int | float | list[str]] = {
        "allow_persistent_secrets": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        # It takes two attached tables with the same columns for one (duckdb issue 24781), silently.
        "disabled_optimizers": "common_subplan",
        # From a thousand objects of a frame it takes the type of all, and rounds what does not fit, silently.
        "pandas_analyze_sample": 1 << 62,
    }
    con = duckdb.connect(":memory:", config=own | settings)
    with suppress(duckdb.Error):
        # After two seconds it would draw a bar on standard output, a pipe or not.
        con.execute("SET enable_progress_bar_print = false")
    _instances.add(con)
    return con


def _forget_keys(con: duckdb.DuckDBPyConnection) -> None:
    """Undo that httpfs takes AWS's variables over as settings, which every query can show."""
    for name in ("access_key_id", "secret_access_key", "session_token", "region"):
        con.execute(f"RESET GLOBAL s3_{name}")
    ((proxy,),) = con.execute("SELECT current_setting('http_proxy')").fetchall()
    if "@" in proxy:
        # DuckDB refuses an address with a password, in words that repeat it.
        con.execute(f"SET GLOBAL http_proxy = {literal(proxy.rpartition('@')[2])}")


_checked: set[tuple[Path, int]] = set()
_instances: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()


def _leave_to_parent() -> None:
    """In a forked process: never take apart what the parent opened.

    An instance waits for its threads when it ends, and none of them is here: the process would hang or end
    with a segmentation fault. So those that were inherited are kept for ever, by a reference that nobody
    gives back; among them the one that DuckDB opens for itself when it is imported.
    """
    for con in (*_instances, duckdb.default_connection()):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(con))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
