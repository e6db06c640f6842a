"""What is known of one still version of the analytics file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from greynb.databases.generations import DATABASE, load_generation
from greynb.databases.private import PrivateFolder
from greynb.databases.witness import Witness

if TYPE_CHECKING:
    from greynb.databases.census import TableCensus


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """One version of the analytics file.

    Attributes
    ----------
    path
        The file to open, read-only.
    id
        ``gen-000042``; ``file-…`` or ``copy-…`` with a fingerprint where it was not published by greynb.
    kind
        ``"generation"``, ``"link"`` or ``"copy"``.
    source
        The path that the user named.
    published
        When it was published, or last written where greynb did not publish it.
    census
        What each column holds, per table, where the manifest says it.
    notices
        What the user should know about it.
    mirror
        The columnar mirror that was published with it; None where there is none.
    ctimes
        Of a private copy: those of its origin and what stands beside that, in ns, when it was made.
    """

    path: Path
    id: str
    kind: Literal["generation", "link", "copy"]
    source: Path
    published: datetime | None
    census: Mapping[str, TableCensus] | None
    notices: tuple[str, ...] = ()
    mirror: Path | None = None
    ctimes: tuple[int, ...] = ()
    witness: Witness = field(kw_only=True, repr=False)

    @property
    def identity(self) -> str | None:
        """What tells a published version from every other: names and numbers come again in other places."""
        if self.kind != "generation":
            return None
        manifest = load_generation(self.path.parent).manifest
        if manifest is None or manifest.id != self.id or DATABASE not in manifest.files:
            return None
        return f"{manifest.files[DATABASE].sha256} {manifest.created} {self.path}"


def let_go(pid: int, held: list[Snapshot], folders: dict[Path, PrivateFolder]) -> None:
    """Let go of snapshots and their files; a forked process leaves them to the one that made them."""
    while held and os.getpid() == pid:
        held.pop().witness.close()
    while folders and os.getpid() == pid:
        folders.popitem()[1].close()
