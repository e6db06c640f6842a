"""Checks of what was published: how old it is, whether it was written to, and its mirror."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from greynb import columnar
from greynb.databases.generations import MIRROR
from greynb.doctor.findings import Evidence, Fix
from greynb.doctor.patient import Patient, Subject
from greynb.publish.durations import shown
from greynb.publish.lag import Lag, lag

DAY: Final = 86_400.0


def behind(patient: Patient) -> Iterator[Evidence]:
    """Analytics that lacks what was committed long ago."""
    limit = DAY if patient.max_lag is None else patient.max_lag
    now = _lag(patient)
    if now is not None and now.seconds is not None and now.seconds > limit:
        yield Evidence(
            (f"{now}; the limit is {shown(limit)}",),
            "greynb sync    # or `greynb sync --watch` as a service",
            "analytics",
            patient.routes["analytics"].path,
            level="warning" if patient.max_lag is None else "error",
        )


def unknown_lag(patient: Patient) -> Iterator[Evidence]:
    """A file of which greynb cannot say how old its content is."""
    now, analytics = _lag(patient), patient.subject("analytics")
    if now is None or analytics is None or now.seconds is not None or not analytics.is_there:
        return
    staging = patient.subject("staging")
    if staging is not None and staging.is_there:
        yield Evidence((now.unknown,), "greynb sync", "analytics", analytics.path, level=_asked(patient, now))


def _asked(patient: Patient, now: Lag) -> Literal["error"] | None:
    """What is not known is beyond a limit that was asked for."""
    return "error" if patient.max_lag is not None and now.is_beyond(patient.max_lag) else None


def _lag(patient: Patient) -> Lag | None:
    staging = patient.routes.get("staging") or patient.servers.get("staging")
    if staging is None or patient.subject("analytics") is None:
        return None
    return lag(staging.place, patient.routes["analytics"].path)


def written_to(patient: Patient) -> Iterator[Evidence]:
    """A published file that something else has written to."""
    analytics = patient.subject("analytics")
    version = analytics.generation if analytics else None
    if analytics and version is not None and version.manifest is not None and not version.is_intact():
        yield Evidence(
            (f"{version.database} is not the file that was published as {version.manifest.id}",),
            "greynb sync    # keeps what is there as a version of its own, then publishes staging",
            "analytics",
            analytics.path,
        )


def mirror(patient: Patient) -> Iterator[Evidence]:
    """Cells that read the SQLite file, because its mirror is missing or of another version."""
    analytics = patient.subject("analytics")
    if analytics is None or not analytics.is_readable:
        return
    now = columnar.status(analytics.route)
    if now.state in ("stale", "none"):
        yield Evidence(
            (*_published(analytics), str(now)),
            "greynb mirror build",
            "analytics",
            analytics.path,
            level="warning" if now.state == "stale" or _published(analytics) else "info",
            fix=Fix(f"build the mirror of {analytics.path}", _build),
        )


def _published(analytics: Subject) -> tuple[str, ...]:
    """Whether the version had a mirror that is not what it was."""
    version = analytics.generation
    if version is None or version.manifest is None or not version.is_intact() or version.mirror() is not None:
        return ()
    lost = MIRROR in version.manifest.files
    return (f"{version.manifest.id}/{MIRROR} is gone, or was written to",) if lost else ()


def _build() -> str:
    return str(columnar.build())
