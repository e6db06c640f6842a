import os
from typing import Optional, Tuple


def database_paths() -> Tuple[Optional[str], Optional[str], str]:
    staging_db = os.getenv("STAGING_DB_PATH")  # expect: routing-differs:warning
    analytics_db = os.getenv("ANALYTICS_DB_PATH")  # expect: routing-differs:warning
    fallback_db = os.getenv("GREYHOUND_DB_PATH", "greyhound_racing_data.db")  # expect: routing-differs:error
    return staging_db, analytics_db, fallback_db
