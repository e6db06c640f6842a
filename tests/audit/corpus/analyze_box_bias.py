import os

db = os.getenv("STAGING_DB_PATH") or os.getenv("ANALYTICS_DB_PATH") or "greyhound_racing_data.db"  # expect: routing-differs:error
