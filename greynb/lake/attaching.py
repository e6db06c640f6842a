"""Attaching a DuckLake to DuckDB, with errors that hold no password.

A catalogue on PostgreSQL is found as libpq does (``PG*`` variables, ``~/.pgpass``). One that is a file is
SQLite's, which several processes can use at once, unless it is DuckDB's already, which only one can.
Protocol: https://ducklake.select/docs/stable/duckdb/usage/connecting.
"""

from __future__ import annotations

import re
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from greynb.databases.engine import extended_instance
from greynb.databases.extension import Extension, has_extension
from greynb.databases.identifiers import literal, quote
from greynb.databases.relations import first_line, stop_if_interrupted
from greynb.errors import DatabaseError, DatabaseLocked, MissingDatabase, UnreadableDatabase, UsageError
from greynb.lake.storage import authorise, check_new, trouble
from greynb.routing import Server

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ALIAS: Final = "__greynb_lake"
"""The name under which a lake is attached; the gate refuses it in statements."""
CATALOGUE: Final = f"__ducklake_metadata_{ALIAS}"
"""The name under which DuckLake attaches its catalogue."""
_PATIENCE_MS: Final = 5_000
_OLD: Final = "CREATE_IF_NOT_EXISTS false"
_LOST: Final = re.compile(
    r"server closed the connection|terminating connection|connection to (?:the )?server|query \"ROLLBACK\""
)
_UNPUBLISHED: Final = "run `greynb sync` to make it"


def opened(
    server: Server,
    *,
    writing: bool = False,
    data_path: str | None = None,
    settings: Mapping[str, str | int] | None = None,
) -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB with a lake attached.

    Parameters
    ----------
    server
        The lake.
    writing
        Whether to attach it for writing, and to make it where it is not there.
    data_path
        The folder for the Parquet files of a lake that is made.
    settings
        DuckDB's, for the whole instance.

    Raises
    ------
    MissingDatabase
        The lake is not there.
    UnreadableDatabase
        The catalogue refuses the user, or is of another kind.
    DatabaseLocked
        The catalogue is a DuckDB file that another process uses.
    DatabaseError
        The catalogue cannot be reached, or its extension is missing.
    UsageError
        A lake that is to be made has no folder for its files.
    """
    con = extended_instance(*_extensions(server), **(settings or {}))
    try:
        _attach(con, server, writing, data_path)
        authorise(con, server, data_folder(con))
    except BaseException:
        con.close()
        raise
    return con


def close(con: duckdb.DuckDBPyConnection) -> None:
    """Undo what is open, and close: left to DuckDB, a lost catalogue would abort the whole process there."""
    with suppress(duckdb.Error):
        con.execute("ROLLBACK")
    con.close()


def check_ready(server: Server, data_path: str | None) -> None:
    """Raise what would stop a publication to a lake, as far as that shows without making anything.

    Parameters
    ----------
    server
        The lake, which may not be there yet.
    data_path
        The folder for its Parquet files, if it is to be made.

    Raises
    ------
    UnreadableDatabase, DatabaseLocked, DatabaseError, UsageError
        As for `opened`; or the folder for a new lake is not empty.
    """
    try:
        opened(server).close()
    except MissingDatabase:
        with closing(extended_instance(*_extensions(server))) as con:
            if not isinstance(server.over, Path):
                _of_server(con, server)  # says that there is no such database
            check_new(con, server, _new_folder(server, data_path))


def data_folder(con: duckdb.DuckDBPyConnection) -> str:
    """Where the attached lake keeps its Parquet files."""
    ((path,),) = con.execute(
        f"SELECT value FROM {CATALOGUE}.ducklake_metadata WHERE key = 'data_path'"
    ).fetchall()
    # One without the slash would be the beginning of other folders' names, too.
    return f"{str(path).rstrip('/')}/" if "://" in str(path) else str(path)


def unreadable(error: duckdb.Error, server: Server) -> DatabaseError:
    """What an error at reading the lake means."""
    return trouble(error, server) or DatabaseError(
        f"the DuckLake cannot be read: {spoken(error, server)}", path=server.name
    )


def is_lost(error: BaseException | None, server: Server) -> bool:
    """Whether the connection to the catalogue's server broke."""
    on_server = isinstance(server.over, Server)
    return on_server and isinstance(error, duckdb.Error) and _LOST.search(str(error)) is not None


def spoken(error: duckdb.Error, server: Server) -> str:
    """The first line of an error, without how to connect with the catalogue."""
    said = first_line(error)
    if isinstance(server.over, Path) or server.over is None:
        return said
    from greynb.postgres.secret import named

    return named(said, server.over)


def _extensions(server: Server) -> Sequence[Extension]:
    found: list[Extension] = ["ducklake"]
    if not has_extension("ducklake"):
        raise UsageError(
            "DuckLake needs its extension, which is not installed", hint='pip install "greynb[lake]"'
        )
    found.append("sqlite_scanner" if isinstance(server.over, Path) else "postgres_scanner")
    if has_extension("httpfs"):
        found.append("httpfs")
    return found


