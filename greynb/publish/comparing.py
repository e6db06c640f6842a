"""What the new copy has in common with the version before, and what can therefore be taken over from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from greynb import __version__
from greynb.databases.copying import mapped
from greynb.databases.generations import Generation, Manifest, generation_at
from greynb.databases.sqlite import database_uri
from greynb.publish.content import Content

if TYPE_CHECKING:
    from greynb.publish.pages import PageComparison, TableChange

MOSTLY: Final = 0.5
"""The part of pages whose rows may differ from which counting everything is as quick as carrying on."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A copy beside the version before.

    Attributes
    ----------
    previous
        The version before; None where nothing can be taken over from it.
    changes
        Per table, as the pages tell; empty without `previous`.
    pages, pages_changed
        None where the pages were not compared.
    reason
        Why nothing can be taken over; empty where something can.
    unchanged
        Whether both hold the same.
    database
        The copy that was compared.
    bytes
        Which pages hold the same bytes.
    """

    previous: Generation | None = None
    changes: dict[str, TableChange] | None = None
    pages: int | None = None
    pages_changed: int | None = None
    reason: str = ""
    unchanged: bool = False
    database: Path | None = None
    bytes: PageComparison | None = None

    @property
    def manifest(self) -> Manifest | None:
        """The manifest of the version before, where something can be taken over."""
        return self.previous.manifest if self.previous else None

    @property
    def files(self) -> tuple[Path, Path] | None:
        """The version before and the copy, where something can be taken over."""
        return (self.previous.database, self.database) if self.previous and self.database else None

    @property
    def changed(self) -> set[str] | None:
        """The tables whose rows may differ; None for all."""
        if self.previous is None or self.changes is None:
            return None
        return {name for name, each in self.changes.items() if each.kind != "same"}


def usable(target: Path) -> tuple[Generation | None, str]:
    """The version that users read, if what its manifest says can be taken over; else why not."""
    current = generation_at(target)
    if current is None:
        there = target.exists()
        reason = "the analytics file was not published by greynb" if there else "it is the first version"
        return None, reason
    manifest = current.manifest
    if manifest is None or not current.is_intact():
        return None, "the version before was written to by something else than greynb"
    if manifest.mode == "adopted" or manifest.census is None:
        return None, "the version before was not made by greynb"
    hashes = [each for each in manifest.content.values() if each is not None]
    if manifest.greynb != __version__ or any(Content.read(each) is None for each in hashes):
        return None, "the version before was made by another version of greynb"
    if manifest.sqlite != sqlite3.sqlite_version:
        return None, "the version before was made with another version of SQLite"
    return current, ""


def compare(target: Path, database: Path, told: Callable[[float], None]) -> Comparison:
    """Compare a finished copy with the version that users read, page by page.

    Parameters
    ----------
    target
        The path that users open.
    database
        The copy, in ``journal_mode=DELETE`` and closed.
    told
        Told the part done; may raise.
    """
    from greynb.publish.pages import MalformedFile, changed_file

    previous, reason = usable(target)
    if previous is None:
        return Comparison(reason=reason)
    try:
        found = changed_file(previous.database, database)
    except MalformedFile as error:
        return Comparison(reason=f"the pages cannot be compared: {error.message}")
    told(0.9)
    pages, changed = found.pages.total, found.pages.changed
    if all(each.kind == "same" for each in found.tables.values()) and _same_beside(
        previous.database, database
    ):
        return Comparison(previous, found.tables, pages, changed, unchanged=True)
    common = [each for each in found.tables.values() if each.kind in ("same", "ranges", "whole")]
    if reason := _rewritten(common, pages, changed):
        return Comparison(None, None, pages, changed, reason)
    return Comparison(previous, found.tables, pages, changed, database=database, bytes=found.compared)


def _rewritten(common: list[TableChange], pages: int, changed: int) -> str:
    """Why comparing rows would not be worth it; empty where it is."""
    if not common:
        return "no table is in both versions"
    reasons = {each.reason for each in common}
    if len(reasons) == 1 and all(each.kind == "whole" for each in common):
        return f"every table differs: {reasons.pop()}"
    moved = sum(each.pages for each in common if each.kind == "ranges") / 2  # old and new pages were counted
    if moved > MOSTLY * pages:
        return f"{changed:,} of {pages:,} pages changed, as after a VACUUM or a rewrite"
    return ""


def _same_beside(old: Path, new: Path) -> bool:
    """Whether what is not in the users' tables is the same: the schema, counters, numbers of the header."""
    with mapped(new), closing(still(old)) as before, closing(still(new)) as after:
        return _beside(before) == _beside(after)


def still(path: Path) -> sqlite3.Connection:
    """Open a file that nobody writes to, for reading and for temporary tables, without any lock."""
    return sqlite3.connect(
        database_uri(path.absolute(), "ro&immutable=1"),
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )


def _beside(con: sqlite3.Connection) -> list[Any]:
    found: list[Any] = [
        con.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "application_id")
    ]
    found.append(
        con.execute(
            "SELECT type, hex(name), hex(tbl_name), hex(sql) FROM sqlite_schema"
            " WHERE tbl_name NOT LIKE 'sqlite|_stat%' ESCAPE '|' ORDER BY 1, 2, 3"
        ).fetchall()
    )
    if con.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone()[0]:
        found.append(con.execute("SELECT hex(name), seq FROM sqlite_sequence ORDER BY 1, 2").fetchall())
    return found
