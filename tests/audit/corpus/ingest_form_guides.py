import argparse
import os
import sqlite3


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", default="form_guides")
    parser.add_argument(
        "--db",
        default=os.getenv("STAGING_DB_PATH") or os.getenv("GREYHOUND_DB_PATH") or None,  # expect: routing-differs:warning
    )
    return parser.parse_args()


def main():
    args = parse()
    con = sqlite3.connect(args.db)  # expect: raw-connect:warning
    rows = [("RICH", 1, "2025-07-01")]
    con.executemany("INSERT INTO race_metadata (venue, race_number, race_date) VALUES (?, ?, ?)", rows)
    con.commit()
