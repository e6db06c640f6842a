"""What differs between a lake and its publisher's newest copy, told by the copy that the lake was made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from greynb.databases.generations import DATABASE, Generation, generations, home_of, own_target
from greynb.databases.witness import lease
from greynb.lake.applying import Changes
from greynb.lake.contents import LakeContents

NO_COPY: Final = "the publisher has no copy of what the lake holds"


def differing(
    copy: Path, now: Generation, old: LakeContents, told: Callable[[float], None]
) -> tuple[Changes, str]:
    """Compare the newest copy with the one that the lake was made of, page by page.

    Parameters
    ----------
    copy
        Where the publisher's copies stand.
    now
        The newest.
    old
        What the lake says of its newest version.
    told
        Told the part done; may raise.

    Returns
    -------
    tuple
        What differs, and why that is not known; empty where it is.
    """
    before = next((each for each in generations(home_of(own_target(copy))) if _is_base(each, old)), None)
    witness = lease(copy, before) if before is not None else None
    if before is None or witness is None:
        return Changes(), NO_COPY
    try:
        return _compared(before.database, now.database, told)
    finally:
        witness.close()


def _is_base(generation: Generation, old: LakeContents) -> bool:
    manifest = generation.manifest
    return (
        manifest is not None
        and generation.is_intact()
        and manifest.files[DATABASE].sha256 == old.base.get("sha256")
    )


def _compared(before: Path, now: Path, told: Callable[[float], None]) -> tuple[Changes, str]:
    from greynb.publish.pages import MalformedFile, changed_file, spans_of

    try:
        found = changed_file(before, now).tables
        same = frozenset(name for name, each in found.items() if each.kind == "same")
        spans = {
            name: spans_of(before, now, each.leaves) if each.leaves is not None else each.spans
            for name, each in found.items()
            if each.kind == "ranges"
        }
    except MalformedFile as error:
        return Changes(), f"the pages cannot be compared: {error.message}"
    told(1.0)
    return Changes(same, spans), ""
