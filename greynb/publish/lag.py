"""How far analytics is behind staging.

The lag is the age of the first commit that analytics lacks. SQLite keeps no times of commits, so it is given
as two bounds, both from looking at files only:

- **seconds**, the upper bound: the time since staging last looked as it did when the version was copied.
  Zero while it still looks so. `sync` notes that moment, and so does `sync --watch` about every second.
- **at_least**, the lower bound: the time since staging was last written, which is a commit that analytics
  lacks unless that was only a checkpoint or an unfinished transaction.

The exact rows and pages need a consistent copy of staging, so they are found on request only.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.generations import Generation, generation_at
from greynb.errors import DatabaseError
from greynb.publish.confirmed import confirmed
from greynb.publish.durations import shown
from greynb.publish.outside import Look
from greynb.publish.source import source_of

if TYPE_CHECKING:
    from greynb.publish.source import Place, Seen, Source

NOT_PUBLISHED: Final = "analytics was not published by greynb, or was written to since"
NO_STAGING: Final = "staging is not there"


@dataclass(frozen=True, slots=True)
class Lag:
    """How far analytics is behind staging.

    Attributes
    ----------
    seconds
        At most so old is the first commit that analytics lacks; 0 where it lacks none, None where that cannot
        be known.
    at_least
        At least so old; seconds.
    until
        Everything committed until then is in analytics (UTC).
    written
        When staging's files were last written (UTC).
    unknown
        Why it cannot be known; empty otherwise.
    """

    seconds: float | None
    at_least: float = 0.0
    until: datetime | None = None
    written: datetime | None = None
    unknown: str = ""

    def is_beyond(self, limit: float) -> bool:
        """Whether analytics may be more than `limit` seconds behind; also where that cannot be known."""
        return self.seconds is None or self.seconds > limit

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, times as ISO text."""
        return {
            "seconds": self.seconds,
            "at_least": self.at_least,
            "until": self.until.isoformat() if self.until else None,
            "written": self.written.isoformat() if self.written else None,
            "unknown": self.unknown,
        }

    def __str__(self) -> str:
        if self.seconds is None:
            return f"lag unknown: {self.unknown}"
        if not self.seconds:
            return "nothing behind staging"
        least = f", at least {shown(self.at_least)}" if self.at_least >= 1 else ""
        return f"behind staging by at most {shown(self.seconds)}{least}"


def lag(source: Place | Source, target: Path) -> Lag:
    """Measure how far `target` is behind `source`, without opening a file in SQLite.

    Parameters
    ----------
    source
        Staging's file or server.
    target
        The path that users of analytics open.
    """
    staging = source_of(source)
    now = time.time()
    try:
        seen = staging.look()
    except DatabaseError as error:
        return Lag(None, unknown=error.message)
    except OSError as error:
        return Lag(None, unknown=f"staging may not be looked at ({error.strerror})")
    if seen is None:
        return Lag(None, unknown=NO_STAGING)
    written = None if seen.written is None else datetime.fromtimestamp(seen.written, UTC)
    if staging.is_file(target):
        return Lag(0.0, until=datetime.fromtimestamp(now, UTC), written=written)
    generation = generation_at(target)
    if generation is None or generation.manifest is None or not generation.is_intact():
        return Lag(None, written=written, unknown=NOT_PUBLISHED)
    same, until = _held(generation, target, seen)
    if until is None:
        return Lag(None, written=written, unknown="the version does not say what it was copied from")
    if same:
        return Lag(0.0, until=datetime.fromtimestamp(now, UTC), written=written)
    return Lag(
        seconds=max(now - until, 0.0),
        at_least=max(now - max(seen.written or now, until), 0.0),
        until=datetime.fromtimestamp(until, UTC),
        written=written,
    )


def _held(generation: Generation, target: Path, seen: Seen) -> tuple[bool, float | None]:
    """Whether the version holds all of staging as it looks, and until when it surely did (since 1970)."""
    note = confirmed(target)
    if note is not None:
        return note.seen == seen, note.until
    assert generation.manifest is not None
    return _recorded(generation.manifest.source, seen)


def _recorded(source: Mapping[str, Any], seen: Seen) -> tuple[bool, float | None]:
    """The same from the manifest alone, which knows only the main file: in WAL nothing about the log."""
    if not isinstance(seen, Look):
        return False, None
    size, mtime_ns = source.get("size"), source.get("mtime_ns")
    if not isinstance(size, int) or not isinstance(mtime_ns, int):
        return False, None
    same = (size, mtime_ns, 0) == (seen.size, seen.mtime_ns, seen.log_size)
    return same, mtime_ns / 1e9


def age(target: Path, version: Generation | None) -> float | None:
    """Seconds since the last commit that the current version is known to hold; None where it is unknown."""
    if version is None or version.manifest is None:
        return None
    note = confirmed(target)
    written: Any = version.manifest.source.get("mtime_ns")
    moment = note.seen.written if note else written / 1e9 if isinstance(written, int) else None
    return None if moment is None else max(0.0, time.time() - moment)
