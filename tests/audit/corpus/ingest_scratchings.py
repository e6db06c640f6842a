from scripts.db_utils import open_sqlite_readonly

con = open_sqlite_readonly()  # expect: writer-opens-analytics:error
con.execute("DELETE FROM live_odds WHERE scratched")  # expect: readonly-write:error
