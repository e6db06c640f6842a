"""What serves each role now, and how far analytics is behind: ``greynb status`` and ``%greynb status``."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from greynb.errors import PublishError
from greynb.publish.durations import shown
from greynb.publish.lag import NOT_PUBLISHED, Lag
from greynb.rolestatus import RoleStatus, role_status
from greynb.routing import Route, Server, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greynb.columnar import MirrorStatus
    from greynb.publish.behind import Behind


@dataclass(frozen=True, slots=True)
class Publication:
    """The version of analytics that users see, and what all versions take.

    Attributes
    ----------
    id, number
        ``gen-000042`` and 42.
    published
        When (UTC).
    mode
        How it was made, for example ``"full"``.
    seconds
        How long that took; None where it was not written down.
    versions
        Versions on disk, this one included.
    disk_bytes
        What they take together; a file with several names counts once.
    """

    id: str
    number: int
    published: datetime
    mode: str
    seconds: float | None
    versions: int
    disk_bytes: int

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, times as ISO text."""
        return {**asdict(self), "published": self.published.isoformat()}

    def __str__(self) -> str:
        took = "" if self.seconds is None else f" in {shown(self.seconds)}"
        return (
            f"{self.id}, {self.mode}, published {self.published:%Y-%m-%d %H:%M:%S} UTC{took}"
            f" · {self.versions} {'version' if self.versions == 1 else 'versions'} on disk,"
            f" {self.disk_bytes / 1e6:,.1f} MB"
        )


@dataclass(frozen=True, slots=True)
class Status:
    """What serves both roles and how far analytics is behind; prints as a few lines of text.

    Attributes
    ----------
    staging, analytics
        The two files or servers.
    lag
        How far analytics is behind staging.
    publication
        The version that users see; None where greynb did not publish it.
    behind
        The rows and pages that differ; None unless asked for.
    mirror
        The columnar mirror that cells read; None where there is no analytics file.
    """

    staging: RoleStatus
    analytics: RoleStatus
    lag: Lag
    publication: Publication | None
    behind: Behind | None = None
    mirror: MirrorStatus | None = None

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for JSON."""
        return {
            "staging": self.staging.as_dict(),
            "analytics": self.analytics.as_dict(),
            "lag": self.lag.as_dict(),
            "publication": self.publication.as_dict() if self.publication else None,
            "behind": self.behind.as_dict() if self.behind else None,
            "mirror": self.mirror.as_dict() if self.mirror else None,
        }

    def __str__(self) -> str:
        lines = [*self.staging.lines(), *self.analytics.lines()]
        if self.publication:
            lines.append(f"{'':<10} {self.publication}")
        if self.mirror:
            lines.append(f"{'':<10} {self.mirror}")
        if self.analytics.exists:
            lines.append(f"{'':<10} {self.lag}")
        if self.behind:
            lines.append(f"{'':<10} {self.behind}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


def status(settings: Settings | None = None, *, exact: bool = False) -> Status:
    """Say which file serves each role, who chose it, how old it is, and how far analytics is behind.

    Parameters
    ----------
    settings
        Default: the environment's.
    exact
        Whether to count the rows and pages that differ, for which staging is copied.

    Raises
    ------
    RoutingError
        The environment does not say which file serves a role.
    PublishError, DatabaseError
        `exact`, and the two cannot be compared.
    """
    from greynb import columnar
    from greynb.publish.lag import lag

    settings = settings or Settings.current()
    source, target = settings.route("staging"), settings.route("analytics")
    if target.lake is not None:
        return _over_lake(source, target, target.lake, exact=exact)
    if target.server is not None:
        return Status(role_status(source), role_status(target), _live(source, target), None)
    return Status(
        role_status(source),
        role_status(target),
        lag(source.place, target.path),
        _publication(target.path),
        _behind(source.place, target.path) if exact else None,
        columnar.status(target) if target.path.exists() else None,
    )


def _live(source: Route, target: Route) -> Lag:
    """The lag of a server that cells read as it is now."""
    if source.place == target.place:
        return Lag(0.0, until=datetime.now(UTC))
    return Lag(None, unknown="greynb does not publish to it")


def _over_lake(source: Route, target: Route, lake: Server, *, exact: bool) -> Status:
    from greynb.lake.publishing import copy_of
    from greynb.lake.status import ELSEWHERE, lake_lag, look_at

    analytics = role_status(target)
    if not analytics.exists:
        return Status(role_status(source), analytics, Lag(None, unknown=NOT_PUBLISHED), None)
    found = look_at(lake)
    behind = lake_lag(source.place, found)
    if exact and behind.unknown == ELSEWHERE:
        raise PublishError(ELSEWHERE, path=lake.name, hint="`greynb verify` compares with any lake")
    info = found.publication.info if found.publication else {}
    publication = Publication(
        id=found.newest.id,
        number=found.newest.version or found.newest.number,
        published=found.published or found.newest.published,
        mode=str(info.get("mode", "by other means")),
        seconds=info.get("seconds"),
        versions=found.versions,
        disk_bytes=found.disk_bytes,
    )
    rows = _behind(source.place, copy_of(source.place)) if exact else None
    return Status(role_status(source), analytics, behind, publication, rows)


def _behind(source: Path | Server, target: Path) -> Behind:
    from greynb.publish.behind import behind

    return behind(source, target)


def _publication(target: Path) -> Publication | None:
    from greynb.databases.generations import generation_at, generations, home_of, own_target

    generation = generation_at(target)
    if generation is None or generation.manifest is None or not generation.is_intact():
        return None
    versions = [each.folder for each in generations(home_of(own_target(target)))]
    files = [found for folder in versions for found in _files(folder)]
    return Publication(
        id=generation.manifest.id,
        number=generation.number,
        published=generation.manifest.published,
        mode=generation.manifest.mode,
        seconds=sum(generation.manifest.seconds.values()) if generation.manifest.seconds else None,
        versions=len(versions),
        disk_bytes=sum({(found.st_dev, found.st_ino): found.st_size for found in files}.values()),
    )


def _files(folder: Path) -> Iterator[os.stat_result]:
    """The files of a version; fewer where it is being removed just now."""
    with suppress(OSError):
        for file in folder.iterdir():
            yield file.stat()
