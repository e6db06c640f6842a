import shutil
from datetime import datetime

from scripts.db_utils import get_staging_db_path

source = get_staging_db_path()
shutil.copy2(source, f"backups/races_{datetime.now():%Y%m%d}.db")  # expect: copied-database:warning
shutil.copyfile("greyhound_racing_data_stage.db", "greyhound_racing_data_analytics.db")  # expect: copied-database:warning
shutil.copy("form_guides/a.csv", "archive/a.csv")
