import os
import subprocess

os.system("cp greyhound_racing_data_stage.db greyhound_racing_data_analytics.db")  # expect: copied-database:warning
subprocess.run(["sqlite3", "greyhound_racing_data_analytics.db", "VACUUM"], check=True)  # expect: raw-connect:warning, readonly-write:error
subprocess.run(["greynb", "sync"], check=True)
subprocess.run("python scripts/ingest_odds.py && echo greyhound_racing_data.db", shell=True)
subprocess.check_output(["sqlite3", "--version"])
