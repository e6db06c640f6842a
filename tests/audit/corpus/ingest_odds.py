import os


def staging():
    """First the writer's own file, then what everybody shares."""
    for name in ("STAGING_DB_PATH", "GREYHOUND_DB_PATH", "DATABASE_PATH", "DATABASE_URL"):
        value = os.getenv(name)  # expect: routing-copied:warning
        if value:
            return value
    return "greyhound_racing_data_stage.db"
