import sqlite3 as sq

con = sq.connect("greyhound_racing_data_analytics.db")  # expect: raw-connect:warning
print(con.execute("SELECT count(*) FROM race_metadata").fetchone())
