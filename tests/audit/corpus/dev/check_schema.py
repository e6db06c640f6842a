from sqlite3 import connect
from contextlib import closing
import os.path

HERE = os.path.dirname(__file__)
PATH = os.path.join(HERE, "..", "greyhound_racing_data_stage.db")  # expect: hardcoded-path:warning
with closing(connect(PATH)) as con:  # expect: raw-connect:warning, reader-opens-staging:error
    for (name,) in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
        print(con.execute(f"PRAGMA table_info({name})").fetchall())  # expect: built-sql:note
