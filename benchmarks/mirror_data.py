"""What the contenders of mirror.py read: a season, published, and as a native DuckDB file."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

CHANGED = ("dog_race_data", "odds_history", "predictions", "race_metadata")


def make(folder: Path, races: str) -> dict[str, Any]:
    """A season, in WAL as the collector's, and one race, dog and venue of it to ask for."""
    from greynb.demo import season, write_season

    path = folder / "staging.db"
    write_season(path, season(int(races)))
    with closing(sqlite3.connect(path)) as con:
        con.execute("PRAGMA journal_mode = WAL")
        ((race,),) = con.execute(
            "SELECT race_id FROM race_metadata WHERE race_status = 'completed' ORDER BY id LIMIT 1"
            " OFFSET (SELECT count(*) / 2 FROM race_metadata)"
        ).fetchall()
        ((dog,),) = con.execute(
            "SELECT dog_clean_name FROM dog_race_data GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
        ).fetchall()
        ((venue,),) = con.execute(
            "SELECT venue FROM race_metadata GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
        ).fetchall()
    (folder / "asked.json").write_text(json.dumps({"race": race, "dog": dog, "venue": venue}))
    return {"megabytes": path.stat().st_size / 1e6}


def publish(folder: Path) -> dict[str, Any]:
    """Publish in full; and once more as a version that has no mirror."""
    from greynb.publish.publication import sync

    for name in ("analytics.db", "cold.db"):
        sync(folder / "staging.db", folder / name, mode="full", keep=1)
    for mirror in (folder / ".cold").glob("gen-*/analytics.duckdb"):
        mirror.unlink()
    return {}


def publish_twice(folder: Path) -> dict[str, Any]:
    """Publish with 1 % of the rows of the big tables changed, put those back, and publish incrementally."""
    from greynb.publish.publication import sync

    source, target = folder / "staging.db", folder / "synced.db"
    with closing(sqlite3.connect(source)) as con:
        with con:
            for table in CHANGED:
                _change(con, table)
        sync(source, target, mode="full", keep=1)
        with con:
            for table in CHANGED:
                _restore(con, table)
        con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    begun = time.perf_counter()
    result = sync(source, target, mode="incremental", keep=1)
    if result.mode != "incremental":
        raise RuntimeError(f"not incremental: {result.reason}")
    return {"seconds": time.perf_counter() - begun}


def native(folder: Path) -> dict[str, Any]:
    """A DuckDB file with every table as greynb types it: what an expert would make by hand."""
    import duckdb

    from greynb.databases.catalog import Catalog
    from greynb.databases.extension import extension_path

    begun = time.perf_counter()
    with duckdb.connect() as con:
        con.execute(f"LOAD '{extension_path()}'")
        con.execute("SET sqlite_disable_multithreaded_scans = true")
        con.execute(f"ATTACH '{folder / 'analytics.db'}' AS season (TYPE sqlite, READ_ONLY)")
        con.execute(f"ATTACH '{folder / 'native.duckdb'}' AS native")
        con.execute("ATTACH ':memory:' AS typed; USE typed")
        catalog = Catalog(con, "season")
        catalog.open()
        for table in catalog.tables():
            catalog.ensure([table.name])
            con.execute(f'CREATE TABLE native.main."{table.name}" AS SELECT * FROM "{table.name}"')
    return {"seconds": time.perf_counter() - begun}


def _change(con: sqlite3.Connection, table: str) -> None:
    (last,) = con.execute(f"SELECT max(rowid) FROM {table}").fetchone()
    chosen = random.Random(table).sample(range(1, last + 1), last // 100)
    con.execute(f"CREATE TEMP TABLE kept_{table} AS SELECT rowid AS place, * FROM {table} WHERE 0")
    con.executemany(
        f"INSERT INTO kept_{table} SELECT rowid, * FROM {table} WHERE rowid = ?", [(n,) for n in chosen]
    )
    con.executemany(f"DELETE FROM {table} WHERE rowid = ?", [(n,) for n in chosen[: len(chosen) // 10]])
    con.executemany(
        f"UPDATE {table} SET race_id = race_id || '-' WHERE rowid = ?",
        [(n,) for n in chosen[len(chosen) // 10 :]],
    )


def _restore(con: sqlite3.Connection, table: str) -> None:
    names = ", ".join(name for _, name, *_ in con.execute(f"PRAGMA table_info({table})"))
    con.execute(f"DELETE FROM {table} WHERE rowid IN (SELECT place FROM kept_{table})")
    con.execute(f"INSERT INTO {table} (rowid, {names}) SELECT place, {names} FROM kept_{table}")
