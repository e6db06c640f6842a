import os

# The order is greynb's, but an empty DATABASE_URL is a path here.
staging = (
    os.getenv("STAGING_DB_PATH")  # expect: routing-differs:warning
    or os.getenv("GREYHOUND_DB_PATH")
    or os.getenv("DATABASE_PATH")
    or os.getenv("DATABASE_URL", "greyhound_racing_data_stage.db")
)
