"""What ``greynb status`` says of a lake: its version, what it takes, and how far it is behind staging."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb

from greynb.databases.generations import DATABASE, generation_at
from greynb.lake.attaching import CATALOGUE, catalogue_kind
from greynb.lake.contents import read_contents
from greynb.lake.publishing import copy_of
from greynb.lake.silence import reading
from greynb.lake.snapshots import LakeSnapshot, snapshots
from greynb.publish.lag import Lag, lag
from greynb.routing import Server

if TYPE_CHECKING:
    from greynb.publish.source import Place

ELSEWHERE = (
    "the version was rolled back to, published from another copy of staging,"
    " or staging was copied again since"
)


@dataclass(frozen=True, slots=True)
class LakeStatus:
    """A lake as it is now.

    Attributes
    ----------
    newest
        The newest snapshot.
    publication
        That of the newest publication; None where greynb made none.
    published
        When it was published (UTC).
    versions
        Versions that have not expired.
    bytes, disk_bytes
        Of the Parquet files of the newest snapshot, and of all.
    files, unprepared
        Parquet files of the newest snapshot, and tables of it with deleted rows in these.
    is_single
        Whether the catalogue is a DuckDB file, which only one process can use at a time.
    base
        What the publisher's copy was that it was made from.
    """

    newest: LakeSnapshot
    publication: LakeSnapshot | None
    published: datetime | None
    versions: int
    bytes: int
    disk_bytes: int
    files: int
    unprepared: int
    is_single: bool
    base: dict[str, Any]


def look_at(lake: Server) -> LakeStatus:
    """Look at a lake.

    Raises
    ------
    DatabaseError
        It is not there, or cannot be reached or read.
    """
    with reading(lake) as con:
        return _looked(con, lake)


def _looked(con: duckdb.DuckDBPyConnection, lake: Server) -> LakeStatus:
    found = snapshots(con, lake)
    ((size, all_size, files),) = con.execute(
        "SELECT coalesce(sum(file_size_bytes) FILTER (end_snapshot IS NULL), 0),"
        " coalesce(sum(file_size_bytes), 0), count(*) FILTER (end_snapshot IS NULL)"
        f" FROM {CATALOGUE}.ducklake_data_file"
    ).fetchall()
    ((unprepared,),) = con.execute(
        "SELECT count(DISTINCT table_id)"
        f" FROM {CATALOGUE}.ducklake_delete_file WHERE end_snapshot IS NULL AND data_file_id IN"
        f" (SELECT data_file_id FROM {CATALOGUE}.ducklake_data_file WHERE end_snapshot IS NULL)"
    ).fetchall()
    try:
        contents = read_contents(con)
    except ValueError:
        contents = None
    publications = [each for each in found if each.is_publication]
    return LakeStatus(
        newest=found[0],
        publication=publications[0] if publications else None,
        published=publications[0].published if publications else None,
        versions=len(publications),
        bytes=int(size),
        disk_bytes=int(all_size),
        files=int(files),
        unprepared=int(unprepared),
        is_single=catalogue_kind(lake) == "duckdb",
        base=dict(contents.base) if contents else {},
    )


def lake_lag(source: Place, status: LakeStatus) -> Lag:
    """How far a lake is behind staging, as its publisher knows it."""
    copy = copy_of(source)
    generation = generation_at(copy)
    manifest = generation.manifest if generation else None
    if manifest is None or manifest.files[DATABASE].sha256 != status.base.get("sha256"):
        return Lag(None, unknown=ELSEWHERE)
    return lag(source, copy)
