import os
import sqlite3
from pathlib import Path


def database():
    return Path(
        os.getenv("ANALYTICS_DB_PATH") or os.environ.get("GREYHOUND_DB_PATH", "greyhound_racing_data.db")  # expect: routing-differs:warning
    ).expanduser()


def bins(count=10):
    con = sqlite3.connect(f"file:{database()}?mode=ro", uri=True)  # expect: raw-connect:warning
    try:
        return con.execute("SELECT win_prob, won FROM predictions WHERE model = ?", ("v4",)).fetchall()
    finally:
        con.close()
