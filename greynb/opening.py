"""Which engine runs the cells of analytics where no file does: PostgreSQL, a DuckLake, or Spark over one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greynb.errors import UsageError

if TYPE_CHECKING:
    from greynb.databases.reading import CellSession
    from greynb.routing import Route


def opened(route: Route) -> CellSession | None:
    """A session of its own for a route of analytics; None where a file serves it.

    Raises
    ------
    UsageError
        Spark is to compute, and there is no DuckLake to compute over.
    """
    if route.server is not None and route.server.kind == "spark":
        from greynb.spark.session import SparkSession

        if route.lake is None:
            raise UsageError(
                "Spark computes over a DuckLake, and the environment names none",
                hint="set ANALYTICS_DB_PATH=ducklake:… beside ANALYTICS_ENGINE=spark, or LAKE_DB_PATH",
            )
        return SparkSession(route.server, route.lake)
    if route.postgres is not None:
        from greynb.postgres.analytics import PostgresAnalytics

        return PostgresAnalytics(route.postgres)
    if route.lake is not None:
        from greynb.lake.session import LakeSession

        return LakeSession(route.lake)
    return None


def in_duckdb(session: CellSession) -> CellSession:
    """The session; where Spark computes, that of DuckDB over the same version, which has temporary tables."""
    duckdb = getattr(session, "duckdb", None)
    return session if duckdb is None else duckdb
