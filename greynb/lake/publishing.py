"""Publishing staging to a lake: a checked copy first, then one transaction of what differs.

The publisher keeps its own copy of what it published last, with its columnar mirror, beside staging: made,
checked and compared by `greynb.publish` as any version of analytics is. From two such copies it knows which
rows of which tables changed. Who has no copy of what the lake holds replaces every table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
from platformdirs import user_cache_path

from greynb.databases.generations import DATABASE, Generation, generation_at
from greynb.databases.identifiers import literal, quote
from greynb.databases.mirrored import Contents
from greynb.databases.witness import lease
from greynb.errors import PublisherBusy, PublishError
from greynb.lake.applying import COPY, Applying, Changes
from greynb.lake.committing import commit, next_name, publisher, written_bytes
from greynb.lake.compacting import compact
from greynb.lake.contents import LakeContents, read_contents
from greynb.lake.differing import differing
from greynb.lake.keys import declared_keys
from greynb.lake.rowsums import rows_of
from greynb.lake.snapshots import snapshots
from greynb.lake.upkeep import keep_up
from greynb.lake.whole import drop_all
from greynb.lake.working import written
from greynb.publish.publication import KEPT, sync
from greynb.publish.result import Mode, SyncResult, TableResult
from greynb.publish.steps import Progress, Steps

if TYPE_CHECKING:
    from greynb.publish.etl import Plan
    from greynb.publish.source import Place
    from greynb.routing import Server

ANEW: Final = (
    "a file of the lake was gone: all of its tables were made anew, without partitioning and sort order"
)
_GONE: Final = 404


def publish(
    source: Place,
    lake: Server,
    *,
    mode: Mode = "incremental",
    keep: int = KEPT,
    plan: Plan | None = None,
    verify: bool = False,
    dry_run: bool = False,
    data_path: str | None = None,
    compacted: bool = False,
    progress: Progress | None = None,
) -> SyncResult:
    """Publish staging to a lake while writers and readers go on.

    A kill at any instant leaves the old or the new version, whole.

    Parameters
    ----------
    source
        The SQLite file, or the server.
    lake
        Where to; made if it is not there.
    mode, plan, verify, dry_run, progress
        As for `greynb.publish.sync`; `verify` also compares the tables of the lake that nothing was done to.
    keep
        Old versions that stay for a day at least; see `greynb.lake.upkeep`.
    data_path
        The folder for the Parquet files of a lake that is made.
    compacted
        Whether to leave nothing that only DuckDB can read; see `greynb.lake.compacting`.

    Raises
    ------
    PublishError
        The publication could not be made; the version published before is untouched.
    PublisherBusy
        Another publisher committed first.
    DatabaseError
        Staging or the catalogue cannot be reached or read.
    """
    copy = copy_of(source)
    copy.parent.mkdir(parents=not isinstance(source, Path), exist_ok=True)
    try:
        done = sync(
            source,
            copy,
            mode=mode,
            layout="generations",
            plan=plan,
            verify=verify,
            dry_run=dry_run,
            progress=progress,
        )
    finally:
        with suppress(OSError):  # there is something in it, unless nothing was done
            copy.parent.rmdir()
    if dry_run:
        return replace(done, target=lake)
    steps = Steps(progress, dict(done.seconds))
    with _held(copy) as generation:

        def work(con: duckdb.DuckDBPyConnection) -> SyncResult:
            publication = _Publication(con, lake, generation, done, mode, verify, keep, steps)
            return _made(publication, compacted=compacted)

        return written(lake, work, steps, data_path=data_path)


def copy_of(source: Place) -> Path:
    """Where the publisher's own copy of staging stands: beside a file, in the user's cache for a server."""
    if not isinstance(source, Path):
        name = blake2b(source.name.encode(), digest_size=8).hexdigest()
        return user_cache_path("greynb", appauthor=False) / "lakes" / name / "copy.db"
    source = source.absolute()
    return source.with_name(f".{source.stem}.lake") / "copy.db"


@contextmanager
def _held(copy: Path) -> Iterator[Generation]:
    """The newest copy of the publisher, which stays while the block runs."""
    generation = generation_at(copy)
    witness = lease(copy, generation) if generation is not None else None
    if generation is None or witness is None:
        raise PublisherBusy(
            "another publisher of the same staging is at work", path=copy, hint="run it again"
        )
    try:
        yield generation
    finally:
        witness.close()


def _made(publication: _Publication, *, compacted: bool) -> SyncResult:
    try:
        result = publication.made()
    except duckdb.HTTPException as error:
        if publication.asked != "full" or error.status_code != _GONE:
            raise
        publication.con.execute("ROLLBACK")
        result = publication.made(anew=True)
    if compacted:
        with publication.steps.step("compact"):
            compact(publication.con, result.id)
    return result


class _Publication:
    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        lake: Server,
        generation: Generation,
        done: SyncResult,
        asked: Mode,
        verify: bool,
        keep: int,
        steps: Steps,
    ) -> None:
        self.con = con
        self._lake = lake
        self._generation = generation
        self._done = done
        self.asked = asked
        self._verify = verify
        self._keep = keep
        self.steps = steps

    def made(self, *, anew: bool = False) -> SyncResult:
        """Compare, write and commit; or nothing, where the lake holds the copy already.

        With `anew` no file of the lake is looked at, as one is gone.
        """
        new = self._attached()
        base = self._base()
        self.con.execute("BEGIN")
        found = snapshots(self.con, self._lake)
        if anew:
            drop_all(self.con)
        old, reason = (None, "") if anew else self._old()
        if old is not None and old.base == base and self.asked == "incremental" and not self._verify:
            self.con.execute("ROLLBACK")
            return self._result(found[0].id, "unchanged", _unchanged(old), ())
        with self.steps.step("compare lake") as told:
            changes, more = self._changes(old, told)
            reason = reason or more
        work = Applying(self.con, old if not reason else None, new, changes)
        with self.steps.step("write lake") as told:
            work.all(told, verify=self._verify)
        if old is not None and self.asked == "incremental" and not work.changed and old.tables == new.tables:
            self.con.execute("ROLLBACK")
            return self._result(found[0].id, "unchanged", _unchanged(old), ())
        name = next_name(found)
        mode = "full" if self.asked == "incremental" and reason else self.asked
        with self.steps.step("commit"):
            keys = declared_keys(self._generation.database, new)
            LakeContents(new.tables, work.sums, keys, base).write(self.con)
            commit(self.con, name, self._info(mode, work))
        notices = [*self._done.notices, *work.notices, *([ANEW] if anew else ())]
        with self.steps.step("upkeep"):
            notices += keep_up(self.con, self._lake, self._keep)
        return self._result(name, mode, work.results, notices, reason if old is not None else "")

    def _attached(self) -> Contents:
        mirror = self._generation.mirror()
        if mirror is None:
            raise PublishError(
                "the publisher's copy has no columnar mirror, from which the lake is filled",
                path=self._generation.folder,
                hint="run `greynb sync --mode full`",
            )
        self.con.execute(f"ATTACH IF NOT EXISTS {literal(str(mirror))} AS {quote(COPY)} (READ_ONLY)")
        return Contents.read(self.con, COPY)

    def _base(self) -> dict[str, Any]:
        manifest = self._generation.manifest
        assert manifest is not None
        files = {"id": manifest.id, "path": str(self._generation.folder.parent)}
        return {**files, "sha256": manifest.files[DATABASE].sha256, "mode": manifest.mode}

    def _old(self) -> tuple[LakeContents | None, str]:
        """What the lake holds, and why that cannot be built on, where it cannot."""
        try:
            old = read_contents(self.con)
        except ValueError as error:
            return None, f"of the lake: {error}"
        if old is None:
            return None, "the lake holds no version of greynb's"
        if self.asked == "full":
            return old, "full was asked for"
        return old, ""

    def _changes(self, old: LakeContents | None, told: Callable[[float], None]) -> tuple[Changes, str]:
        """What differs from what the lake holds, and why that is not known, where it is not."""
        if old is None or self.asked == "full":
            return Changes(), ""
        if old.base == self._base():
            return Changes(frozenset(self._done.rows)), ""
        copy = self._done.target
        assert isinstance(copy, Path)
        return differing(copy, self._generation, old, told)

    def _info(self, mode: str, work: Applying) -> dict[str, Any]:
        return {
            "mode": mode,
            "rows": sum(each.rows or 0 for each in work.results.values()),
            "by": publisher(),
            "seconds": round(sum(self.steps.seconds.values()), 3),
            "source": str(self._done.source),
        }

    def _result(
        self,
        name: str,
        mode: Any,
        tables: dict[str, TableResult],
        notices: Any,
        reason: str = "",
    ) -> SyncResult:
        return replace(
            self._done,
            id=name,
            mode=mode,
            target=self._lake,
            path=self._lake,
            rows={table: each.rows for table, each in tables.items() if each.rows is not None},
            bytes=written_bytes(self.con),
            seconds=self.steps.seconds,
            notices=tuple(notices),
            asked=self.asked,
            reason=reason if mode != self.asked else "",
            tables=tables,
        )


def _unchanged(old: LakeContents) -> dict[str, TableResult]:
    return {name: TableResult(rows_of(total), 0, 0, 0) for name, total in old.sums.items()}
