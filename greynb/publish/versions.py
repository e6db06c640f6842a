"""The versions of an analytics file: what is there, and going back to one of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from greynb.databases.filehash import sha256_of
from greynb.databases.generations import (
    DATABASE,
    MIRROR,
    SECOND_NAME,
    Generation,
    Layout,
    Manifest,
    generation_at,
    generation_name,
    generations,
    home_of,
    own_target,
)
from greynb.errors import PublisherBusy, PublishError
from greynb.publish.adopt import adopt
from greynb.publish.durable import link_or_copy, remove, sync_folder, write_text
from greynb.publish.generation import seal, switch
from greynb.publish.history import Version, history, history_text
from greynb.publish.home import build_folder, clean_up, publishing
from greynb.publish.result import SyncResult
from greynb.publish.steps import Progress, Steps

__all__ = ["Version", "history", "history_text", "rollback"]

WAIT: Final = 10.0
"""Seconds that a rollback waits for another publisher."""

_PAUSE: Final = 0.05


def rollback(
    target: Path,
    version: str | int | None = None,
    *,
    keep: int = 2,
    wait: float = WAIT,
    progress: Progress | None = None,
) -> SyncResult:
    """Publish the content of an older version again, as a new one.

    Nothing is taken away: the version that was current stays beside it, and without `version` a second
    rollback goes back to that. The file gets a second name where the file system has hard links, else it is
    copied; its sha256 is compared with the manifest before users see it. Readers go on undisturbed.

    Parameters
    ----------
    target
        The path that users open.
    version
        ``"gen-000041"`` or 41; None for the newest intact one before the current.
    keep
        Old versions that stay, besides those that a reader holds.
    wait
        Seconds to wait while another publisher is at work.
    progress
        Called with the step's name and the fraction of it that is done; may raise to stop.

    Raises
    ------
    PublisherBusy
        Another publisher is still at work; says which.
    PublishError
        There is no such version, it is not whole any more, or nothing can be written.
    """
    target = own_target(target)
    steps = Steps(progress)
    try:
        chosen(target, version)  # before anything is made: there may be no versions at all
        with _waiting(target, wait, steps) as home:
            return _rollback(target, home, chosen(target, version), keep, steps)
    except PublishError as error:
        raise error.at(role="analytics", path=target) from error.__cause__
    except OSError as error:
        raise PublishError(
            f"the rollback could not be written ({error.strerror})", role="analytics", path=target
        ) from error


def chosen(target: Path, version: str | int | None) -> Generation:
    """The intact generation of that name, or the newest before the current one.

    Raises
    ------
    PublishError
        There is none, it is not intact, or it is the current one.
    """
    current = generation_at(target)
    now = current if current is not None and current.is_intact() else None
    there = list(generations(home_of(target)))
    if version is None:
        older = (each for each in there if each.is_intact() and (now is None or each.number < now.number))
        found = next(older, None)
        if found is None:
            raise PublishError("there is no older version to go back to", hint=_what_is_there(target))
        return found
    name = named(version)
    found = next((each for each in there if each.folder.name == name), None)
    if found is None:
        raise PublishError(f"there is no version {name}", hint=_what_is_there(target))
    if not found.is_intact():
        raise PublishError(f"{name} is not what was published any more", hint=_what_is_there(target))
    if now is not None and found.number == now.number:
        raise PublishError(f"{name} is the current version already", hint=_what_is_there(target))
    return found


def named(version: str | int) -> str:
    """``gen-000042`` for 42, ``"42"`` and itself."""
    text = str(version).strip()
    return generation_name(int(text)) if text.isascii() and text.isdigit() else text


def _what_is_there(target: Path) -> str:
    names = [
        each.id + (" (current)" if each.current else "" if each.intact else " (damaged)")
        for each in history(target)
    ]
    return f"versions: {', '.join(names)}" if names else "publish one with `greynb sync`"


@contextmanager
def _waiting(target: Path, seconds: float, steps: Steps) -> Iterator[Path]:
    """Be the only publisher, after waiting for another one."""
    deadline = time.monotonic() + seconds
    with ExitStack() as stack:
        with steps.step("wait") as told:
            while True:
                try:
                    home = stack.enter_context(publishing(target))
                    break
                except PublisherBusy:
                    if time.monotonic() >= deadline:
                        raise
                told(0.0)
                time.sleep(_PAUSE)
        yield home


def _rollback(target: Path, home: Path, old: Generation, keep: int, steps: Steps) -> SyncResult:
    assert old.manifest is not None
    now = generation_at(target)
    layout = now.manifest.layout if now is not None and now.manifest is not None else old.manifest.layout
    build = build_folder(home)
    try:
        with steps.step("link"):
            linked = _second_name(old, build / DATABASE)
            mirror_digest = _second_mirror(old, build / MIRROR)
        adopted = adopt(target, layout)
        with steps.step("hash") as told:
            new = _sealed(
                target,
                build,
                old.manifest,
                layout,
                linked=linked,
                mirror_digest=mirror_digest,
                seconds=steps.seconds,
                progress=told,
            )
        _check(new, old.manifest)
        with steps.step("switch"):
            switch(target, new, layout)
            clean_up(target, keep)
    except BaseException:
        remove(build)
        raise
    kept = f"the analytics file that was there is kept as {adopted.folder.name}" if adopted else ""
    return SyncResult(
        id=new.folder.name,
        mode="rollback",
        source=old.database,
        target=target,
        path=new.database,
        rows=old.manifest.rows,
        bytes=new.database.stat().st_size,
        seconds=steps.seconds,
        notices=(f"the content of {old.folder.name} again", *([kept] if kept else [])),
    )


def _second_name(old: Generation, new: Path) -> bool:
    """Link the file of a generation, or copy it; gives whether it was linked.

    The note comes first: a link changes the file's ctime, by which readers would think that it was written.
    """
    if not (old.folder / SECOND_NAME).exists():
        write_text(old.folder / SECOND_NAME, "")
        sync_folder(old.folder)
    link_or_copy(old.database, new)
    return new.samefile(old.database)


def _second_mirror(old: Generation, new: Path) -> str:
    """Link the mirror of a generation, or copy it, and give its sha256; one that was changed is left out."""
    mirror = old.mirror()
    if mirror is None or old.manifest is None:
        return ""
    digest = sha256_of(mirror, lambda _: None)
    if digest != old.manifest.files[MIRROR].sha256:
        return ""
    link_or_copy(mirror, new)
    return digest


def _sealed(
    target: Path,
    build: Path,
    old: Manifest,
    layout: Layout,
    *,
    linked: bool,
    mirror_digest: str,
    seconds: Mapping[str, float],
    progress: Callable[[float], None],
) -> Generation:
    return seal(
        build,
        target=target,
        mode="rollback",
        layout=layout,
        second_name=linked,
        source={"mode": old.mode, **old.source, "version": old.id},
        schema=old.schema,
        rows=old.rows,
        census=old.census,
        content=old.content,
        broken_keys=old.broken_keys,
        broken_rules=old.broken_rules,
        seconds=seconds,
        mirror_digest=mirror_digest,
        progress=progress,
    )


def _check(new: Generation, old: Manifest) -> None:
    """Refuse content that is not what was published; the new generation was not switched to yet."""
    assert new.manifest is not None
    if new.manifest.files[DATABASE].sha256 != old.files[DATABASE].sha256:
        remove(new.folder)
        raise PublishError(
            f"{old.id} is damaged: the sha256 of its file is not that of its manifest",
            hint="go back to another version; `greynb history` lists them",
        )
