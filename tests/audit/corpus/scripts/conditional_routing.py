import os

db_path = "greyhound_racing_data.db"
if os.getenv("GREYHOUND_DB_PATH"):
    db_path = os.getenv("GREYHOUND_DB_PATH")  # expect: routing-differs:error
elif os.getenv("ANALYTICS_DB_PATH"):
    db_path = os.getenv("ANALYTICS_DB_PATH")
