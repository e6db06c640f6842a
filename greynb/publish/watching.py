"""Publishing whenever staging has changed, until told to stop.

Staging is looked at from outside (`greynb.publish.outside`), many times as often as it may be published.
Publications begin at least `every` seconds apart, and the publisher rests after each for at least a tenth
of the time that it took: a writer that commits every few milliseconds neither delays one for ever nor keeps
the publisher busy without a break.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greynb.errors import GreynbError, PublisherBusy
from greynb.publish.confirmed import confirmed, still_confirmed
from greynb.publish.lag import lag
from greynb.publish.result import SyncResult
from greynb.publish.source import source_of

if TYPE_CHECKING:
    from greynb.publish.source import Place, Seen, Source

LONGEST_WAIT: Final = 60.0
"""Seconds between two attempts after many failures."""

_LOOKS: Final = 0.05
_NOTED_EVERY: Final = 1.0
_SHARE: Final = 1.1
_BACK_OFF: Final = 2.0


def watch(
    source: Place,
    target: Path,
    *,
    every: float,
    publish: Callable[[], SyncResult],
    stop: threading.Event,
    log: Callable[[str], None],
) -> None:
    """Publish `source` to `target` after each change, until `stop` is set.

    Nothing but `stop` ends it: a publication that fails is tried again, after twice as long each time, up to
    `LONGEST_WAIT`. A staging that is missing, and another publisher at work, are waited for.

    Parameters
    ----------
    source, target
        Staging's file or server, and the path that users of analytics open.
    every
        Seconds between the starts of two publications, at least.
    publish
        Makes one publication. It should raise soon after `stop` is set, leaving the old version.
    stop
        Set by another thread, or by a signal handler of another thread.
    log
        Told one line per publication, failure, and change of what is waited for.
    """
    note = confirmed(target)
    watcher = _Watcher(source_of(source), target, every, publish, stop, log, note.seen if note else None)
    log(_stamped(f"watching {watcher.source.place}, publishing to {target} at most every {every:g} s"))
    with watcher.source.watched():
        while not stop.is_set():
            stop.wait(watcher.step())
    log(_stamped("stopped"))


@dataclass
class _Watcher:
    """The state between two looks; each step returns the seconds to wait for the next."""

    source: Source
    target: Path
    every: float
    publish: Callable[[], SyncResult]
    stop: threading.Event
    log: Callable[[str], None]
    published: Seen | None = None
    noted: float = 0.0
    not_before: float = 0.0
    failures: int = 0
    waiting_for: str = ""

    def step(self) -> float:
        """Look once, and publish where that is due."""
        try:
            seen = self.source.look()
        except (OSError, GreynbError) as error:
            self._failed(_said(error))
            return self.not_before - time.monotonic()
        if seen is None:
            self._wait_for(f"{self.source.place} to be there")
            return self._pause()
        if seen == self.published:
            self._note(seen)
        elif time.monotonic() >= self.not_before:
            self._attempt()
        return self._pause()

    def _attempt(self) -> None:
        begun = time.monotonic()
        try:
            seen = self.source.look()
            behind = lag(self.source, self.target).seconds
            result = self.publish()
        except PublisherBusy as error:
            self._wait_for(error.message)
            self.not_before = begun + self.every
        except (GreynbError, OSError) as error:
            if self.stop.is_set():
                self.log(_stamped("a publication was given up; the old version stands"))
            else:
                self._failed(_said(error))
        else:
            took = time.monotonic() - begun
            self.not_before = begun + max(self.every, _SHARE * took)
            note = confirmed(self.target)
            self.published = note.seen if note else seen
            self.failures, self.waiting_for = 0, ""
            if result.id and result.mode not in ("none", "unchanged"):
                self.log(_stamped(_line(result, took, behind)))

    def _failed(self, reason: str) -> None:
        self.failures += 1
        pause = min(max(self.every, 1.0) * _BACK_OFF ** min(self.failures - 1, 10), LONGEST_WAIT)
        self.not_before = time.monotonic() + pause
        self.log(_stamped(f"failed: {' '.join(reason.split())}; again in {pause:.0f} s"))

    def _wait_for(self, what: str) -> None:
        """Say once what is waited for, until something else happens."""
        if what != self.waiting_for:
            self.log(_stamped(f"waiting: {what}"))
        self.waiting_for = what

    def _note(self, seen: Seen) -> None:
        """Let `lag` know that staging has not changed until now."""
        self.failures, self.waiting_for = 0, ""
        now = time.monotonic()
        if now >= self.noted + _NOTED_EVERY:
            self.noted = now
            still_confirmed(self.target, seen)

    def _pause(self) -> float:
        """Seconds to the next look: a twentieth of a second, sooner where a publication is due."""
        usual = min(self.every, _LOOKS)
        due = self.not_before - time.monotonic()
        return min(usual, due) if due > 0 else usual


def _said(error: OSError | GreynbError) -> str:
    return error.message if isinstance(error, GreynbError) else error.strerror or str(error)


def _line(result: SyncResult, took: float, behind: float | None) -> str:
    was = "" if behind is None else f", lag was {behind:.1f} s"
    return f"published {result.id}: {result.mode}, {_rows(result)}, {took:.2f} s{was}"


def _rows(result: SyncResult) -> str:
    """The rows changed; where they were not counted in every table, the rows that there are."""
    counts = [
        count
        for each in result.tables.values()
        if each.changed
        for count in (each.inserted, each.updated, each.deleted)
    ]
    if not counts or None in counts:
        return f"{sum(rows or 0 for rows in result.rows.values()):,} rows"
    return f"{sum(count or 0 for count in counts):,} rows changed"


def _stamped(text: str) -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}"
