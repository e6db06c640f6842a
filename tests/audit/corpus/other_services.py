import os
import sqlite3

from sqlalchemy import create_engine

engine = create_engine(os.environ["DATABASE_URL"])
fallback = create_engine(os.getenv("DATABASE_URL", "postgresql://localhost/races"))
cache = sqlite3.connect("cache/weather.db")  # expect: raw-connect:note
memory = sqlite3.connect(":memory:")
scratch = sqlite3.connect("")
