"""What a publication would do, told without writing anything."""

from __future__ import annotations

from pathlib import Path

from greynb.databases.generations import DATABASE, generation_name, generations, home_of
from greynb.publish.comparing import usable
from greynb.publish.result import Mode, SyncResult
from greynb.publish.source import Source


def foreseen(source: Source, target: Path, asked: Mode) -> SyncResult:
    """What would happen, as far as it can be told without copying.

    Raises
    ------
    PublishError
        There is no room for it.
    """
    size = source.room(target.parent)
    current, reason = usable(target)
    newest = max((each.number for each in generations(home_of(target))), default=0)
    name = generation_name(newest + 1)
    mode: Mode = "full" if asked == "incremental" and current is None else asked
    notices = [f"up to {size / 1e6:,.1f} MB would be written in {target.parent}"]
    if mode == "incremental":
        notices.append("nothing would be published if the copy holds what the version before does")
    if current is None and target.exists() and not target.is_symlink():
        notices.append("the analytics file that is there would be kept as a version")
    return SyncResult(
        name,
        mode,
        source.place,
        target,
        home_of(target) / name / DATABASE,
        bytes=size,
        notices=tuple(notices),
        asked=asked,
        reason=reason if mode != asked else "",
        dry_run=True,
    )
