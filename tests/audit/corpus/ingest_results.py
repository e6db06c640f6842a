import os

VARIABLES = ["STAGING_DB_PATH", "GREYHOUND_DB_PATH"]
DB_PATH = next((os.environ[name] for name in VARIABLES if os.environ.get(name)), "greyhound_racing_data_stage.db")  # expect: routing-differs:warning
