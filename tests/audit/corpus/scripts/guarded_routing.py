import os


def database():
    if "ANALYTICS_DB_PATH" in os.environ:
        return os.environ["ANALYTICS_DB_PATH"]  # expect: routing-differs:warning
    if "GREYHOUND_DB_PATH" in os.environ:
        return os.environ["GREYHOUND_DB_PATH"]
    return "greyhound_racing_data_analytics.db"
