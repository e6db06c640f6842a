"""Ending a transaction on a lake: the name of the version, its commit message, and what an error means."""

from __future__ import annotations

import getpass
import json
import platform
from contextlib import suppress
from typing import Any, Final

import duckdb

from greynb.databases.identifiers import literal
from greynb.errors import DatabaseError, PublisherBusy, PublishError
from greynb.lake.attaching import ALIAS, is_lost
from greynb.lake.snapshots import LakeSnapshot, version_name
from greynb.lake.storage import trouble
from greynb.routing import Server

AUTHOR: Final = "greynb"


def refusal(error: duckdb.Error, lake: Server) -> PublishError | DatabaseError:
    """Say what an error at writing means."""
    if found := trouble(error, lake):
        return found
    whole = str(error).lower()
    if "locked" in whole or "conflict" in whole or "could not serialize" in whole:
        return PublisherBusy(
            "another publisher changed the DuckLake meanwhile", path=lake.name, hint="run it again"
        )
    if is_lost(error, lake):
        return DatabaseError(
            "the connection to the catalogue broke while the DuckLake was written",
            path=lake.name,
            hint="run it again when the server is back: a version is there whole, or not at all",
        )
    if any(words in whole for words in ("permission denied", "readonly database", "read-only transaction")):
        return PublishError(
            "the catalogue may only be read", path=lake.name, hint="publish as the user that owns it"
        )
    said = [line for line in str(error).splitlines() if line.strip()][-1]
    return PublishError(f"the DuckLake could not be written: {said}", path=lake.name)


def next_name(found: list[LakeSnapshot]) -> str:
    """The name of the version after those that are there."""
    return version_name(1 + max((each.version or 0 for each in found), default=0))


def commit(con: duckdb.DuckDBPyConnection, message: str, info: dict[str, Any]) -> None:
    """End the transaction, which becomes a snapshot with this message."""
    con.execute(
        f"CALL {ALIAS}.set_commit_message({literal(AUTHOR)}, {literal(message)},"
        f" extra_info => {literal(json.dumps(info))})"
    )
    con.execute("COMMIT")


def written_bytes(con: duckdb.DuckDBPyConnection) -> int:
    """The bytes of the Parquet files of the newest version."""
    ((size,),) = con.execute(
        f"SELECT coalesce(sum(file_size_bytes), 0) FROM ducklake_table_info({literal(ALIAS)})"
    ).fetchall()
    return int(size)


def publisher() -> str:
    """Who publishes, for the history."""
    with suppress(OSError, KeyError, ImportError):  # a container may run as a user without a name
        return f"{getpass.getuser()}@{platform.node()}"
    return platform.node()
