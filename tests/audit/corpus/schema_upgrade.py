import sqlite3

SCHEMA = """
CREATE TABLE IF NOT EXISTS bets (id INTEGER PRIMARY KEY);
CREATE INDEX IF NOT EXISTS bets_id ON bets (id);
"""

con = sqlite3.connect("file:greyhound_racing_data_analytics.db?mode=ro", uri=True)  # expect: raw-connect:warning
con.executescript(SCHEMA)  # expect: readonly-write:error
either = con if SCHEMA else sqlite3.connect("greyhound_racing_data_stage.db")  # expect: raw-connect:warning
either.execute("DROP TABLE bets")
