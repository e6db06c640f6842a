import os


class Backtest:
    def __init__(self, db_path="greyhound_racing_data.db"):  # expect: hardcoded-path:warning
        override = os.getenv("ANALYTICS_DB_PATH") or os.getenv("GREYHOUND_DB_PATH")  # expect: routing-differs:warning
        self.db_path = override if override else db_path
