import os
from os import environ, getenv as env


def analytics_path():
    path = env("GREYHOUND_DB_PATH")  # expect: routing-differs:error
    if not path:
        path = environ.get("ANALYTICS_DB_PATH")
    if path is None:
        path = "greyhound_racing_data_analytics.db"
    return path


def outcome(run):
    return os.getenv("UPCOMING_RACES_DIR", "./upcoming_races")
