from dotenv import dotenv_values
import os

config = {**dotenv_values(".env"), **os.environ}
path = config.get("ANALYTICS_DB_PATH") or config.get("DATABASE_URL") or config.get("DATABASE_PATH")  # expect: routing-differs:error
