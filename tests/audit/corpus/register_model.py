import os
from db_guard import db_guard


def register(model):
    db_path = (
        os.getenv("STAGING_DB_PATH")  # expect: routing-copied:warning
        or os.getenv("GREYHOUND_DB_PATH")
        or os.getenv("DATABASE_PATH")
        or os.getenv("DATABASE_URL")
        or "greyhound_racing_data_stage.db"
    )
    with db_guard(db_path=db_path, label="register") as guard:
        guard.expect_table_growth("ml_model_registry", min_delta=0)
