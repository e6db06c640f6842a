"""The history of a lake, and going back in it: a new snapshot with the rows of an older version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import duckdb

from greynb.databases.identifiers import fold
from greynb.errors import PublishError
from greynb.lake.attaching import CATALOGUE
from greynb.lake.committing import commit, next_name, publisher, written_bytes
from greynb.lake.contents import LakeContents, read_contents
from greynb.lake.rowsums import columns_of, row_sum, rows_of
from greynb.lake.silence import reading
from greynb.lake.snapshots import LakeSnapshot, snapshots, table_at, version_name
from greynb.lake.whole import in_lake, write_whole
from greynb.lake.working import written
from greynb.publish.history import Version
from greynb.publish.result import SyncResult, TableResult
from greynb.publish.steps import Progress, Steps
from greynb.routing import Server

_BYTES: Final = (
    "SELECT s.snapshot_id, coalesce(sum(f.file_size_bytes), 0),"
    " coalesce(sum(f.file_size_bytes) FILTER (f.begin_snapshot = s.snapshot_id), 0)"
    f" FROM {CATALOGUE}.ducklake_snapshot AS s JOIN {CATALOGUE}.ducklake_data_file AS f"
    " ON f.begin_snapshot <= s.snapshot_id"
    " AND (f.end_snapshot IS NULL OR f.end_snapshot > s.snapshot_id) GROUP BY 1"
)
"""Per snapshot: the bytes of its Parquet files, and of those that it added."""


def history(lake: Server) -> list[Version]:
    """The versions of a lake that have not expired, newest first.

    What a version takes on the disk is what its publication and upkeep added.

    Parameters
    ----------
    lake
        The lake.

    Raises
    ------
    DatabaseError
        The lake is not there, or cannot be read.
    """
    with reading(lake) as con:
        found = snapshots(con, lake)
        sizes = {
            int(number): (int(size), int(added)) for number, size, added in con.execute(_BYTES).fetchall()
        }
    versions = [each for each in found if each.is_publication or (each.version is None and each.number)]
    current = found[0].id if found else ""
    added: dict[str, int] = {}
    for each in found:
        added[each.id] = added.get(each.id, 0) + sizes.get(each.number, (0, 0))[1]
    return [
        _version(each, each.id == current, sizes.get(each.number, (0, 0))[0], added[each.id])
        for each in versions
    ]


def rollback(
    lake: Server, version: str | int | None = None, *, progress: Progress | None = None
) -> SyncResult:
    """Publish the rows of an older version again, as a new one.

    Parameters
    ----------
    lake
        The lake.
    version
        Its name or number; None for the one before the current.
    progress
        Told the step's name and the fraction of it that is done; may raise to stop.

    Raises
    ------
    PublishError
        There is no such version, or the new one could not be made; the lake is then untouched.
    """
    steps = Steps(progress)
    return written(lake, lambda con: _again(con, lake, version, steps), steps)


def _again(
    con: duckdb.DuckDBPyConnection, lake: Server, version: str | int | None, steps: Steps
) -> SyncResult:
    """Write the rows of an older version, and commit them."""
    con.execute("BEGIN")
    found = snapshots(con, lake)
    old = _chosen(found, version, lake)
    with steps.step("write lake") as told:
        contents, results = _restored(con, old, told)
    name = next_name(found)
    with steps.step("commit"):
        contents.write(con)
        info = {"mode": "rollback", "by": publisher(), "source": old.id}
        seconds = round(sum(steps.seconds.values()), 3)
        commit(con, name, info | {"rows": _rows(contents), "seconds": seconds})
    size = written_bytes(con)
    return SyncResult(
        id=name,
        mode="rollback",
        source=lake,
        target=lake,
        path=lake,
        rows={table: rows_of(total) for table, total in contents.sums.items()},
        bytes=size,
        seconds=steps.seconds,
        notices=(f"the content of {old.id} again",),
        tables=results,
    )


def _rows(contents: LakeContents) -> int:
    return sum(map(rows_of, contents.sums.values()))


def _version(snapshot: LakeSnapshot, current: bool, size: int, added: int) -> Version:
    info = snapshot.info
    source = info.get("source") if info.get("mode") == "rollback" else None
    return Version(
        id=snapshot.id,
        number=snapshot.version or snapshot.number,
        published=snapshot.published,
        mode=str(info.get("mode", "")),
        rows=info.get("rows"),
        bytes=size,
        who=str(info.get("by", "")),
        seconds=info.get("seconds"),
        source=source,
        current=current,
        held=False,
        disk_bytes=added,
        intact=True,
    )


def _chosen(found: list[LakeSnapshot], version: str | int | None, lake: Server) -> LakeSnapshot:
    names = [each.id for each in found if each.is_publication]
    listed = ", ".join(names) or "none"
    if version is None:
        if len(names) < 2:
            raise PublishError(
                "there is no older version to go back to", path=lake.name, hint=f"versions: {listed}"
            )
        wanted = names[1]
    else:
        text = str(version).strip()
        wanted = version_name(int(text)) if text.isascii() and text.isdigit() else text
    if names and wanted == names[0]:
        raise PublishError(
            f"{wanted} is the current version already", path=lake.name, hint=f"versions: {listed}"
        )
    chosen = next((each for each in found if each.id == wanted and each.version is not None), None)
    if chosen is None:
        raise PublishError(
            f"there is no version {wanted}, or it has expired", path=lake.name, hint=f"versions: {listed}"
        )
    return chosen


def _restored(
    con: duckdb.DuckDBPyConnection, old: LakeSnapshot, told: Callable[[float], None]
) -> tuple[LakeContents, dict[str, TableResult]]:
    """Make each table that differs what it was, and check that it is."""
    was, now = read_contents(con, old.number), read_contents(con)
    if was is None:
        raise PublishError(f"{old.id} does not say what it holds")
    results: dict[str, TableResult] = {}
    for number, (name, total) in enumerate(was.sums.items()):
        told(number / len(was.sums))
        results[name] = TableResult(rows_of(total), 0, 0, 0)
        if now is None or now.sums.get(name) != total:
            _restore(con, name, old.number, total)
            results[name] = TableResult(rows_of(total))
    kept = set(map(fold, was.sums))
    for name in now.sums if now else ():
        if fold(name) not in kept:
            con.execute(f"DROP TABLE {in_lake(name)}")
            results[name] = TableResult(None)
    return was, results


def _restore(con: duckdb.DuckDBPyConnection, name: str, number: int, total: str) -> None:
    then = table_at(name, number)
    columns = columns_of(con, then)
    con.execute("CREATE OR REPLACE TEMP TABLE was AS FROM " + then)
    write_whole(con, name, columns, "was")
    if row_sum(con, in_lake(name), columns) != total:
        raise PublishError(
            f"the table {name} of the older version is not what was published", hint="choose another"
        )
