import os


class Config:
    SECRET_KEY = os.environ.get("SECRET_KEY") or "not a secret"
    DATABASE_PATH = os.environ.get("GREYHOUND_DB_PATH") or os.environ.get("DATABASE_PATH") or "greyhound_racing_data.db"  # expect: routing-differs:error
    REDIS = os.environ.get("REDIS_URL", "redis://localhost")
