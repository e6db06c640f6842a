import sqlite3


class Manager:
    def __init__(self, db_path: str = "greyhound_racing_data.db"):  # expect: hardcoded-path:warning
        self.db_path = db_path

    def connect(self):
        con = sqlite3.connect(self.db_path, timeout=30)  # expect: raw-connect:warning
        con.row_factory = sqlite3.Row
        return con

    def venues(self):
        with self.connect() as con:
            return [row["venue"] for row in con.execute("SELECT DISTINCT venue FROM race_metadata")]
