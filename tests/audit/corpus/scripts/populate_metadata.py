import argparse
import sqlite3
from pathlib import Path

try:
    from scripts.db_utils import open_sqlite_writable
except Exception:

    def open_sqlite_writable(db_path=None):
        import os as _os, sqlite3 as _sqlite3

        path = db_path or _os.getenv("STAGING_DB_PATH") or _os.getenv("GREYHOUND_DB_PATH") or "greyhound_racing_data.db"  # expect: routing-differs:warning
        return _sqlite3.connect(str(Path(path).resolve()))  # expect: raw-connect:warning


def upsert(con: sqlite3.Connection, row):
    con.execute(
        """
        INSERT INTO race_metadata (race_id, venue) VALUES (?, ?)
        ON CONFLICT (race_id) DO UPDATE SET venue = coalesce(excluded.venue, race_metadata.venue)
        """,
        row,
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--db", dest="db_path", default=None, help="defaults to greyhound_racing_data.db")
    con = open_sqlite_writable(parser.parse_args().db_path)
    upsert(con, ("RICH_2025-07-01_1", "RICH"))
    con.commit()
