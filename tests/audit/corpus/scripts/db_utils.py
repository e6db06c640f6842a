import os
import sqlite3
from pathlib import Path


def get_analytics_db_path(default: str = "greyhound_racing_data.db") -> str:
    return os.getenv("ANALYTICS_DB_PATH") or os.getenv("GREYHOUND_DB_PATH") or default  # expect: routing-differs:warning


def open_sqlite_readonly(db_path: str | None = None) -> sqlite3.Connection:
    path = db_path or get_analytics_db_path()
    return sqlite3.connect(f"file:{Path(path).resolve()}?mode=ro", uri=True)  # expect: raw-connect:warning
