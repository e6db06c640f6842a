"""The layout of published versions, as readers see it.

::

    races.db  ->  .races/current/analytics.db     the path that users and other tools open
    .races/
      current -> gen-000042                       the one atomic switch
      gen-000042/  analytics.db  analytics.duckdb  manifest.json    never changed once published
      gen-000041/  …                              kept for readers that still use it

A reader resolves the path once and opens only what it found. Where symbolic links cannot be made, the
user's path is a real file instead (layout "plain"): another name of the current generation's file, or a copy
of it with the same time.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from greynb.databases.census import TableCensus

Layout = Literal["generations", "plain"]

DATABASE: Final = "analytics.db"
MIRROR: Final = "analytics.duckdb"
MANIFEST: Final = "manifest.json"
CURRENT: Final = "current"
SECOND_NAME: Final = "second-name"
"""An empty file beside a generation's database that has, or had, another hard link."""
FORMAT: Final = 1
_NAME: Final = re.compile(r"gen-(\d{6,})")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """What a manifest says of one file: sha256 in hex, size in bytes, times in ns since 1970.

    `ctime_ns` is None where the file has a second name, because each change of its names changes it.
    """

    sha256: str
    size: int
    mtime_ns: int
    ctime_ns: int | None

    def matches(self, found: os.stat_result, *, renamed: bool = False) -> bool:
        """Whether the file is still the one that was published; `renamed` leaves its ctime out."""
        return (
            found.st_size == self.size
            and found.st_mtime_ns == self.mtime_ns
            and (renamed or self.ctime_ns in (None, found.st_ctime_ns))
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a publisher wrote down about one generation.

    Attributes
    ----------
    id
        Its name, ``gen-000042``.
    created
        When it was published, UTC, ISO 8601.
    mode
        How it was made: the mode of the publication, or ``"adopted"`` for a file that was made by other
        means.
    layout, target
        The layout and file name of the path that users open.
    greynb, sqlite
        Versions of the publisher.
    publisher
        Process id and host.
    source
        Path and state of the database that was copied.
    schema
        ``type``, ``name``, ``table`` and ``sql`` of each object; None where it was not read.
    rows
        Rows per table; None for a table that could not be counted.
    census
        What each column holds, per table, as `TableCensus.to_json` gives it; None where not taken.
    files
        By file name.
    content
        A hash of each table's rows, as `greynb.publish.content` defines it; None for a table that could not
        be read. Empty in manifests of earlier versions.
    broken_keys
        Rows per table whose foreign key leads nowhere; only tables that have such.
    broken_rules
        Values that break a rule of their table, as the check words the first of them; None where the file was
        not checked.
    seconds
        How long each step took before the version was sealed.
    """

    id: str
    created: str
    mode: str
    layout: Layout
    target: str
    greynb: str
    sqlite: str
    publisher: Mapping[str, object]
    source: Mapping[str, object]
    schema: list[dict[str, str | None]] | None
    rows: Mapping[str, int | None]
    census: Mapping[str, Any] | None
    files: Mapping[str, FileEntry] = field(default_factory=dict)
    content: Mapping[str, str | None] = field(default_factory=dict)
    broken_keys: Mapping[str, int] = field(default_factory=dict)
    broken_rules: Sequence[str] | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> str:
        """The text of ``manifest.json``."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read `to_json`'s text back; raises ValueError where it is something else."""
        try:
            parts = json.loads(text)
            if parts.pop("format") != FORMAT:
                raise ValueError("a manifest of another format")
            files = {name: FileEntry(**entry) for name, entry in parts.pop("files").items()}
            datetime.fromisoformat(parts["created"])
            return cls(**parts, files=files)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a manifest: {error}") from error

    @property
    def published(self) -> datetime:
        """When it was published, as an aware datetime."""
        return datetime.fromisoformat(self.created)

    def tables(self) -> dict[str, TableCensus] | None:
        """The column census, read back; None where there is none or this version cannot read it."""
        if self.census is None:
            return None
        from greynb.databases.census import TableCensus

        try:
            return {name: TableCensus.from_json(each) for name, each in self.census.items()}
        except (KeyError, TypeError, ValueError, AttributeError):
            return None


@dataclass(frozen=True, slots=True)
class Generation:
    """One published version: its folder, number, and manifest if that is there and whole."""

    folder: Path
    manifest: Manifest | None

    @property
    def number(self) -> int:
        """42 for ``gen-000042``."""
        return number_of(self.folder.name) or 0

    @property
    def database(self) -> Path:
        """The SQLite file to open."""
        return self.folder / DATABASE

    def mirror(self) -> Path | None:
        """The columnar mirror that the manifest describes; None where there is none, or it was changed."""
        entry = self.manifest.files.get(MIRROR) if self.manifest else None
        path = self.folder / MIRROR
        try:
            return path if entry is not None and entry.matches(path.stat()) else None
        except OSError:
            return None

    def is_intact(self) -> bool:
        """Whether the file is the one that the manifest describes.

        A copied or restored folder has other times: then the content decides, which is read once.
        """
        if self.manifest is None or DATABASE not in self.manifest.files:
            return False
        entry = self.manifest.files[DATABASE]
        try:
            # Asked before and after each cell, where a Path made for it would be most of the cost.
            found = os.stat(f"{self.folder}{os.sep}{DATABASE}")  # noqa: PTH116
            if entry.matches(found) or found.st_size != entry.size:
                return found.st_size == entry.size
            if entry.matches(found, renamed=True) and (self.folder / SECOND_NAME).exists():
                return True
            from greynb.databases.filehash import sha256_once

            return sha256_once(self.database, found) == entry.sha256
        except OSError:
            return False


def home_of(target: Path) -> Path:
    """The hidden folder beside a target file that holds its generations."""
    return target.with_name(f".{target.stem}")


def homes(path: Path) -> set[Path]:
    """The hidden folders that may hold the versions of what a path leads to, without symbolic links."""
    real = Path(os.path.realpath(path))
    own = home_of(own_target(path)).resolve()
    return {own, real.parent.parent} if number_of(real.parent.name) else {own}


def link_text(target: Path) -> str:
    """Where the user's path points, relative to its folder."""
    return f"{home_of(target).name}/{CURRENT}/{DATABASE}"


def own_target(path: Path) -> Path:
    """The path that generations belong to: `path`, with the symbolic links of others followed."""
    seen = set()
    path = path.absolute()
    while path.is_symlink() and path not in seen:
        seen.add(path)
        leads_to = path.readlink()
        if leads_to == Path(link_text(path)):
            break
        path = Path(os.path.normpath(path.parent.resolve() / leads_to))
    return path


def number_of(name: str) -> int | None:
    """The number in a generation's name; None for any other name."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else None


def generation_name(number: int) -> str:
    """``gen-000042`` for 42."""
    return f"gen-{number:06d}"


def load_generation(folder: Path) -> Generation:
    """Read a generation's manifest; a missing or broken one leaves a generation without manifest."""
    try:
        return Generation(folder, Manifest.from_json((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return Generation(folder, None)


def generations(home: Path) -> Iterator[Generation]:
    """All generations in a hidden folder, newest first."""
    try:
        folders = [folder for folder in home.iterdir() if number_of(folder.name)]
    except OSError:
        return
    for folder in sorted(folders, key=lambda folder: number_of(folder.name) or 0, reverse=True):
        yield load_generation(folder)


def generation_at(path: Path) -> Generation | None:
    """The generation that a user's path leads to now; None where it leads to a file made otherwise."""
    real = Path(os.path.realpath(path))
    if real.name == DATABASE and number_of(real.parent.name) and real.parent.parent.name.startswith("."):
        return load_generation(real.parent)
    try:
        found = real.stat()
    except OSError:
        return None
    for each in generations(home_of(real)):
        if each.manifest is not None and each.manifest.layout == "plain" and _is_name_of(each, found):
            return each
    return None


def _is_name_of(generation: Generation, found: os.stat_result) -> bool:
    """Whether a file of the plain layout is this generation's file, or its copy."""
    try:
        own = generation.database.stat()
    except OSError:
        return False
    return os.path.samestat(own, found) or (
        (own.st_size, own.st_mtime_ns) == (found.st_size, found.st_mtime_ns)
    )
