import os


def path_for(role):
    if role == "staging":
        return os.getenv("STAGING_DB_PATH")  # expect: routing-differs:warning
    return os.getenv("ANALYTICS_DB_PATH")  # expect: routing-differs:warning
