"""What PostgreSQL costs beside the files, on one machine: cells, loads, publications, and evaluation queries.

``make bench-postgres`` runs it and prints a table. The season is that of ``greynb demo``, loaded into a
server of its own in a temporary folder; every figure is the median of some runs in one process.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

import greynb
from greynb.connections import analytics_session, close_all, staging_session
from greynb.demo import build_demo
from greynb.routing import Settings
from tests.scale.server import PostgresServer, programs

QUERIES = {
    "group by venue": "SELECT venue, count(*) FROM race_metadata GROUP BY venue",
    "winner joined": """
        SELECT count(*) FROM race_metadata r JOIN dog_race_data d USING (race_id)
        WHERE d.finish_position = '1'
    """,
    "one race": "SELECT * FROM dog_race_data WHERE race_id = (SELECT max(race_id) FROM race_metadata)",
}


def main() -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--races", type=int, default=20_000)
    args = parser.parse_args()
    folder = programs()
    if folder is None:
        sys.exit("PostgreSQL is not installed")
    server = PostgresServer(folder)
    try:
        with tempfile.TemporaryDirectory(prefix="greynb-bench-") as place:
            measure(Path(place), server, args.races)
    finally:
        close_all()
        server.remove()
    return 0


def measure(folder: Path, server: PostgresServer, races: int) -> None:
    """Make a season, load it, publish it, and ask it."""
    demo = build_demo(folder, races=races)
    url = server.url(server.database())
    os.environ["ANALYTICS_DB_PATH"] = str(folder / "from_server.db")
    tables = frames(demo.staging)
    os.environ["STAGING_DB_PATH"] = url
    rows = sum(map(len, tables.values()))
    say("load, all tables", lambda: load_all(tables), f"{rows:,} rows by greynb.load")
    say("publication, whole", lambda: greynb.sync("full"))
    say("publication, nothing changed", greynb.sync, runs=3)
    session = staging_session(Settings.current().route("staging"))
    for number in range(3):
        session.run(
            "UPDATE race_metadata SET venue = venue WHERE race_id IN (SELECT race_id FROM race_metadata"
            f" ORDER BY race_id LIMIT 1000 OFFSET {number * 1000})"
        )
        say(f"publication, 1,000 rows changed ({number + 1})", greynb.sync)
    say("cell, staging on PostgreSQL", lambda: session.run("SELECT 1 AS x"), runs=50)
    for label, target in (("mirror", os.environ["ANALYTICS_DB_PATH"]), ("PostgreSQL", url)):
        os.environ["ANALYTICS_DB_PATH"] = target
        reader = analytics_session(Settings.current().route("analytics"))
        for name, sql in QUERIES.items():
            say(f"{name}, {label}", lambda sql=sql, reader=reader: reader.run(sql), runs=7)
    os.environ["STAGING_DB_PATH"] = str(demo.staging)
    files = staging_session(Settings.current().route("staging"))
    say("cell, staging in a file", lambda: files.run("SELECT 1 AS x"), runs=50)


def frames(staging: Path) -> dict[str, pd.DataFrame]:
    """Read the tables of a SQLite file."""
    with sqlite3.connect(staging) as con:
        names = [name for (name,) in con.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            name: pd.read_sql_query(f'SELECT * FROM "{name}"', con)
            for name in names
            if not name.startswith("sqlite_")
        }


def load_all(tables: dict[str, pd.DataFrame]) -> None:
    """Make and fill each table, with a primary key where a column can be one."""
    for name, frame in tables.items():
        keys = [column for column in ("id", "race_id", "prediction_id") if column in frame]
        unique = next((key for key in keys if frame[key].is_unique and frame[key].notna().all()), None)
        greynb.load(frame, name, key=unique, create=True)


def say(what: str, work: Callable[[], object], note: str = "", *, runs: int = 1) -> None:
    """Print how long something takes."""
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    print(f"{what:<40} {statistics.median(times) * 1000:>12,.1f} ms  {note}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
