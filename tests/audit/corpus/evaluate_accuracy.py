"""Top-1 accuracy per month."""
import os

import pandas as pd
from scripts.db_utils import open_sqlite_readonly

DB = os.getenv("ANALYTICS_DB_PATH") or os.getenv("GREYHOUND_DB_PATH") or "greyhound_racing_data.db"  # expect: routing-differs:warning


def main():
    with open_sqlite_readonly(DB) as con:
        print(pd.read_sql("SELECT substr(race_date, 1, 7) AS month, avg(correct) FROM picks GROUP BY 1", con))


main()
