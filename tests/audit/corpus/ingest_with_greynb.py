from greynb.db_utils import get_staging_db_path, open_sqlite_writable

con = open_sqlite_writable()
con.execute("INSERT INTO live_odds (race_id, odds) VALUES (?, ?)", ("R1", 3.5))
print(get_staging_db_path())
