"""`greynb.guard`: a backup of staging before a block, a comparison after it, and the way back."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from greynb.databases.lockers import open_for_writing
from greynb.errors import DatabaseError, GreynbError, UnreadableDatabase, UsageError
from greynb.guarding.backups import KEEP, Backup, in_use, throw_away
from greynb.guarding.comparison import Comparison
from greynb.guarding.inspecting import inspect
from greynb.guarding.making import make
from greynb.guarding.restoring import restore
from greynb.publish.outside import look, look_before_copying
from greynb.publish.steps import Progress
from greynb.routing import Settings

Show = Callable[[str], object]


def guard(
    label: str = "",
    *,
    keep: int = KEEP,
    keep_days: float | None = None,
    restore_on_failure: bool = False,
    show: Show = print,
    progress: Progress | None = None,
) -> Guard:
    """Guard a block that writes to staging: a backup first, a comparison after it, and the way back.

    ::

        with greynb.guard("ingest") as guarded:
            ingest()
        guarded.comparison.lost  # tables that had rows and have none now

    After the block the row counts of each table and ``integrity_check`` are shown. Where it ended with an
    error, left a damaged database, or emptied a table, a restoration is offered: as a question on a terminal,
    else as the command that does it. An error of the block goes on as ever.

    Parameters
    ----------
    label
        What the backup is made before, for its name.
    keep, keep_days
        The newest backups that stay, and the days after which also one of these goes (default: never).
    restore_on_failure
        Whether to restore at once, without a question, after an error of the block or damage.
    show
        Called with each text to show.
    progress
        Called with the step's name and the fraction of it that is done; may raise to stop.

    Raises
    ------
    RoutingError, MissingDatabase, UnreadableDatabase, DatabaseLocked, DatabaseError
        There is no backup; the block was not begun.
    """
    return Guard(label, keep, keep_days, restore_on_failure, show, progress or _silent)


class Guard:
    """See `guard`; `backup` and `comparison` tell what was found."""

    def __init__(
        self,
        label: str,
        keep: int,
        keep_days: float | None,
        restore_on_failure: bool,
        show: Show,
        progress: Progress,
    ) -> None:
        if keep < 1 or (keep_days is not None and keep_days <= 0):
            raise UsageError("a guard keeps at least its own backup", hint="give a number from 1")
        self.backup: Backup | None = None
        self.comparison: Comparison | None = None
        self.restored = False
        self._label, self._keep, self._keep_days = label, keep, keep_days
        self._restores, self._show, self._progress = restore_on_failure, show, progress
        self._held = ExitStack()

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.end(f"it ended with {kind.__name__}" if kind else None)
        except GreynbError as problem:
            if error is None:
                raise
            self._show(f"guard: {problem}")  # the error of the block is the one to see

    def begin(self) -> Backup:
        """Make the backup, and throw away old ones."""
        route = Settings.current().route("staging")
        try:
            self._seen = look_before_copying(route.path)
            made = self.backup = make(route.path, self._label, self._progress)
            self._held.enter_context(in_use(made))
            throw_away(route.path, self._keep, self._keep_days)
        except GreynbError as error:
            raise error.at(role="staging", path=route.path, chosen_by=route.chosen_by) from error.__cause__
        self._show(f"guard: backup {made.id} of {made.target} ({made.size / 1e6:,.1f} MB)")
        return made

    def end(self, failure: str | None) -> Comparison:
        """Compare, show, and restore or offer to.

        Parameters
        ----------
        failure
            How the work ended, where it did not end well.
        """
        assert self.backup is not None
        with self._held:
            found = self.comparison = self._compared(self.backup, failure)
            self._show(f"guard: {self._label or 'done'}\n{found}")
            if found.reasons:
                self._show("guard: " + "; ".join(found.reasons))
                self._back(self.backup, found)
        return found

    def _compared(self, backup: Backup, failure: str | None) -> Comparison:
        target = backup.target
        untouched = self._seen is not None and look(target) == self._seen
        if untouched:
            return Comparison(backup.rows, backup.rows, failure=failure, untouched=True)
        if not target.exists():
            return Comparison(backup.rows, {}, ("the file is gone",), failure)
        try:
            found = inspect(target, lambda part: self._progress("integrity_check", part))
        except UnreadableDatabase as error:
            return Comparison(backup.rows, {}, (error.message,), failure)
        except (
            DatabaseError
        ) as error:  # somebody keeps it locked: how the work ended must be told all the same
            return Comparison(backup.rows, {}, failure=failure, problem=error.message)
        return Comparison(backup.rows, found.rows, found.damage, failure)

    def _back(self, backup: Backup, found: Comparison) -> None:
        if others := others_text(backup):
            self._show(others)
        if not (self._restores and found.failed) and not _asked(backup):
            self._show(f"guard: to go back, run: {command(backup)}")
            return
        try:
            before = restore(backup, told=self._progress)
        except (DatabaseError, UsageError) as error:
            self._show(f"guard: not restored: {error}\nguard: when that is mended, run: {command(backup)}")
            return
        self.restored = True
        self._show(restored_text(backup, before))


def command(backup: Backup) -> str:
    """The command that restores a backup, from any folder."""
    return f"greynb guard restore {shlex.quote(str(backup.folder))}"


def others_text(backup: Backup) -> str:
    """Who else could write to the file; a program that commits now and then is not seen at work."""
    others = ", ".join(f"process {each.pid} ({each.command})" for each in open_for_writing(backup.target))
    return (
        f"guard: open for writing elsewhere, by {others}: what was committed there since the backup would go"
        " too, and it may go on writing; stop it first"
        if others
        else ""
    )


def restored_text(backup: Backup, before: Backup | None) -> str:
    """What was done, and how to undo it."""
    text = f"guard: {backup.target} is as it was at {backup.made[:19]} UTC ({backup.id})"
    return f"{text}\nguard: to undo that, run: {command(before)}" if before else text


def _asked(backup: Backup) -> bool:
    """Ask on a terminal; no elsewhere."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    try:
        return input(f"Restore {backup.id}? [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        return False


def _silent(_step: str, _part: float) -> None:
    """Stand in for a caller that wants no progress."""
