import os


class Pipeline:
    def __init__(self, analytics_db=None, staging_db=None, role="analytics"):
        self.analytics_db = analytics_db or os.environ.get("ANALYTICS_DB_PATH") or os.environ.get("GREYHOUND_DB_PATH") or "greyhound_racing_data_analytics.db"  # expect: routing-differs:warning
        self.staging_db = staging_db if staging_db is not None else os.environ.get("STAGING_DB_PATH", os.getenv("GREYHOUND_DB_PATH", "greyhound_racing_data_stage.db"))  # expect: routing-differs:warning

    def both(self):
        return {"staging": self.staging_db, "analytics": self.analytics_db}
