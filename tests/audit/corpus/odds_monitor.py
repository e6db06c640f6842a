import duckdb
from pathlib import Path

BASE = Path(__file__).resolve().parent
con = duckdb.connect()
con.execute("ATTACH 'greyhound_racing_data.db' AS races (TYPE sqlite, READ_ONLY)")  # expect: raw-connect:warning
con.execute("SELECT * FROM sqlite_scan('greyhound_racing_data_stage.db', 'odds_history')")  # expect: raw-connect:warning
own = duckdb.connect(str(BASE / "odds.duckdb"))
mine = duckdb.connect(str(BASE / "greyhound_racing_data.db"), read_only=True)  # expect: raw-connect:warning
