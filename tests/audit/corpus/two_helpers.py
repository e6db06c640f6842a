from scripts.db_utils import open_sqlite_readonly, open_sqlite_writable

PATH = "data/greyhound_racing_data_stage.db"  # expect: hardcoded-path:warning
reader = open_sqlite_readonly(PATH)
writer = open_sqlite_writable(PATH)
writer.execute("DELETE FROM live_odds WHERE race_id IS NULL")
