from scripts.db_utils import get_analytics_db_path, open_sqlite_writable

con = open_sqlite_writable(get_analytics_db_path())  # expect: writer-opens-analytics:error
con.execute("DELETE FROM bets WHERE stake IS NULL")  # expect: readonly-write:error