def _attach(con: duckdb.DuckDBPyConnection, server: Server, writing: bool, data_path: str | None) -> None:
    if isinstance(server.over, Path):
        path, options = _of_file(server, server.over, writing)
    else:
        path, options = _of_server(con, server)
    if not writing:
        _attached(con, server, path, [*options, "READ_ONLY", "HIDDEN", _OLD])
        return
    options += ["DATA_INLINING_ROW_LIMIT 0"]  # rows in the catalogue are no Parquet, which Spark reads
    if not isinstance(server.over, Path):
        try:
            _attached(con, server, path, [*options, _OLD])
        except MissingDatabase:
            pass
        else:
            return
    elif server.over.exists():
        _attached(con, server, path, options)
        return
    folder = _new_folder(server, data_path)
    check_new(con, server, folder)
    _attached(con, server, path, [*options, f"DATA_PATH {literal(folder)}"])


def _new_folder(server: Server, data_path: str | None) -> str:
    """Where a lake that is made keeps its Parquet files."""
    if isinstance(server.over, Path):
        return data_path or f"{server.over}.files"
    if data_path is None:
        raise UsageError(
            "a new DuckLake on PostgreSQL needs a folder for its Parquet files",
            hint="set LAKE_DATA_PATH to a folder that everyone can reach",
        )
    return data_path


def _attached(con: duckdb.DuckDBPyConnection, server: Server, path: str, options: list[str]) -> None:
    try:
        con.execute(f"ATTACH {literal(path)} AS {quote(ALIAS)} ({', '.join(options)})")
    except duckdb.Error as error:
        stop_if_interrupted(error)
        raise _refusal(error, server) from None


def _of_file(server: Server, path: Path, writing: bool) -> tuple[str, list[str]]:
    kind = _kind(path)
    if kind is None and not writing:
        raise MissingDatabase("there is no DuckLake yet", path=server.name, hint=_UNPUBLISHED)
    if kind is None:
        kind = "duckdb" if server.address.startswith("ducklake:duckdb:") else "sqlite"
    if kind == "duckdb":
        return f"ducklake:{path}", []
    # Readers and a publisher go on side by side only in WAL, which the file keeps once it is set.
    journal = ["META_JOURNAL_MODE 'WAL'"] if writing else []
    return f"ducklake:sqlite:{path}", [f"META_BUSY_TIMEOUT {_PATIENCE_MS}", *journal]


def _of_server(con: duckdb.DuckDBPyConnection, server: Server) -> tuple[str, list[str]]:
    from greynb.postgres.connecting import connect
    from greynb.postgres.secret import attachable

    assert isinstance(server.over, Server)
    connect(server.over).close()  # says within seconds, in plain words, what DuckDB would not
    given = attachable(con, server.over, CATALOGUE)
    return f"ducklake:postgres:{given}", [f"META_SECRET {literal(CATALOGUE)}"]


def catalogue_kind(server: Server) -> str | None:
    """``"sqlite"``, ``"duckdb"`` or ``"postgresql"``; None for a file that is not there."""
    return _kind(server.over) if isinstance(server.over, Path) else "postgresql"


def _kind(path: Path) -> str | None:
    """What a catalogue is, by its first bytes; None for one that is not there."""
    from greynb.databases.descriptors import open_database

    try:
        with open_database(path) as file:
            head = file.read(16) or b""
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableDatabase(f"the catalogue cannot be read ({error.strerror})", path=path) from error
    if head.startswith(b"SQLite format 3"):
        return "sqlite"
    if head[8:12] == b"DUCK":
        return "duckdb"
    if not head:
        return None
    raise UnreadableDatabase("the catalogue is neither a SQLite nor a DuckDB file", path=path)


def _refusal(error: duckdb.Error, server: Server) -> DatabaseError:
    said = spoken(error, server)
    if isinstance(server.over, Path):
        if "lock" in said or "already attached" in said or "file handle conflict" in said:
            return DatabaseLocked(
                "another session uses the catalogue, which is a DuckDB file: only one can at a time",
                path=server.name,
                hint="close the other one, or make the lake anew with a SQLite catalogue",
            )
        return UnreadableDatabase(f"the DuckLake cannot be attached: {said}", path=server.name)
    if "permission denied" in said or "read-only transaction" in said:
        return UnreadableDatabase(
            "a DuckLake cannot be made in that database, where the user may only read",
            path=server.name,
            hint="name the primary, or a user who may create tables there",
        )
    if "does not exist" in said or "CREATE_IF_NOT_EXISTS" in said.upper():
        return MissingDatabase(
            "there is no DuckLake in that database yet", path=server.name, hint=_UNPUBLISHED
        )
    return UnreadableDatabase(f"the DuckLake cannot be attached: {said}", path=server.name)
