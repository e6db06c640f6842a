"""Carrying a migration out, step by step, so that one that was killed can be run again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from greynb.databases.copying import remove_database
from greynb.databases.descriptors import identity_of
from greynb.migration import contents
from greynb.migration.contents import Content, content_of
from greynb.migration.journal import Journal, State, migrating
from greynb.migration.migrated import Migrated
from greynb.migration.placing import check_analytics, check_side_files, finish, place, will_do
from greynb.migration.plan import Plan, check_room
from greynb.migration.switching import switch
from greynb.publish import sync
from greynb.publish.outside import look_before_copying
from greynb.publish.steps import Progress, Steps
from greynb.routing.settings import same_file


def migrate(plan: Plan, *, mirror: bool = True, progress: Progress | None = None) -> Migrated[Plan]:
    """Carry a plan out.

    Each step is whole or not done, and what is done is found again by the next run: a kill at any instant
    loses nothing. The source is only read. The ``.env`` file is changed last, when all is verified.

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
        The source cannot be read, a copy is not what was copied, or there is too little space.
    """
    with migrating(plan.target) as journal:
        state = journal.read()
        if state and _finished(plan, state):
            journal.write(state.at("done"))
            return Migrated(plan, True, notices=(*plan.notices(), *_written_since(plan, state)))
        if same_file(plan.source, plan.target) and plan.switched():
            return Migrated(plan, True, notices=tuple(plan.notices()))
        check_analytics(plan.target, plan.analytics)
        work = _Work(plan, journal, Steps(progress), mirror)
        return work.done(state)


@dataclass(frozen=True, slots=True)
class _Work:
    plan: Plan
    journal: Journal
    steps: Steps
    mirror: bool

    def done(self, before: State | None) -> Migrated[Plan]:
        plan = self.plan
        if same_file(plan.source, plan.target):
            state, version = None, ""  # back to one database that is staging itself: only names change
        else:
            state = self._copied(before)
            version = self._published(state.content) if plan.analytics else ""
            state = self.journal.write(state.at("verified"))
        with self.steps.step("env"):
            kept = switch(plan.env_file, plan.variables)
        if state is not None:
            self.journal.write(state.at("done"))
        notices = (*plan.notices(), *(_written_since(plan, state) if state else ()))
        tables = len(state.content) - 1 if state else 0
        return Migrated(plan, False, tables, version, kept, notices=notices)

    def _copied(self, before: State | None) -> State:
        """Make the new file, unless it is there and holds the same."""
        plan, journal = self.plan, self.journal
        if identity_of(plan.target) is not None or plan.target.is_symlink():
            found = self._found(before)
            if found is not None:
                return found
        check_side_files(plan.target)
        check_room(plan)
        remove_database(journal.copy)
        try:
            seen = look_before_copying(plan.source)
            told = self.steps.progress or (lambda _step, _part: None)
            content = contents.copy(
                plan.source, journal.copy, lambda part: told("copy", part), lambda part: told("hash", part)
            )
            with self.steps.step("verify copy") as done:
                contents.check_equal(content, content_of(journal.copy, done), plan.target)
            finish(journal.copy, plan.source.stat().st_mode)
            state = journal.write(self._state(content, journal.copy, seen.to_json() if seen else None))
            with self.steps.step("place"):
                place(journal.copy, plan.target)
            return state
        finally:
            remove_database(journal.copy)

    def _found(self, before: State | None) -> State | None:
        """What a file that is there means: it will do (its state), or is to be made again (None)."""
        plan = self.plan
        remove_database(self.journal.copy)  # perhaps another name of the same file
        seen = look_before_copying(plan.source)
        with self.steps.step("compare") as told:
            there, source = content_of(plan.target, told), content_of(plan.source, told)
        if not will_do(plan.target, there, source, before):
            return None
        return self.journal.write(self._state(source, plan.target, seen.to_json() if seen else None))

    def _state(self, content: Content, made: Path, seen: dict[str, int | str] | None) -> State:
        identity = identity_of(made)
        assert identity is not None
        plan = self.plan
        analytics = str(plan.analytics) if plan.analytics else None
        return State(str(plan.source), str(plan.target), analytics, identity, content, seen, "copied")

    def _published(self, content: Content) -> str:
        plan = self.plan
        assert plan.analytics is not None
        done = sync(
            plan.target, plan.analytics, verify=True, mirror=self.mirror, progress=self.steps.progress
        )
        with self.steps.step("verify analytics") as told:
            assert isinstance(done.path, Path)
            contents.check_equal(content, content_of(done.path, told), plan.analytics)
        return done.id


def _finished(plan: Plan, state: State) -> bool:
    """Whether an earlier run came to its end, or to the last step but for writing that down."""
    same = state.source == str(plan.source) and state.stage != "copied"
    return same and state.made(plan.target) and plan.switched()


def _written_since(plan: Plan, state: State) -> Iterator[str]:
    """Say whether somebody goes on writing to the original."""
    if plan.source == plan.target:
        return
    different = contents.changed_since(plan.source, state.content, state.seen)
    if different:
        yield (
            f"{plan.source} was written to after it was copied ({', '.join(different[:5])}): that is not in"
            f" {plan.target.name}; stop the program that writes there"
        )
