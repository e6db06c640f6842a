import os

CANDIDATES = filter(None, map(os.getenv, ["ANALYTICS_DB_PATH", "GREYHOUND_DB_PATH", "DATABASE_PATH", "DATABASE_URL"]))  # expect: routing-copied:warning
DATABASE = next(CANDIDATES, "greyhound_racing_data_analytics.db")
