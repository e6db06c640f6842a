from os import environ

if (path := environ.get("DATABASE_PATH") or environ.get("ANALYTICS_DB_PATH")) is None:  # expect: routing-differs:error
    path = "greyhound_racing_data_analytics.db"
