"""A session of Spark Connect: made within seconds or not at all, with errors that hold no token."""

from __future__ import annotations

import socket
import warnings
from typing import TYPE_CHECKING, Any, Final

from greynb.errors import DatabaseError, UsageError

if TYPE_CHECKING:
    from greynb.routing import Server

PATIENCE: Final = 3.0
"""Seconds that the server has to accept a connection."""
_TRIES: Final = 2
_PAUSE_MS: Final = 1_000


def connect(server: Server) -> Any:
    """Open a session.

    Parameters
    ----------
    server
        Where Spark Connect listens.

    Returns
    -------
    pyspark.sql.connect.session.SparkSession
        Of its own, whatever other sessions this process has.

    Raises
    ------
    UsageError
        PySpark is not installed.
    DatabaseError
        The server cannot be reached in time, or refuses the session.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of pandas 3; only Arrow comes from Spark here
            from pyspark.errors import PySparkException
            from pyspark.sql.connect.client.retries import DefaultPolicy
            from pyspark.sql.connect.session import SparkSession
    except ImportError:
        raise UsageError(
            "Spark needs PySpark, which is not installed", hint='pip install "greynb[spark]"'
        ) from None
    probe(server)
    try:
        spark = SparkSession.builder.remote(server.address).create()
        # By default a dead server is asked again for ten minutes.
        spark.client.set_retry_policies(
            [DefaultPolicy(max_retries=_TRIES, initial_backoff=_PAUSE_MS, max_backoff=_PAUSE_MS)]
        )
        spark.conf.set("spark.sql.ansi.enabled", "true")  # an overflow is an error, as in DuckDB
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        spark.conf.set("spark.sql.caseSensitive", "false")
    except PySparkException as error:
        raise DatabaseError(
            f"Spark at {server.name} refused the session: {_sentence(error)}",
            path=server.name,
            hint="is it Spark Connect of version 4, and the token the right one?",
        ) from None
    return spark


def probe(server: Server) -> None:
    """Raise `DatabaseError` where nothing listens: gRPC itself would go on trying for minutes."""
    host, _, port = server.name.removeprefix("sc://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()
    except OSError as error:
        said = (
            "it did not answer in time" if isinstance(error, TimeoutError) else error.strerror or str(error)
        )
        raise DatabaseError(
            f"Spark at {host}:{port} cannot be reached: {said}",
            path=server.name,
            hint="start it there, or set ANALYTICS_ENGINE=duckdb to read the same lake",
        ) from None


def _sentence(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
