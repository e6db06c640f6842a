"""The status as metrics for Prometheus.

The text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from greynb.overview import Publication, Status
from greynb.rolestatus import RoleStatus

_LABEL_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_HELP_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric, with its labels."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A metric that may go up and down; without samples where it is not known."""

    name: str
    help: str
    samples: Sequence[Sample]


def metrics(status: Status) -> str:
    """What ``greynb status --prometheus`` prints, for a node exporter's textfile folder."""
    return "".join(f"{line}\n" for gauge in _gauges(status) for line in _lines(gauge))


def _gauges(status: Status) -> Iterator[Gauge]:
    roles = (status.staging, status.analytics)
    yield Gauge("greynb_up", "Whether the file that serves a role is there.", [_up(role) for role in roles])
    yield _one("greynb_staging_bytes", "Size of the staging database.", status.staging.bytes)
    yield _one("greynb_analytics_bytes", "Size of the analytics database.", status.analytics.bytes)
    log = status.staging.log_bytes if status.staging.exists else None
    yield _one("greynb_staging_log_bytes", "Size of staging's write-ahead log.", log)
    yield Gauge(
        "greynb_locks", "Processes that hold a lock now.", [each for role in roles for each in _held(role)]
    )
    lag = status.lag
    yield _one(
        "greynb_lag_seconds",
        "Age of the first commit that analytics lacks, at most; 0 where it lacks none.",
        lag.seconds,
    )
    yield _one(
        "greynb_lag_at_least_seconds",
        "Age of the first commit that analytics lacks, at least.",
        None if lag.seconds is None else lag.at_least,
    )
    if status.behind is not None:
        yield _one("greynb_lag_rows", "Rows that differ from staging.", status.behind.rows)
        yield _one("greynb_lag_pages", "Pages that differ from staging.", status.behind.pages)
    if status.mirror is not None:
        fresh = float(status.mirror.state == "fresh")
        yield _one("greynb_mirror_fresh", "Whether cells read a columnar mirror of this version.", fresh)
        yield _one("greynb_mirror_bytes", "Size of the columnar mirror.", status.mirror.bytes)
    if status.publication is not None:
        yield from _published(status.publication)


def _published(last: Publication) -> Iterator[Gauge]:
    yield _one(
        "greynb_published_timestamp_seconds",
        "When the current version was published, in seconds since 1970.",
        last.published.timestamp(),
    )
    yield _one("greynb_published_version", "Number of the current version.", last.number)
    yield _one("greynb_published_duration_seconds", "How long that publication took.", last.seconds)
    yield _one("greynb_versions_kept", "Versions on disk, the current one included.", last.versions)
    yield _one("greynb_versions_bytes", "Disk use of all versions.", last.disk_bytes)


def _up(role: RoleStatus) -> Sample:
    return Sample(float(role.exists), {"role": role.role, "path": role.path, "mode": role.mode})


def _held(role: RoleStatus) -> Iterator[Sample]:
    """One sample per kind of lock: writing, reading, publishing, keeping a version."""
    kinds = Counter(each.doing.partition(" ")[0] for each in role.locks)
    return (Sample(count, {"role": role.role, "doing": doing}) for doing, count in kinds.items())


def _one(name: str, text: str, value: float | None) -> Gauge:
    return Gauge(name, text, [] if value is None else [Sample(float(value))])


def _lines(gauge: Gauge) -> Iterator[str]:
    """The lines of one metric; none at all where nothing is known."""
    if not gauge.samples:
        return
    yield f"# HELP {gauge.name} {gauge.help.translate(_HELP_ESCAPES)}"
    yield f"# TYPE {gauge.name} gauge"
    for sample in gauge.samples:
        labels = ",".join(
            f'{name}="{value.translate(_LABEL_ESCAPES)}"' for name, value in sample.labels.items()
        )
        yield f"{gauge.name}{f'{{{labels}}}' if labels else ''} {_number(sample.value)}"


def _number(value: float) -> str:
    """A number as Go's ParseFloat reads it."""
    if math.isfinite(value):
        return repr(int(value)) if value == int(value) else repr(value)
    return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
