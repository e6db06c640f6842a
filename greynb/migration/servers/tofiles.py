"""The way back: from PostgreSQL to a SQLite file of staging, from which analytics is published to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from greynb import published
from greynb.databases.copying import check_space, remove_database
from greynb.databases.descriptors import identity_of
from greynb.errors import DatabaseError, GreynbError
from greynb.migration.contents import Content, check_equal, content_of, differing
from greynb.migration.journal import Journal, State, migrating
from greynb.migration.migrated import Migrated
from greynb.migration.placing import check_analytics, check_side_files, finish, place, will_do
from greynb.migration.servers.filesplan import ToFiles
from greynb.migration.servers.restoring import hashes, restore
from greynb.migration.switching import switch
from greynb.postgres.snapshot import look, snapshot
from greynb.publish import sync
from greynb.publish.steps import Progress, Steps

_MODE = 0o644


def to_files(plan: ToFiles, *, mirror: bool = True, progress: Progress | None = None) -> Migrated[ToFiles]:
    """Carry a plan out; what is done is found again by the next run.

    Parameters
    ----------
    plan
        What to do.
    mirror
        Whether analytics gets its columnar mirror.
    progress
        Called with the step's name and the fraction of it that is done; may raise to stop.

    Raises
    ------
    UsageError
        A file is in the way.
    DatabaseError, PublishError
        The server cannot be reached or read, a copy is not what was copied, or there is too little space.
    """
    if plan.already:
        return Migrated(plan, True, notices=tuple(plan.notices()))
    with migrating(plan.staging) as journal:
        check_analytics(plan.staging, plan.analytics)
        return _Work(plan, journal, Steps(progress), mirror).done()


@dataclass(slots=True)
class _Work:
    plan: ToFiles
    journal: Journal
    steps: Steps
    mirror: bool
    notices: list[str] = field(default_factory=list)

    def done(self) -> Migrated[ToFiles]:
        plan, steps = self.plan, self.steps
        state = self._copied()
        done = sync(plan.staging, plan.analytics, verify=True, mirror=self.mirror, progress=steps.progress)
        with steps.step("verify analytics") as told:
            assert isinstance(done.path, Path)
            check_equal(state.content, content_of(done.path, told), plan.analytics)
        self.notices += self._not_in_staging()
        state = self.journal.write(state.at("verified"))
        with steps.step("check"):
            self._check_still(state)
        with steps.step("env"):
            kept = switch(plan.env_file, plan.variables)
        self.journal.write(state.at("done"))
        self.notices += plan.notices()
        return Migrated(plan, False, len(state.content) - 1, done.id, kept, notices=tuple(self.notices))

    def _copied(self) -> State:
        """Make the new file, unless it is there and holds the same."""
        plan, copy = self.plan, self.journal.copy
        with snapshot(plan.server) as con:
            seen = look(con).to_json()
            if identity_of(plan.staging) is not None or plan.staging.is_symlink():
                with self.steps.step("compare") as told:
                    if (content := self._found(hashes(con, told))) is not None:
                        return self._state(content, plan.staging, seen)
            check_side_files(plan.staging)
            ((size,),) = con.execute("SELECT pg_database_size(current_database())").fetchall()
            check_space(plan.staging.parent, int(size))
            remove_database(copy)
            try:
                with self.steps.step("copy") as told:
                    made = restore(con, copy, told)
                with self.steps.step("verify copy") as told:
                    content = content_of(copy, told)
                    check_equal(made.content, _tables(content), plan.staging)
                self.notices += made.notices
                finish(copy, _MODE)
                state = self._state(content, copy, seen)
                with self.steps.step("place"):
                    place(copy, plan.staging)
                return state
            finally:
                remove_database(copy)

    def _found(self, wanted: Content) -> Content | None:
        """What a file that is there holds, if it will do; None where it is to be made again."""
        target, before = self.plan.staging, self.journal.read()
        remove_database(self.journal.copy)  # perhaps another name of the same file
        there = content_of(target)
        # The server has no schema of SQLite's to compare.
        return there if will_do(target, there, {**wanted, "": there[""]}, before) else None

    def _state(self, content: Content, made: Path, seen: dict[str, int | str]) -> State:
        identity = identity_of(made)
        assert identity is not None
        plan = self.plan
        return self.journal.write(
            State(plan.server.name, str(plan.staging), str(plan.analytics), identity, content, seen, "copied")
        )

    def _not_in_staging(self) -> Iterator[str]:
        """Say what the lake holds that staging does not: it is published anew from staging."""
        lake = self.plan.lake
        if lake.lake is None:
            return
        try:
            found = published.verify(self.plan.source, lake, self.steps.progress)
        except GreynbError as error:
            yield f"the lake was not compared: {error.message}"
            return
        differ = [each.name for each in found.tables if each.state != "equal"]
        if differ:
            yield f"the lake differs from staging, from which analytics was published: {', '.join(differ)}"

    def _check_still(self, state: State) -> None:
        """Refuse to switch where somebody went on writing to the server."""
        with snapshot(self.plan.server) as con:
            if look(con).to_json() == state.seen:
                return
            now = hashes(con, lambda _: None)
        different = differing(_tables(state.content), now)
        if different:
            listed = ", ".join(different[:5])
            raise DatabaseError(
                f"the server was written to after it was copied ({listed}): nothing was switched",
                role="staging",
                path=self.plan.server.name,
                hint="stop the program that writes there, then run the same command again: it copies anew",
            )


def _tables(content: Content) -> Content:
    return {name: each for name, each in content.items() if name}
