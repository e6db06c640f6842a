"""The versions of a lake: DuckLake's snapshots, with the names that publications gave them.

A publication is one snapshot whose commit message is its version, ``lake-000042``; upkeep (fewer and larger
files, the same rows) adds another snapshot whose message begins with the same word. A snapshot that something
else made has the name ``snapshot-57``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.identifiers import quote
from greynb.errors import MissingDatabase
from greynb.lake.attaching import ALIAS, CATALOGUE

if TYPE_CHECKING:
    import duckdb

    from greynb.routing import Server

_VERSION: Final = re.compile(r"lake-(\d{6,})(?= |$)")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LakeSnapshot:
    """One snapshot of a lake.

    Attributes
    ----------
    number
        DuckLake's number of it.
    id
        The version that it holds, ``lake-000042``; ``snapshot-57`` where greynb did not publish it.
    published
        When it was committed (UTC).
    message, info
        The commit message, and what a publication wrote beside it.
    source
        The lake.
    identity
        What no other snapshot of any lake has; None where the catalogue does not name its lake.
    """

    number: int
    id: str
    published: datetime
    message: str
    source: Server
    info: Mapping[str, Any] = field(default_factory=dict)
    identity: str | None = None

    @property
    def kind(self) -> str:
        """``"lake"``."""
        return "lake"

    @property
    def version(self) -> int | None:
        """42 for ``lake-000042``; None for what greynb did not publish."""
        found = _VERSION.match(self.message)
        return int(found[1]) if found else None

    @property
    def is_publication(self) -> bool:
        """Whether this is the snapshot of a publication, and not of upkeep."""
        return self.version is not None and self.message == self.id


def version_name(number: int) -> str:
    """``lake-000042`` for 42."""
    return f"lake-{number:06d}"


def newest_number(con: duckdb.DuckDBPyConnection) -> int:
    """The number of the newest snapshot of the attached lake."""
    ((number,),) = con.execute(f"SELECT max(snapshot_id) FROM {CATALOGUE}.ducklake_snapshot").fetchall()
    return int(number)


def snapshots(con: duckdb.DuckDBPyConnection, server: Server) -> list[LakeSnapshot]:
    """All snapshots of the attached lake that have not expired, newest first."""
    rows = con.execute(
        "SELECT s.snapshot_id, epoch_us(CAST(s.snapshot_time AS TIMESTAMPTZ)),"
        " coalesce(c.commit_message, ''),"
        " c.commit_extra_info,"
        f" (SELECT min(CAST(schema_uuid AS VARCHAR)) FROM {CATALOGUE}.ducklake_schema WHERE schema_id = 0)"
        f" FROM {CATALOGUE}.ducklake_snapshot AS s"
        f" LEFT JOIN {CATALOGUE}.ducklake_snapshot_changes AS c USING (snapshot_id) ORDER BY 1 DESC"
    ).fetchall()
    return [_snapshot(server, *row) for row in rows]


def tables_at(con: duckdb.DuckDBPyConnection, number: int) -> list[str]:
    """The tables of the schema main in a snapshot of the attached lake, by name."""
    at = f"begin_snapshot <= {number} AND (end_snapshot IS NULL OR end_snapshot > {number})"
    rows = con.execute(
        f"SELECT table_name FROM {CATALOGUE}.ducklake_table WHERE {at} AND schema_id IN"
        f" (SELECT schema_id FROM {CATALOGUE}.ducklake_schema WHERE schema_name = 'main' AND {at})"
        " ORDER BY table_name"
    ).fetchall()
    return [str(name) for (name,) in rows]


def table_at(name: str, number: int) -> str:
    """A table of the attached lake as a snapshot has it, written for a query."""
    return f"{ALIAS}.main.{quote(name)} AT (VERSION => {number})"


def named(found: Sequence[LakeSnapshot], version: str, server: Server) -> LakeSnapshot:
    """The newest of the snapshots with a version's content.

    Parameters
    ----------
    found
        Snapshots, newest first.
    version
        ``"lake-000042"``, ``"42"`` or ``"snapshot-57"``.
    server
        The lake, for the error.

    Raises
    ------
    MissingDatabase
        There is none; the hint lists those that are there.
    """
    name = version_name(int(version)) if version.isascii() and version.isdigit() else version
    for each in found:
        if each.id == name or name == f"snapshot-{each.number}":
            return each
    names = ", ".join(dict.fromkeys(each.id for each in found))
    raise MissingDatabase(
        f"there is no version {name}, or it has expired", path=server.name, hint=f"versions: {names}"
    )


def _snapshot(
    server: Server, number: int, moment: int, message: str, extra: str | None, lake: str | None
) -> LakeSnapshot:
    found = _VERSION.match(message)
    try:
        info = json.loads(extra) if extra else {}
    except ValueError:
        info = {}
    return LakeSnapshot(
        int(number),
        found[0] if found else f"snapshot-{number}",
        _EPOCH + timedelta(microseconds=int(moment)),
        message,
        server,
        info if isinstance(info, dict) else {},
        # Two lakes that were one once go on with the same numbers, at other moments.
        f"lake {lake} {number} {moment}" if lake else None,
    )


def expired(server: Server, pinned: LakeSnapshot | None) -> MissingDatabase:
    """The error for a version, by default the newest, whose snapshot was removed."""
    name = pinned.id if pinned else "the newest version"
    return MissingDatabase(
        f"{name} has expired: its snapshot was removed from the DuckLake",
        path=server.name,
        hint="`%greynb unpin` goes on with the newest version; `greynb history` lists those that are there",
    )
