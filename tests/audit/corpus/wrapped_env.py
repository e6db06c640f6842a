import os


def setting(name, default=None):
    return os.environ.get(name, default)


ANALYTICS = setting("ANALYTICS_DB_PATH") or setting("GREYHOUND_DB_PATH")  # expect: routing-differs:warning
