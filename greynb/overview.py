"""What serves each role now: the answer of ``greynb status`` and ``%greynb status``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from greynb.routing import Role, Route, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class RoleStatus:
    """One role's file.

    Attributes
    ----------
    role
        ``"staging"`` or ``"analytics"``.
    path
        The file, as routed.
    chosen_by
        The variable, and where it was set.
    mode
        ``"dual"``, ``"single"`` or ``"legacy"``.
    exists
        Whether the file is there.
    bytes
        Its size; None where it is missing.
    written
        When it was last written (UTC).
    version
        The published generation, for analytics published by greynb.
    published
        When that version was published (UTC).
    """

    role: Role
    path: str
    chosen_by: str
    mode: str
    exists: bool
    bytes: int | None
    written: datetime | None
    version: str | None
    published: datetime | None

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, times as ISO text."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True, slots=True)
class Status:
    """What serves both roles; prints as a few lines of text."""

    staging: RoleStatus
    analytics: RoleStatus

    def __str__(self) -> str:
        return "\n".join((*_lines(self.staging), *_lines(self.analytics)))

    def __repr__(self) -> str:
        return str(self)


def status(settings: Settings | None = None) -> Status:
    """Say which file serves each role, who chose it, and how old it is.

    Parameters
    ----------
    settings
        Default: the environment's.

    Raises
    ------
    RoutingError
        The environment does not say which file serves a role.
    """
    settings = settings or Settings.current()
    return Status(_role(settings.route("staging")), _role(settings.route("analytics")))


def _role(route: Route) -> RoleStatus:
    from greynb.databases.generations import generation_at

    generation = generation_at(route.path)
    manifest = generation.manifest if generation and generation.is_intact() else None
    try:
        stat = route.path.stat()
    except OSError:
        stat = None
    return RoleStatus(
        role=route.role,
        path=str(route.path),
        chosen_by=route.chosen_by,
        mode=route.mode,
        exists=stat is not None,
        bytes=stat.st_size if stat else None,
        written=datetime.fromtimestamp(stat.st_mtime, UTC) if stat else None,
        version=manifest.id if manifest else None,
        published=manifest.published if manifest else None,
    )


def _lines(role: RoleStatus) -> Iterator[str]:
    yield f"{role.role:<10} {role.path}"
    yield f"{'':<10} chosen by {role.chosen_by} · {role.mode} mode"
    if not role.exists:
        missing = "run `greynb sync`" if role.role == "analytics" else "made by the first %%staging cell"
        yield f"{'':<10} not there yet: {missing}"
        return
    size = f"{(role.bytes or 0) / 1e6:,.1f} MB"
    written = f"written {role.written:%Y-%m-%d %H:%M:%S} UTC" if role.written else ""
    yield f"{'':<10} {size} · {written}"
    if role.version:
        yield f"{'':<10} {role.version}, published {role.published:%Y-%m-%d %H:%M:%S} UTC"
