import os

ANALYTICS_DB = os.environ.get("ANALYTICS_DB_PATH", os.environ.get("GREYHOUND_DB_PATH", os.environ.get("DATABASE_PATH", "greyhound_racing_data_analytics.db")))  # expect: routing-differs:warning


def odds(con, race_id):
    return con.execute("SELECT odds FROM live_odds WHERE race_id = :race", {"race": race_id}).fetchone()
