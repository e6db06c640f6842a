"""Removing old versions of a lake, and the files that only they had.

Nobody sees from here who reads an old snapshot on another machine. So a version goes only when there are
enough newer ones *and* it has been replaced for a day; its files go a day after that.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import duckdb

from greynb.databases.identifiers import literal
from greynb.databases.relations import stop_if_interrupted
from greynb.lake.attaching import ALIAS, spoken
from greynb.lake.snapshots import LakeSnapshot, snapshots
from greynb.lake.storage import trouble

if TYPE_CHECKING:
    from greynb.routing import Server

GRACE: Final = timedelta(days=1)
"""How long after its replacement a version, and then its files, stay for those who still read them."""


def keep_up(con: duckdb.DuckDBPyConnection, lake: Server, keep: int, grace: timedelta = GRACE) -> list[str]:
    """Expire old versions and remove files that none has any more; says what could not be done.

    Parameters
    ----------
    con
        The lake attached for writing, outside of a transaction.
    lake
        The lake.
    keep
        Versions that stay besides the newest.
    grace
        How long each stays at least after it was replaced.
    """
    seconds = int(grace.total_seconds())
    old = expired(snapshots(con, lake), keep, grace)
    try:
        if old:
            numbers = ", ".join(str(each.number) for each in old)
            con.execute(f"CALL ducklake_expire_snapshots({literal(ALIAS)}, versions => [{numbers}])")
        for task in ("cleanup_old_files", "delete_orphaned_files"):
            con.execute(
                f"CALL ducklake_{task}({literal(ALIAS)}, older_than => now() - INTERVAL {seconds} SECONDS)"
            )
    except duckdb.Error as error:
        stop_if_interrupted(error)
        found = trouble(error, lake)
        said = found.message if found else spoken(error, lake)
        return [f"old versions of the lake could not be removed: {said}"]
    return []


def expired(found: list[LakeSnapshot], keep: int, grace: timedelta) -> list[LakeSnapshot]:
    """The snapshots that may go, of all, newest first."""
    latest = datetime.now(UTC) - grace
    versions = list(dict.fromkeys(each.id for each in found))
    kept = set(versions[: keep + 1])
    # Replaced by the next newer snapshot, which may be upkeep of the same version.
    pairs = zip(found[1:], found, strict=False)
    return [
        each
        for each, newer in pairs
        if each.version is not None and each.id not in kept and newer.published < latest
    ]
