import os
import pandas as pd
from sqlalchemy import create_engine

try:
    DB_PATH = os.environ["STAGING_DB_PATH"]  # expect: routing-differs:warning
except KeyError:
    DB_PATH = "greyhound_racing_data_stage.db"

engine = create_engine(f"sqlite:///{DB_PATH}")  # expect: raw-connect:warning
frame = pd.read_sql("SELECT * FROM dog_race_data WHERE finish_position IS NOT NULL", engine)
