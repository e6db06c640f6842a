"""Publishing staging to analytics: which steps, in which order, and what they did."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from greynb.databases.filehash import sha256_of
from greynb.databases.generations import DATABASE, Generation, generation_at, own_target
from greynb.errors import PublishError
from greynb.publish import mirrors
from greynb.publish.adopt import adopt
from greynb.publish.aside import beside
from greynb.publish.checking import check
from greynb.publish.comparing import Comparison, compare, still, usable
from greynb.publish.confirmed import confirmed, confirming
from greynb.publish.describe import Facts, analyzed, describe
from greynb.publish.durable import remove, sync_file
from greynb.publish.foreseeing import foreseen
from greynb.publish.full import check_equal, contents
from greynb.publish.generation import seal, switch, usable_layout
from greynb.publish.home import build_folder, clean_up, publishing
from greynb.publish.lag import age
from greynb.publish.request import check_request
from greynb.publish.result import Mode, SyncResult, TableResult
from greynb.publish.source import Source, source_of
from greynb.publish.steps import Progress, Steps

if TYPE_CHECKING:
    from greynb.publish.etl import Plan
    from greynb.publish.source import Place

KEPT: Final = 2
"""Old generations that stay, besides those that a reader holds."""

_PLAIN: Final = ("full", "incremental")  # modes that publish staging as it is


def sync(
    source: Place,
    target: Path,
    *,
    mode: Mode = "incremental",
    layout: Literal["auto", "generations", "plain"] = "auto",
    keep: int = KEPT,
    plan: Plan | None = None,
    verify: bool = False,
    mirror: bool = True,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SyncResult:
    """Publish `source` to `target` while writers and readers go on.

    A kill at any instant leaves the old or the new version, whole; what it leaves behind is removed by the
    next publication. An error or Ctrl-C leaves the old version.

    Parameters
    ----------
    source
        The database to copy: a SQLite file, or a PostgreSQL server's. Writers of a server and of a file in
        WAL never wait; those of another file wait while it is copied.
    target
        The path that users open.
    mode
        ``"incremental"``: nothing if staging is unchanged, else a new version of which only what changed is
        counted and hashed again. ``"full"``: a new version in any case, all of it counted and hashed.
        ``"etl"``: a new version made by `plan`.
    layout
        ``"generations"`` keeps versions behind a symbolic link, ``"plain"`` keeps a real file at `target`;
        ``"auto"`` is the first where links can be made.
    keep
        Old versions that stay, besides those that a reader holds.
    plan
        For ``"etl"``.
    verify
        Whether to compare every row of the copy with staging's snapshot by content hash; in mode ``"etl"``
        before the plan is applied. An unchanged staging is then copied and compared as well.
    mirror
        Whether to publish a columnar mirror with the version, from which cells read many times faster.
    dry_run
        Only say what would happen; nothing is written.
    progress
        Called with the step's name and the fraction of it that is done; may raise to stop.

    Raises
    ------
    MissingDatabase, UnreadableDatabase, DatabaseLocked
        The source is not there, is damaged, or stays locked.
    PublishError
        The publication could not be made.
    UsageError
        No such mode, or no plan for ``"etl"``.
    """
    staging = source_of(source)
    check_request(mode, keep, plan)
    try:
        staging.check()
        if staging.is_file(target):
            return SyncResult(
                "", "none", staging.place, target, target.resolve(), asked=mode, dry_run=dry_run
            )
        target = own_target(target)
        if target.is_dir():
            raise PublishError("the analytics path is a folder")
        work = _Publication(staging, target, mode, layout, keep, plan, verify, mirror, Steps(progress))
        if dry_run:
            unchanged = work.kept()
            return replace(unchanged, dry_run=True) if unchanged else foreseen(staging, target, mode)
        with publishing(target) as home:
            return work.kept() or work.made(home)
    except PublishError as error:
        raise error.at(role="analytics", path=target) from error.__cause__
    except OSError as error:
        raise PublishError(
            f"the publication could not be written ({error.strerror})", role="analytics", path=target
        ) from error


@dataclass(frozen=True, slots=True)
class _Publication:
    source: Source
    target: Path
    asked: Mode
    layout: Literal["auto", "generations", "plain"]
    keep: int
    plan: Plan | None
    verify: bool
    mirror: bool
    steps: Steps

    def kept(self) -> SyncResult | None:
        """The answer where the newest version is known to hold all of staging, without a copy."""
        if self.asked != "incremental" or self.verify:
            return None
        current, _ = usable(self.target)
        note = confirmed(self.target)
        if current is None or current.manifest is None or note is None or note.seen != self.source.look():
            return None
        return self._unchanged(current) if current.manifest.mode in _PLAIN else None

    def made(self, home: Path) -> SyncResult:
        """Copy, compare, check, describe, seal and switch; or stop after comparing where nothing changed."""
        layout = usable_layout(home, self.layout)
        before = generation_at(self.target)
        lag = age(self.target, before)
        build = build_folder(home)
        try:
            with confirming(self.source, self.target), beside(self.steps) as aside:
                database = build / DATABASE
                carry = self.mirror and self.asked != "full"
                carried = aside.begin("carry", partial(mirrors.copied, self.target, build)) if carry else None
                copied = self.source.copy(database, self.steps, verify=self.verify, before=self._carried())
                state, hashes = copied.state, copied.hashes
                notices = (*copied.notices, *self._transformed(database, state, hashes))
                notices += analyzed(database, self.steps)
                synced = aside.begin("sync", lambda _: sync_file(database))
                hashed = aside.begin("hash", partial(sha256_of, database))
                if carried:
                    carried()
                comparison = self._compared(database)
                if comparison.unchanged and comparison.previous and self._may_stay(comparison.previous):
                    if hashes and comparison.manifest and self.asked != "etl":
                        check_equal(hashes, comparison.manifest.content)
                    aside.stop()
                    remove(build)
                    return self._unchanged(comparison.previous)
                checked = aside.begin("check", partial(check, database, comparison))
                facts = describe(database, self.steps, comparison, aside, checked, mirrored=self.mirror)
                if hashes and self.asked != "etl":
                    check_equal(hashes, facts.content)
                adopted = adopt(self.target, layout)
                mode = self._mode(comparison)
                digest = hashed()
                synced()
                with self.steps.step("switch"):
                    new = self._sealed(build, mode, layout, state, facts, digest)
                    switch(self.target, new, layout)
                    clean_up(self.target, self.keep)
        except BaseException:
            remove(build)
            raise
        return SyncResult(
            new.folder.name,
            mode,
            self.source.place,
            self.target,
            new.database,
            facts.rows,
            new.database.stat().st_size,
            self.steps.seconds,
            (*notices, *facts.notices, *_kept(adopted), *self._other_kind(before)),
            asked=self.asked,
            reason=(copied.reason or comparison.reason) if self.asked == "incremental" else "",
            tables=facts.tables,
            pages=comparison.pages,
            pages_changed=comparison.pages_changed,
            lag_closed=lag,
        )

    def _carried(self) -> Generation | None:
        """The version that users read, where it holds staging as it was, so that the rest of it will do."""
        current, _ = usable(self.target)
        if self.asked != "incremental" or current is None or current.manifest is None:
            return None
        return current if current.manifest.mode in _PLAIN else None

    def _transformed(
        self, database: Path, state: dict[str, Any], hashes: Mapping[str, str | None]
    ) -> tuple[str, ...]:
        """Apply the plan to the copy, in mode etl."""
        if self.asked != "etl" or self.plan is None:
            return ()
        from greynb.publish.etl import apply

        if hashes:
            self._verify_copy(database, hashes)
        with self.steps.step("etl") as told:
            report = apply(database, self.plan, progress=told)
        state["plan"] = {"file": str(self.plan.file), "digest": self.plan.digest()}
        return report.notices

    def _verify_copy(self, database: Path, hashes: Mapping[str, str | None]) -> None:
        with self.steps.step("verify copy") as told, closing(still(database)) as con:
            check_equal(hashes, contents(con, told))

    def _compared(self, database: Path) -> Comparison:
        if self.asked == "full":
            return Comparison()
        with self.steps.step("compare") as told:
            return compare(self.target, database, told)

    def _may_stay(self, current: Generation) -> bool:
        """Whether the version before is what this publication would make."""
        assert current.manifest is not None
        mode = current.manifest.mode
        return mode == "etl" if self.asked == "etl" else mode in (*_PLAIN, "rollback")

    def _mode(self, comparison: Comparison) -> Mode:
        return "full" if self.asked == "incremental" and comparison.previous is None else self.asked

    def _sealed(
        self,
        build: Path,
        mode: Mode,
        layout: Literal["generations", "plain"],
        state: dict[str, object],
        facts: Facts,
        digest: str,
    ) -> Generation:
        return seal(
            build,
            target=self.target,
            mode=mode,
            layout=layout,
            source=state,
            schema=facts.schema,
            rows=facts.rows,
            census=facts.census,
            content=facts.content,
            broken_keys=facts.broken_keys,
            broken_rules=facts.broken_rules,
            seconds=self.steps.seconds,
            digest=digest,
            mirror_digest=facts.mirror_sha256,
        )

    def _unchanged(self, current: Generation) -> SyncResult:
        assert current.manifest is not None
        rows = current.manifest.rows
        return SyncResult(
            current.folder.name,
            "unchanged",
            self.source.place,
            self.target,
            current.database,
            rows,
            current.manifest.files[DATABASE].size,
            self.steps.seconds,
            asked=self.asked,
            tables={name: TableResult(number, 0, 0, 0) for name, number in rows.items()},
        )

    def _other_kind(self, before: Generation | None) -> tuple[str, ...]:
        made = before.manifest.mode if before and before.manifest else ""
        if made == "etl" and self.asked != "etl":
            return ("the version before was made by a plan (mode etl); this one holds staging as it is",)
        return ()


def _kept(adopted: Generation | None) -> tuple[str, ...]:
    if adopted is None:
        return ()
    return (f"the analytics file that was there is kept as {adopted.folder.name}",)
