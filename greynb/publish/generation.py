"""Turning a finished build into the current version; a kill between any two steps is harmless."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from greynb import __version__
from greynb.databases.filehash import sha256_of
from greynb.databases.fingerprint import SIDE_FILES
from greynb.databases.generations import (
    CURRENT,
    DATABASE,
    MANIFEST,
    MIRROR,
    FileEntry,
    Generation,
    Layout,
    Manifest,
    generation_name,
    generations,
    home_of,
    link_text,
)
from greynb.errors import PublishError
from greynb.publish.durable import (
    link_or_copy,
    replace_link,
    sync_file,
    sync_folder,
    write_text,
)
from greynb.publish.home import BUILD, me

_SCRATCH: Final = f"{BUILD}switch"


def usable_layout(home: Path, wanted: Literal["auto", "generations", "plain"]) -> Layout:
    """The layout to publish in: generations behind symbolic links wherever links can be made."""
    if wanted != "auto":
        return wanted
    probe = home / _SCRATCH
    try:
        probe.unlink(missing_ok=True)
        probe.symlink_to("nowhere")
        probe.unlink()
    except (OSError, NotImplementedError):
        return "plain"
    return "generations"


def seal(
    build: Path,
    *,
    target: Path,
    mode: str,
    layout: Layout,
    second_name: bool = False,
    source: Mapping[str, object],
    schema: list[dict[str, str | None]] | None = None,
    rows: Mapping[str, int | None] | None = None,
    census: Mapping[str, Any] | None = None,
    content: Mapping[str, str | None] | None = None,
    broken_keys: Mapping[str, int] | None = None,
    broken_rules: Sequence[str] | None = None,
    seconds: Mapping[str, float] | None = None,
    digest: str = "",
    mirror_digest: str = "",
    progress: Callable[[float], None] = lambda _: None,
) -> Generation:
    """Make a build folder the next generation, not yet the current one.

    Parameters
    ----------
    build
        The folder, with the finished database in it.
    target
        The path that users open.
    second_name
        Whether the database has another name besides, as adopted files have.
    digest
        The sha256 of the database in hex, where it is known.
    mirror_digest
        The sha256 of the mirror, where there is one, which is on the disk already.
    progress
        Told how far the file is read to know it.

    The other parameters go to the `Manifest`.
    """
    database = build / DATABASE
    if left := [ending for ending in (*SIDE_FILES, "-shm") if Path(f"{database}{ending}").exists()]:
        raise PublishError(f"the new version is not finished: {', '.join(left)} is left", path=database)
    digest = digest or sha256_of(database, progress)
    if not second_name:
        sync_file(database)
        database.chmod(0o444)
    found = database.stat()
    with_ctime = layout == "generations" and not second_name
    manifest = Manifest(
        id="",
        created=datetime.now(UTC).isoformat(),
        mode=mode,
        layout=layout,
        target=target.name,
        greynb=__version__,
        sqlite=sqlite3.sqlite_version,
        publisher=me(),
        source=source,
        schema=schema,
        rows=rows or {},
        census=census,
        content=content or {},
        broken_keys=broken_keys or {},
        broken_rules=broken_rules,
        seconds=dict(seconds or {}),
        files={
            DATABASE: FileEntry(
                digest, found.st_size, found.st_mtime_ns, found.st_ctime_ns if with_ctime else None
            ),
            **_mirror_entry(build / MIRROR, mirror_digest),
        },
    )
    return _numbered(build, home_of(target), manifest)


def _mirror_entry(mirror: Path, digest: str) -> dict[str, FileEntry]:
    """What the manifest says of a build's mirror; nothing where there is none."""
    if not digest:
        return {}
    mirror.chmod(0o444)
    found = mirror.stat()
    return {MIRROR: FileEntry(digest, found.st_size, found.st_mtime_ns, None)}


def switch(target: Path, generation: Generation, layout: Layout) -> None:
    """Make a sealed generation the one that the user's path leads to."""
    home = home_of(target)
    if layout == "generations":
        replace_link(home / CURRENT, generation.folder.name, scratch=home / _SCRATCH, folder=True)
        if not (target.is_symlink() and target.readlink() == Path(link_text(target))):
            replace_link(target, link_text(target), scratch=home / _SCRATCH)
        return
    scratch = home / _SCRATCH
    scratch.unlink(missing_ok=True)
    link_or_copy(generation.database, scratch)
    scratch.replace(target)
    sync_folder(target.parent)
    (home / CURRENT).unlink(missing_ok=True)


def _numbered(build: Path, home: Path, manifest: Manifest) -> Generation:
    number = max((each.number for each in generations(home)), default=0) + 1
    manifest = replace(manifest, id=generation_name(number))
    write_text(build / MANIFEST, manifest.to_json())
    sync_folder(build)
    folder = build.rename(home / manifest.id)
    sync_folder(home)
    return Generation(folder, manifest)
