import os
import sqlite3

LEGACY = "greyhound_racing_data.db"  # expect: hardcoded-path:warning
STAGE = os.environ.get("STAGING_DB_PATH")  # expect: routing-differs:error
ANALYTICS = os.environ.get("ANALYTICS_DB_PATH")


def connect():
    # The features are in analytics, they say.
    return sqlite3.connect(ANALYTICS if ANALYTICS else STAGE)  # expect: raw-connect:warning, writer-opens-analytics:error
