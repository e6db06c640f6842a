"""What a DuckLake and Spark cost beside the files, on one machine: publications and twelve queries.

``make bench-lake`` runs it and prints a table. The season is that of ``greynb demo``; the catalogue is a
file, or PostgreSQL where that is installed; the files are in a folder, or on S3 where Swift is installed;
Spark is one master and two workers (``--spark``).
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import greynb
from benchmarks.postgres import say
from benchmarks.queries import QUERIES
from greynb.connections import analytics_session, close_all
from greynb.databases.reading import CellSession
from greynb.demo import build_demo
from greynb.errors import QueryError
from greynb.routing import Settings
from tests.scale.s3 import S3Server, is_installed
from tests.scale.server import PostgresServer, programs
from tests.scale.spark import SparkCluster, home


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--races", type=int, default=20_000)
    parser.add_argument("--spark", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="greynb-bench-") as place:
        folder = Path(place)
        os.environ["STAGING_DB_PATH"] = str(build_demo(folder, races=args.races).staging)
        try:
            measure(folder, spark=args.spark)
        finally:
            close_all()
    return 0


def measure(folder: Path, *, spark: bool) -> None:
    """Publish to each target, and ask each the same."""
    target(folder, "files", str(folder / "plain.db"))
    lake = f"ducklake:{folder / 'file.ducklake'}"
    target(folder, "lake, file", lake)
    if is_installed():
        storage = S3Server()
        try:
            storage.request("PUT", "/races")
            os.environ |= {**storage.environment(), "LAKE_DATA_PATH": "s3://races/lake"}
            target(folder, "lake, S3", f"ducklake:{folder / 's3.ducklake'}")
        finally:
            close_all()
            storage.remove()
    if (found := programs()) is not None:
        server = PostgresServer(found)
        try:
            os.environ["LAKE_DATA_PATH"] = str(folder / "data")
            target(folder, "lake, PostgreSQL", f"ducklake:{server.url(server.database())}")
        finally:
            close_all()
            server.remove()
    if spark and (pyspark := home()) is not None:
        begun = time.perf_counter()
        cluster = SparkCluster(pyspark)
        try:
            print(f"{'Spark, to start':<40} {time.perf_counter() - begun:>12,.1f} s")
            os.environ |= {"ANALYTICS_ENGINE": "spark", "SPARK_REMOTE": cluster.remote}
            target(folder, "Spark", lake)
        finally:
            close_all()
            cluster.remove()


def target(folder: Path, label: str, address: str) -> None:
    """Publish the season, then a thousand changed rows, and run the queries."""
    os.environ["ANALYTICS_DB_PATH"] = address
    say(f"publication, whole: {label}", lambda: greynb.sync("full"))
    with closing(sqlite3.connect(os.environ["STAGING_DB_PATH"])) as con, con:
        con.execute("UPDATE odds_history SET odds_change = odds_change + 1 WHERE id % 97 = 3 AND id < 97000")
    say(f"publication, 1,000 rows: {label}", greynb.sync)
    session = analytics_session(Settings.current().route("analytics"))
    total = 0.0
    for query in QUERIES:
        total += ask(session, query.name, query.sql, label)
    print(f"{'all that ran: ' + label:<40} {total * 1000:>12,.1f} ms", flush=True)


def ask(session: CellSession, name: str, sql: str, label: str) -> float:
    """Run one query three times; gives the seconds of the best."""
    race, dog, venue = values(session)
    text = sql.format(race=race, dog=dog, venue=venue)
    times = []
    try:
        for _ in range(3):
            begun = time.perf_counter()
            session.run(text)
            times.append(time.perf_counter() - begun)
    except QueryError as error:
        print(f"{name + ', ' + label:<40} {'refused':>12}     {error.message}", flush=True)
        return 0.0
    print(f"{name + ', ' + label:<40} {min(times) * 1000:>12,.1f} ms", flush=True)
    return min(times)


def values(session: CellSession) -> tuple[object, ...]:
    """A race, a dog and a venue that are there."""
    rows = session.reader().execute(
        "SELECT min(race_id), min(dog_clean_name), (SELECT min(venue) FROM race_metadata) FROM dog_race_data"
    )
    return tuple(str(value).replace("'", "''") for value in rows.fetchall()[0])


if __name__ == "__main__":
    sys.exit(main())
