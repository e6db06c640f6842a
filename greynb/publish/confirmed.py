"""What a version is known to hold: staging as it looked when it was copied, or when nothing had changed.

The manifest of a version never changes, but what is known about it does: hours later staging may still look
the same, or may have been checkpointed without a commit. So that is kept in a small file of the hidden
folder. Losing it loses nothing but a better answer of `greynb.publish.lag`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from greynb.databases.generations import generation_at, home_of, own_target
from greynb.publish.home import BUILD
from greynb.publish.source import seen_of

if TYPE_CHECKING:
    from greynb.publish.source import Seen, Source

CONFIRMED: Final = "confirmed.json"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Until when a version held all of staging.

    Attributes
    ----------
    version
        The version, ``gen-000042``.
    until
        The last moment when staging looked as it did when it was copied, in seconds since 1970.
    seen
        How it looked.
    """

    version: str
    until: float
    seen: Seen


@contextmanager
def confirming(source: Source, target: Path) -> Iterator[None]:
    """Note after a publication, made in this block, what it is known to hold; nothing after an error."""
    seen = source.look_before_copying()
    begun = time.time()
    yield
    if seen is not None:
        confirm(target, seen, begun)


def confirm(target: Path, seen: Seen, until: float | None = None) -> None:
    """Note that the current version of `target` holds everything of staging as it looked.

    Never fails: a folder that cannot be written only makes the lag less exact.

    Parameters
    ----------
    target
        The path that users open.
    seen
        From `Source.look_before_copying`, before the copy began.
    until
        When it looked so, in seconds since 1970; default now.
    """
    with suppress(OSError):
        target = own_target(target)
        generation = generation_at(target)
        if generation is None:
            return
        note = home_of(target) / CONFIRMED
        moment = time.time() if until is None else until
        text = json.dumps({"version": generation.folder.name, "until": moment, "seen": seen.to_json()})
        scratch = note.with_name(f"{BUILD}{CONFIRMED}-{os.getpid()}")  # swept, should this die here
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(note)


def still_confirmed(target: Path, seen: Seen) -> None:
    """Note that staging looks now as the current version is known to hold it; harmless where it does not."""
    note = confirmed(target)
    if note is not None and note.seen == seen:
        confirm(target, seen)


def confirmed(target: Path) -> Confirmed | None:
    """What was noted about the current version; None where nothing was."""
    target = own_target(target)
    generation = generation_at(target)
    try:
        found = json.loads((home_of(target) / CONFIRMED).read_text(encoding="utf-8"))
        note = Confirmed(str(found["version"]), float(found["until"]), seen_of(found["seen"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return note if generation is not None and generation.folder.name == note.version else None
