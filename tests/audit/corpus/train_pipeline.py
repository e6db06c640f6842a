from pipeline import Pipeline
from scripts.db_utils import get_analytics_db_path

Pipeline(get_analytics_db_path()).run()  # expect: writer-opens-analytics:error
