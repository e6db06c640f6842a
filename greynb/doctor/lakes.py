"""Checks of a DuckLake that holds analytics, and of the Spark that computes over it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from greynb.doctor.findings import Check, Evidence
from greynb.doctor.patient import Patient
from greynb.errors import GreynbError, MissingDatabase

MANY: Final = 1_000
"""Files of one snapshot from which opening them takes longer than reading them."""


def unreadable(patient: Patient) -> Iterator[Evidence]:
    """A lake that is not there, or cannot be read."""
    found = patient.remote.lake
    if isinstance(found, GreynbError):
        level = "info" if isinstance(found, MissingDatabase) else None
        mend = found.hint or "start the catalogue's server, or name another lake"
        route = patient.servers["analytics"]
        yield Evidence(
            (f"{route.lake}, chosen by {route.chosen_by}", found.message),
            mend,
            "analytics",
            level=level,  # type: ignore[arg-type]  # the literal is lost in the conditional
        )


def single(patient: Patient) -> Iterator[Evidence]:
    """A catalogue that keeps everybody else out."""
    found = patient.remote.lake
    if found is not None and not isinstance(found, GreynbError) and found.is_single:
        yield Evidence(
            ("the catalogue is a DuckDB file",),
            "name a new catalogue, which will be SQLite or PostgreSQL, and run greynb sync",
            "analytics",
        )


def unprepared(patient: Patient) -> Iterator[Evidence]:
    """What Spark would read wrongly, so that its cells refuse it."""
    found, route = patient.remote.lake, patient.servers.get("analytics")
    if found is None or isinstance(found, GreynbError) or route is None or route.server is route.lake:
        return
    if found.unprepared:
        seen = f"{found.unprepared} tables have deleted rows in their files"
        yield Evidence((seen,), "greynb sync", "analytics")


def many_files(patient: Patient) -> Iterator[Evidence]:
    """A snapshot in many small files."""
    found = patient.remote.lake
    if found is not None and not isinstance(found, GreynbError) and found.files > MANY:
        mean = found.bytes / found.files / 1e6
        yield Evidence(
            (f"{found.files:,} files of {mean:,.1f} MB on average",),
            "greynb sync --mode full    # writes every table anew, in few files",
            "analytics",
        )


def spark_unreachable(patient: Patient) -> Iterator[Evidence]:
    """A Spark that does not answer."""
    route = patient.servers.get("analytics")
    if route is None or route.server is None or route.server.kind != "spark":
        return
    from greynb.spark.connecting import probe

    try:
        probe(route.server)
    except GreynbError as error:
        yield Evidence(
            (f"{route.server}, chosen by {route.chosen_by}", error.message), error.hint or "", "analytics"
        )


LAKE_CHECKS: Final[tuple[Check, ...]] = (
    Check(
        "lake-unreadable",
        "error",
        "the DuckLake is not there, or cannot be read",
        "Cells and scripts of analytics stop.",
        unreadable,
    ),
    Check(
        "lake-for-one",
        "warning",
        "only one process at a time can use the DuckLake",
        "A notebook that has it open keeps every publisher and every other notebook out.",
        single,
    ),
    Check(
        "lake-unprepared",
        "warning",
        "Spark cannot read some tables of the DuckLake",
        "It knows nothing of deleted rows, so its cells refuse these tables.",
        unprepared,
    ),
    Check(
        "lake-many-files",
        "info",
        "the DuckLake is in many small files",
        "Each query opens them all.",
        many_files,
    ),
    Check(
        "spark-unreachable",
        "error",
        "Spark does not answer",
        "Cells of analytics stop; with ANALYTICS_ENGINE=duckdb they go on, over the same lake.",
        spark_unreachable,
    ),
)
